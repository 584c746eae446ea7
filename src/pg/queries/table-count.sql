-- Tables of the user's own, and the database's comment. Run on connections whose search_path is the
-- user's, so everything is qualified, operators too.
SELECT pg_catalog.count(*),
       (SELECT pg_catalog.shobj_description(d.oid, 'pg_database')
          FROM pg_catalog.pg_database d
         WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,f}'::pg_catalog."char"[])
   AND n.nspname OPERATOR(pg_catalog.<>) 'information_schema'
   AND NOT (n.nspname OPERATOR(pg_catalog.~) '^pg_')
   AND NOT EXISTS (
         SELECT 1
           FROM pg_catalog.pg_depend d
          WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
            AND d.objid OPERATOR(pg_catalog.=) c.oid
            AND d.deptype OPERATOR(pg_catalog.=) 'e'::pg_catalog."char")

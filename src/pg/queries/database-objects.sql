-- What the database holds of the user's own: how many of each kind, a row for each kind there is; in the
-- third column the database's comment. Without any there is one row without a kind. What extensions
-- made is not counted, nor what is made along with something else: row and array types, the sequences
-- of columns, the constructors of a range. A large object has no schema and is data, whoever made it. Below 16384 OIDs are initdb's, which an index tells sooner
-- than the schemas do. Run on connections whose search_path is the user's, so everything is qualified,
-- operators too.
WITH object AS (
       SELECT 'pg_catalog.pg_class'::pg_catalog.regclass AS class, c.oid, c.relnamespace AS namespace,
              '{e,i,a}'::pg_catalog."char"[] AS dependent, 4 AS place, 'sequence' AS kind
         FROM pg_catalog.pg_class c
        WHERE c.relkind OPERATOR(pg_catalog.=) 'S'::pg_catalog."char"
          AND c.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
       UNION ALL
       SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, c.oid, c.relnamespace,
              '{e}'::pg_catalog."char"[], k.place, k.kind
         FROM pg_catalog.pg_class c
         JOIN (VALUES ('r'::pg_catalog."char", 1, 'table'), ('p', 1, 'table'), ('f', 1, 'table'),
                      ('v', 2, 'view'), ('m', 3, 'materialized view')) AS k (letter, place, kind)
           ON k.letter OPERATOR(pg_catalog.=) c.relkind
        WHERE c.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
       UNION ALL
       SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid, p.pronamespace,
              '{e,i}'::pg_catalog."char"[], k.place, k.kind
         FROM pg_catalog.pg_proc p
         JOIN (VALUES ('f'::pg_catalog."char", 5, 'function'), ('w', 5, 'function'),
                      ('p', 6, 'procedure'), ('a', 7, 'aggregate')) AS k (letter, place, kind)
           ON k.letter OPERATOR(pg_catalog.=) p.prokind
        WHERE p.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
       UNION ALL
       SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid, t.typnamespace,
              '{e,i}'::pg_catalog."char"[], k.place, k.kind
         FROM pg_catalog.pg_type t
         JOIN (VALUES ('b'::pg_catalog."char", 8, 'type'), ('c', 8, 'type'), ('e', 8, 'type'),
                      ('r', 8, 'type'), ('d', 9, 'domain')) AS k (letter, place, kind)
           ON k.letter OPERATOR(pg_catalog.=) t.typtype
        WHERE t.typisdefined
          AND t.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid),
     counted AS (
       SELECT o.place, o.kind, pg_catalog.count(*) AS count
         FROM object o
         JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) o.namespace
        WHERE n.nspname OPERATOR(pg_catalog.<>) 'information_schema'
          AND NOT (n.nspname OPERATOR(pg_catalog.~) '^pg_')
          AND NOT EXISTS (
                SELECT
                  FROM pg_catalog.pg_depend d
                 WHERE d.classid OPERATOR(pg_catalog.=) o.class
                   AND d.objid OPERATOR(pg_catalog.=) o.oid
                   AND d.objsubid OPERATOR(pg_catalog.=) 0
                   AND d.deptype OPERATOR(pg_catalog.=) ANY (o.dependent))
        GROUP BY o.place, o.kind
       UNION ALL
       SELECT 10, 'large object', pg_catalog.count(*)
         FROM pg_catalog.pg_largeobject_metadata
       HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0)
SELECT c.kind,
       c.count,
       pg_catalog.shobj_description(d.oid, 'pg_database')
  FROM pg_catalog.pg_database d
  LEFT JOIN counted c ON true
 WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
 ORDER BY c.place

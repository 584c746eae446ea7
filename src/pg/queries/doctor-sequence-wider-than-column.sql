-- Integer columns whose default comes from a sequence that goes on where the column's type ends.
SELECT 'info',
       format('%I.%I.%I', tn.nspname, t.relname, a.attname),
       format('is %s, and its sequence %I.%I goes to %s: inserts fail at %s, long before it ends',
              pg_catalog.format_type(a.atttypid, NULL), n.nspname, c.relname, s.seqmax,
              CASE ty.typname WHEN 'int2' THEN 32767 ELSE 2147483647 END),
       CASE WHEN a.attinhcount > 0
            THEN 'Change its type in the table that it comes from.'
            WHEN EXISTS (SELECT FROM pg_catalog.pg_depend k
                          WHERE k.classid = 'pg_catalog.pg_class'::regclass AND k.objid = t.oid AND k.objsubid = a.attnum
                            AND k.refclassid = 'pg_catalog.pg_class'::regclass AND k.refobjid = t.oid
                            AND k.refobjsubid = 0 AND k.deptype = 'i')
            THEN 'Its type cannot be changed, as it is in the partition key.'
            WHEN EXISTS (SELECT FROM pg_catalog.pg_depend u
                          WHERE u.refclassid = 'pg_catalog.pg_class'::regclass AND u.refobjid = t.oid
                            AND u.refobjsubid = a.attnum
                            AND u.classid IN ('pg_catalog.pg_rewrite'::regclass, 'pg_catalog.pg_trigger'::regclass,
                                              'pg_catalog.pg_policy'::regclass, 'pg_catalog.pg_proc'::regclass,
                                              'pg_catalog.pg_publication_rel'::regclass))
            THEN 'Change its type when the views, triggers or policies that use it may be dropped and made again.'
            ELSE format('ALTER TABLE %I.%I ALTER COLUMN %I TYPE bigint;', tn.nspname, t.relname, a.attname) END
  FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_attrdef ad ON ad.oid = d.objid
  JOIN pg_catalog.pg_sequence s ON s.seqrelid = d.refobjid
  JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_class t ON t.oid = ad.adrelid
  JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = ad.adnum
  JOIN pg_catalog.pg_type ty ON ty.oid = a.atttypid
 WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
   AND ty.typname IN ('int2', 'int4') AND NOT t.relispartition AND t.relpersistence <> 't'
   AND s.seqmax > CASE ty.typname WHEN 'int2' THEN 32767 ELSE 2147483647 END
   AND tn.nspname !~ '^pg_' AND tn.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                    WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = t.oid AND e.deptype = 'e')
 ORDER BY tn.nspname, t.relname, a.attname

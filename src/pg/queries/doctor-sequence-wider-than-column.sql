-- Integer columns, or of a domain over integers, whose default comes from a sequence that goes on where the
-- column's type ends. The last column is what to do where no SQL does it.
WITH RECURSIVE integers AS (
       SELECT t.oid, t.typname AS base FROM pg_catalog.pg_type t
        WHERE t.oid IN ('pg_catalog.int2'::regtype, 'pg_catalog.int4'::regtype)
       UNION
       SELECT t.oid, integers.base
         FROM integers
         JOIN pg_catalog.pg_type t ON t.typbasetype = integers.oid AND t.typtype = 'd')
SELECT 'info',
       format('%I.%I.%I', tn.nspname, t.relname, a.attname),
       format('is %s, and its sequence %I.%I goes to %s: inserts fail at %s, long before it ends',
              concat(pg_catalog.format_type(a.atttypid, NULL), CASE WHEN is_domain THEN ', a domain' END),
              n.nspname, c.relname, s.seqmax, ends),
       CASE WHEN note IS NULL
            THEN format('ALTER TABLE %I.%I ALTER COLUMN %I TYPE bigint;', tn.nspname, t.relname, a.attname) END,
       coalesce(note, 'Changing the type rewrites the table under an ACCESS EXCLUSIVE lock: until that is done nobody '
                      'reads or writes it.')
  FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_attrdef ad ON ad.oid = d.objid
  JOIN pg_catalog.pg_sequence s ON s.seqrelid = d.refobjid
  JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_class t ON t.oid = ad.adrelid
  JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = ad.adnum
  JOIN integers ON integers.oid = a.atttypid
 CROSS JOIN LATERAL (
       SELECT CASE integers.base WHEN 'int2' THEN 32767 ELSE 2147483647 END AS ends,
              pg_catalog.format_type(a.atttypid, NULL) NOT IN ('smallint', 'integer') AS is_domain) i
 CROSS JOIN LATERAL (SELECT
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
            WHEN is_domain
            THEN 'Make a domain over bigint with the same constraints, and change its type to that.' END AS note) f
 WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
   AND NOT t.relispartition AND t.relpersistence <> 't'
   AND s.seqmax > ends
   AND tn.nspname !~ '^pg_' AND tn.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                    WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = t.oid AND e.deptype = 'e')
 ORDER BY tn.nspname, t.relname, a.attname

-- Columns of a foreign key that are narrower than the key they refer to.
SELECT 'warning',
       format('%I.%I.%I', n.nspname, t.relname, a.attname),
       format('is %s and refers to %I.%I.%I, which is %s: it cannot hold the larger keys',
              pg_catalog.format_type(a.atttypid, NULL), rn.nspname, r.relname, ra.attname,
              pg_catalog.format_type(ra.atttypid, NULL)),
       format('ALTER TABLE %I.%I ALTER COLUMN %I TYPE %s;', n.nspname, t.relname, a.attname,
              pg_catalog.format_type(ra.atttypid, NULL))
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class t ON t.oid = k.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
  JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
 CROSS JOIN LATERAL unnest(k.conkey, k.confkey) u (own, referenced)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.own
  JOIN pg_catalog.pg_attribute ra ON ra.attrelid = r.oid AND ra.attnum = u.referenced
  JOIN pg_catalog.pg_type ty ON ty.oid = a.atttypid
  JOIN pg_catalog.pg_type rty ON rty.oid = ra.atttypid
 WHERE k.contype = 'f' AND k.conparentid = 0 AND t.relpersistence <> 't'
   AND ty.typname IN ('int2', 'int4') AND rty.typname IN ('int4', 'int8') AND ty.typlen < rty.typlen
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = t.oid AND d.deptype = 'e')
 ORDER BY n.nspname, t.relname, a.attname

-- Columns of a foreign key that are narrower than the key they refer to. A column's type is changed at the top
-- of its inheritance; what would keep the server from changing it is named instead.
WITH RECURSIVE mismatch AS (
       SELECT format('%s.%s', k.oid, a.attnum) AS id, t.oid AS relation, a.attname, a.attinhcount,
              pg_catalog.format_type(ra.atttypid, NULL) AS wanted,
              format('%I.%I.%I', n.nspname, t.relname, a.attname) AS name,
              pg_catalog.format_type(a.atttypid, NULL) AS type,
              format('%I.%I.%I', rn.nspname, r.relname, ra.attname) AS refers_to
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
                           WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = t.oid
                             AND d.deptype = 'e')),
     narrow AS (SELECT id, relation, attname, attinhcount, wanted FROM mismatch),
     -- The columns here are of no domain.
     integers AS (SELECT NULL::oid AS oid, NULL::oid AS base WHERE false),
\ir part/column-obstacles.sql
     told AS (
       SELECT mismatch.*, widened.columns, barred.what AS barred, barred.why, obstacles.what AS obstacles,
              obstacles.count
         FROM mismatch
         LEFT JOIN widened USING (id)
         LEFT JOIN barred USING (id)
         LEFT JOIN obstacles USING (id))
SELECT 'warning',
       name,
       format('is %s and refers to %s, which is %s: it cannot hold the larger keys', type, refers_to, wanted),
       CASE WHEN barred IS NULL AND obstacles IS NULL THEN columns END,
       CASE WHEN barred IS NOT NULL
            THEN format('The type of %s cannot be changed, as it %s: it takes a new table with a column that is %s.', barred,
                        why, wanted)
            WHEN obstacles IS NOT NULL
            THEN format('Drop %s, which would be in the way, then %s and make %s again as %s.', obstacles, columns,
                        CASE WHEN count > 1 THEN 'them' ELSE 'it' END,
                        CASE WHEN count > 1 THEN 'they were' ELSE 'it was' END) END
  FROM told
 ORDER BY name

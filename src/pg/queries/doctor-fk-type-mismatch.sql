-- Columns of a foreign key that are narrower than the key they refer to. A column's type is changed at the top
-- of its inheritance; what would keep the server from changing it is named instead.
WITH RECURSIVE mismatch AS (
       SELECT format('%s.%s', k.oid, a.attnum) AS id, t.oid AS relation, a.attname, a.attinhcount,
              concat(CASE WHEN is_number AND ra.atttypmod >= 0
                          THEN format('numeric(%s,%s)', greatest(own.digits, other.digits) + greatest(own.scale, other.scale),
                                      greatest(own.scale, other.scale))
                          ELSE pg_catalog.format_type(ra.atttypid, ra.atttypmod) END,
                     CASE WHEN a.attcollation <> rty.typcollation
                          THEN format(' COLLATE %I.%I', ln.nspname, l.collname) END) AS wanted,
              pg_catalog.format_type(ra.atttypid, ra.atttypmod) AS other_type,
              is_integer OR ty.typname = 'bpchar' OR (is_number AND other.scale > own.scale) AS is_rewritten,
              format('%I.%I.%I', n.nspname, t.relname, a.attname) AS name,
              pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
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
         LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
         LEFT JOIN pg_catalog.pg_namespace ln ON ln.oid = l.collnamespace
        -- The modifier has the length, or precision and scale (of 11 bits, signed), and 4 more.
        CROSS JOIN LATERAL (
              SELECT a.atttypmod - 4 AS length, (((a.atttypmod - 4) & 2047) # 1024) - 1024 AS scale,
                     ((a.atttypmod - 4) >> 16) - ((((a.atttypmod - 4) & 2047) # 1024) - 1024) AS digits) own
        CROSS JOIN LATERAL (
              SELECT ra.atttypmod - 4 AS length, (((ra.atttypmod - 4) & 2047) # 1024) - 1024 AS scale,
                     ((ra.atttypmod - 4) >> 16) - ((((ra.atttypmod - 4) & 2047) # 1024) - 1024) AS digits) other
        CROSS JOIN LATERAL (
              SELECT ty.typname IN ('int2', 'int4') AND rty.typname IN ('int4', 'int8') AND ty.typlen < rty.typlen
                     AS is_integer,
                     ty.typname = 'numeric' AND rty.typname = 'numeric' AND a.atttypmod >= 0
                     AND (ra.atttypmod < 0 OR other.digits > own.digits OR other.scale > own.scale) AS is_number,
                     ((ty.typname = 'varchar' AND rty.typname IN ('varchar', 'text'))
                      OR (ty.typname = 'bpchar' AND rty.typname = 'bpchar'))
                     AND a.atttypmod >= 0 AND (ra.atttypmod < 0 OR other.length > own.length) AS is_text) kinds
        WHERE k.contype = 'f' AND k.conparentid = 0 AND t.relpersistence <> 't'
          AND (is_integer OR is_number OR is_text)
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
       format('is %s and refers to %s, which is %s: it cannot hold the larger keys', type, refers_to, other_type),
       CASE WHEN barred IS NULL AND obstacles IS NULL THEN columns END,
       CASE WHEN barred IS NOT NULL
            THEN format('The type of %s cannot be changed, as it %s: it takes a new table with a column that is %s.', barred,
                        why, other_type)
            WHEN obstacles IS NOT NULL
            THEN format('Drop %s, which would be in the way, then %s and make %s again as %s.', obstacles, columns,
                        CASE WHEN count > 1 THEN 'them' ELSE 'it' END,
                        CASE WHEN count > 1 THEN 'they were' ELSE 'it was' END)
            WHEN is_rewritten
            THEN 'Changing the type rewrites the table under an ACCESS EXCLUSIVE lock: until that is done nobody reads or '
                 'writes it.' END
  FROM told
 ORDER BY name

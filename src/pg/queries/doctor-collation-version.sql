-- Collations of this database's columns and indexes, pg_catalog's included, that the system now sorts
-- differently from when they were made. The indexes over them are rebuilt, partitioned ones by their parts;
-- those of exclusion constraints cannot be CONCURRENTLY.
SELECT CASE WHEN rebuilt.what IS NULL AND NOT divides THEN 'info' ELSE 'error' END,
       format('%I.%I', n.nspname, l.collname),
       format('the collation was made with version %s, the system has %s: %s (%s column%s, the first is %s)',
              l.collversion, pg_catalog.pg_collation_actual_version(l.oid),
              CASE WHEN rebuilt.what IS NOT NULL THEN 'text indexes that use it may miss rows or hold duplicates'
                   WHEN divides THEN 'rows may be in another partition than they are looked for'
                   ELSE 'no index uses it' END,
              used.count, CASE WHEN used.count = 1 THEN '' ELSE 's' END, used.first),
       CASE WHEN NOT divides
            THEN concat_ws(' ', rebuilt.what, format('ALTER COLLATION %I.%I REFRESH VERSION;', n.nspname, l.collname)) END,
       CASE WHEN divides
            THEN format('Tables are partitioned by columns of it: look for rows that belong into another partition, and move '
                        'them; then %s', concat_ws(' ', rebuilt.what,
                        format('ALTER COLLATION %I.%I REFRESH VERSION;', n.nspname, l.collname)))
            WHEN rebuilt.what IS NOT NULL
            THEN 'Each statement by itself, as REINDEX CONCURRENTLY takes no transaction block. A unique index cannot be '
                 'rebuilt while rows that it should hold apart are the same.' END
  FROM pg_catalog.pg_collation l
  JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
  JOIN (SELECT a.attcollation, count(*), min(format('%I.%I.%I', tn.nspname, t.relname, a.attname)) AS first
          FROM pg_catalog.pg_attribute a
          JOIN pg_catalog.pg_class t ON t.oid = a.attrelid
          JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
         WHERE a.attcollation <> 0 AND NOT a.attisdropped
           AND tn.nspname !~ '^pg_' AND tn.nspname <> 'information_schema'
         GROUP BY a.attcollation) used ON used.attcollation = l.oid
 CROSS JOIN LATERAL (
       SELECT EXISTS (SELECT FROM pg_catalog.pg_partitioned_table p WHERE l.oid = ANY (p.partcollation::oid[])) AS divides) d
 CROSS JOIN LATERAL (
       SELECT string_agg(format('REINDEX INDEX %s%I.%I;', CASE WHEN x.indisexclusion THEN '' ELSE 'CONCURRENTLY ' END,
                                xn.nspname, c.relname), ' ' ORDER BY xn.nspname, c.relname) AS what
         FROM pg_catalog.pg_index x
         JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid AND c.relkind = 'i' AND c.relpersistence <> 't'
         JOIN pg_catalog.pg_namespace xn ON xn.oid = c.relnamespace
        WHERE xn.nspname !~ '^pg_' AND xn.nspname <> 'information_schema'
          AND (l.oid = ANY (x.indcollation::oid[])
               OR EXISTS (SELECT FROM pg_catalog.pg_depend e
                           WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid
                             AND e.refclassid = 'pg_catalog.pg_collation'::regclass AND e.refobjid = l.oid))) rebuilt
 WHERE l.collversion <> pg_catalog.pg_collation_actual_version(l.oid)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_collation'::regclass AND d.objid = l.oid AND d.deptype = 'e')
 ORDER BY 2

-- Collations of this database's columns and indexes, pg_catalog's included, that the system now sorts
-- differently from when they were made.
SELECT 'error',
       format('%I.%I', n.nspname, l.collname),
       format('the collation was made with version %s, the system has %s: text indexes that use it may miss rows or hold duplicates (%s column%s, the first is %s)',
              l.collversion, pg_catalog.pg_collation_actual_version(l.oid), used.count,
              CASE WHEN used.count = 1 THEN '' ELSE 's' END, used.first),
       format('REINDEX DATABASE %I; ALTER COLLATION %I.%I REFRESH VERSION;',
              pg_catalog.current_database(), n.nspname, l.collname)
  FROM pg_catalog.pg_collation l
  JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
  JOIN (SELECT a.attcollation, count(*), min(format('%I.%I.%I', tn.nspname, t.relname, a.attname)) AS first
          FROM pg_catalog.pg_attribute a
          JOIN pg_catalog.pg_class t ON t.oid = a.attrelid
          JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
         WHERE a.attcollation <> 0 AND NOT a.attisdropped
           AND tn.nspname !~ '^pg_' AND tn.nspname <> 'information_schema'
         GROUP BY a.attcollation) used ON used.attcollation = l.oid
 WHERE l.collversion <> pg_catalog.pg_collation_actual_version(l.oid)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_collation'::regclass AND d.objid = l.oid AND d.deptype = 'e')
 ORDER BY 2

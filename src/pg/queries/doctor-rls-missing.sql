-- Tables without row-level security in schemas where other tables have it. Partitions are reached through
-- their parent. Switched on without a policy it hides all rows, so that there is no SQL to be run as it is.
WITH tables AS (
       SELECT c.oid, n.oid AS schema, n.nspname, c.relname, c.relrowsecurity
         FROM pg_catalog.pg_class c
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
          AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                           WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
                             AND d.deptype = 'e'))
SELECT 'warning',
       format('%I.%I', t.nspname, t.relname),
       format('has no row-level security, which %s other table%s of the schema %s', others.count,
              CASE WHEN others.count = 1 THEN '' ELSE 's' END,
              CASE WHEN others.count = 1 THEN 'has' ELSE 'have' END),
       NULL,
       format('Write its policies first (CREATE POLICY ... ON %s ...), then ALTER TABLE %s ENABLE ROW LEVEL SECURITY; '
              'without a policy nobody but the owner and roles that pass by row-level security sees a row.',
              named, named)
  FROM tables t
  JOIN (SELECT schema, count(*) FROM tables WHERE relrowsecurity GROUP BY schema) others USING (schema)
 CROSS JOIN LATERAL format('%I.%I', t.nspname, t.relname) named
 WHERE NOT t.relrowsecurity
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = t.oid)
 ORDER BY t.nspname, t.relname

-- Ends the sessions of database $1 but for process $2 and says how many there were, and the next
-- transaction's number. Autovacuum does no harm.
SELECT pg_catalog.count(*),
       pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()),
       pg_catalog.count(*) FILTER (WHERE pg_catalog.pg_terminate_backend(a.pid))
  FROM pg_catalog.pg_stat_get_activity(NULL) a
  JOIN pg_catalog.pg_database d ON d.oid = a.datid
 WHERE d.datname = $1
   AND a.pid <> $2::pg_catalog.int4
   AND coalesce(a.backend_type, CASE WHEN a.usesysid IS NULL THEN 'autovacuum worker' END, '')
         <> 'autovacuum worker'

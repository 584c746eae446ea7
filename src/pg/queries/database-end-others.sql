-- Ends the sessions of database $1 but for process $2 and says how many there were, the next
-- transaction's number, and whether process $2 is one of that database. Autovacuum does no harm.
SELECT pg_catalog.count(*) FILTER (WHERE a.pid <> $2::pg_catalog.int4),
       pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()),
       pg_catalog.count(*) FILTER (
         WHERE CASE WHEN a.pid <> $2::pg_catalog.int4
                    THEN pg_catalog.pg_terminate_backend(a.pid) END),
       pg_catalog.count(*) FILTER (WHERE a.pid = $2::pg_catalog.int4)
  FROM pg_catalog.pg_stat_get_activity(NULL) a
  JOIN pg_catalog.pg_database d ON d.oid = a.datid
 WHERE d.datname = $1
   AND coalesce(a.backend_type, CASE WHEN a.usesysid IS NULL THEN 'autovacuum worker' END, '')
         <> 'autovacuum worker'

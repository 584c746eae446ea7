-- Sessions that keep database $1 from being dropped. Autovacuum workers are left out: DROP DATABASE
-- ends them by itself. Of other
-- roles' sessions a role without pg_read_all_stats sees neither state nor backend_type.
SELECT a.pid,
       a.usename,
       coalesce(a.client_addr::text, 'local'),
       a.application_name,
       coalesce(a.state, a.backend_type, 'state hidden')
  FROM pg_catalog.pg_stat_activity a
 WHERE a.datname = $1
   AND a.pid <> pg_catalog.pg_backend_pid()
   AND coalesce(a.backend_type, '') <> 'autovacuum worker'
 ORDER BY a.backend_start, a.pid

-- Sessions that keep database $1 from being dropped. Autovacuum workers are left out: DROP DATABASE
-- ends them by itself.
SELECT a.pid,
       a.usename,
       coalesce(a.client_addr::text, 'local'),
       a.application_name,
       coalesce(a.state, a.backend_type)
  FROM pg_catalog.pg_stat_activity a
 WHERE a.datname = $1
   AND a.pid <> pg_catalog.pg_backend_pid()
   AND a.backend_type <> 'autovacuum worker'
 ORDER BY a.backend_start, a.pid

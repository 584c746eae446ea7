-- The session $1, for a message before it is cancelled or ended.
SELECT a.usename,
       a.datname,
       a.application_name,
       a.pid = pg_catalog.pg_backend_pid(),
       coalesce(a.usename = 'rdsadmin', false),
       a.backend_type = 'client backend'
  FROM pg_catalog.pg_stat_activity a
 WHERE a.pid = $1::integer

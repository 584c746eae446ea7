-- The session $1, for a message before it is cancelled or ended.
SELECT a.usename,
       a.datname,
       a.application_name,
       a.pid = pg_catalog.pg_backend_pid(),
       coalesce(a.usename = 'rdsadmin', false),
       coalesce(a.backend_type = 'client backend', a.datid IS NOT NULL)
  FROM pg_catalog.pg_stat_activity a
 WHERE a.pid = $1::integer

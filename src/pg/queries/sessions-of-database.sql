-- Client sessions of database $1 that may be ended: never our own, never Amazon's.
SELECT a.pid
  FROM pg_catalog.pg_stat_activity a
 WHERE a.datname = $1
   AND a.pid <> pg_catalog.pg_backend_pid()
   AND coalesce(a.backend_type, 'client backend') = 'client backend'
   AND a.usename IS DISTINCT FROM 'rdsadmin'
 ORDER BY a.backend_start, a.pid

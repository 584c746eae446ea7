-- Ends the other sessions of the connected database and says how many there were. Run on connections
-- whose search_path is the user's, so everything is qualified. Autovacuum does no harm.
SELECT pg_catalog.count(*),
       pg_catalog.count(*) FILTER (WHERE pg_catalog.pg_terminate_backend(a.pid))
  FROM pg_catalog.pg_stat_activity a
 WHERE a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
   AND a.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
   AND coalesce(a.backend_type,
         CASE WHEN a.usesysid IS NULL THEN 'autovacuum worker' END, '')
         OPERATOR(pg_catalog.<>) 'autovacuum worker'

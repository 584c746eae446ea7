-- Who is connected to database $1: the $2 largest groups of sessions that look alike, each with the
-- number of sessions in it and in all. The server's own processes have no role. Of other roles'
-- sessions a role without pg_read_all_stats sees neither client nor backend_type.
SELECT pg_catalog.sum(pg_catalog.count(*)) OVER (),
       pg_catalog.count(*),
       a.usename,
       nullif(a.application_name, ''),
       CASE WHEN a.client_addr IS NOT NULL THEN pg_catalog.host(a.client_addr)
            WHEN a.backend_type IS NOT NULL THEN 'local' END AS client
  FROM pg_catalog.pg_stat_activity a
 WHERE a.datname = $1
   AND a.pid <> pg_catalog.pg_backend_pid()
   AND a.usesysid IS NOT NULL
   AND a.backend_type IS DISTINCT FROM 'parallel worker'
 GROUP BY 3, 4, 5
 ORDER BY 2 DESC, 3, 4, 5
 LIMIT $2::integer

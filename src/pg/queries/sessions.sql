-- One row per session, our own left out; with $1 also the server's idle background processes. Of
-- other roles' sessions a role without pg_read_all_stats sees neither state nor times nor
-- backend_type.
SELECT a.pid,
       a.usename,
       a.datname,
       CASE WHEN a.client_addr IS NOT NULL THEN pg_catalog.host(a.client_addr)
            WHEN a.backend_type = 'client backend' THEN 'local' END,
       CASE WHEN a.application_name <> '' THEN a.application_name
            WHEN a.backend_type <> 'client backend' THEN a.backend_type END,
       a.state,
       CASE WHEN t.since IS NOT NULL THEN
         greatest(extract(epoch FROM pg_catalog.clock_timestamp() - t.since), 0)::numeric(18, 3) END,
       a.wait_event_type || ': ' || a.wait_event,
       nullif(pg_catalog.array_to_string(pg_catalog.pg_blocking_pids(a.pid), ','), ''),
       a.query,
       a.backend_type
  FROM pg_catalog.pg_stat_activity a,
       LATERAL (SELECT coalesce(CASE WHEN a.state = 'active' THEN a.query_start
                                     ELSE a.state_change END, a.backend_start)) t (since)
 WHERE a.pid <> pg_catalog.pg_backend_pid()
   AND ($1::boolean OR a.backend_type = 'client backend' OR a.state IS NOT NULL
        OR (a.backend_type IS NULL AND a.datid IS NOT NULL))
 ORDER BY a.datname NULLS LAST, a.backend_start, a.pid

-- Who holds the lock that process $1 waits for: one row for each process in its way (0: a prepared
-- transaction), and the relation that is waited for, when it is one.
SELECT b.pid,
       a.usename,
       nullif(a.application_name, ''),
       a.state,
       extract(epoch FROM pg_catalog.clock_timestamp() - a.state_change)::pg_catalog.int8,
       (SELECT l.relation::pg_catalog.regclass::pg_catalog.text
          FROM pg_catalog.pg_locks l
         WHERE l.pid = $1::pg_catalog.int4 AND NOT l.granted AND l.relation IS NOT NULL
         LIMIT 1)
  FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1::pg_catalog.int4)) AS b (pid)
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid
 ORDER BY b.pid

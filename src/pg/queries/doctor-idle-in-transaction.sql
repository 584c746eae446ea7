-- Sessions that have sat in an open transaction for more than $1 seconds, with nothing running. $2: the
-- target.
SELECT 'warning',
       format('pid %s', a.pid),
       format('%I has sat in a transaction in %I for %s min with nothing running: its locks stay (%s)',
              a.usename, a.datname,
              (extract(epoch FROM pg_catalog.clock_timestamp() - a.state_change) / 60)::bigint,
              coalesce(nullif(a.application_name, ''), 'no application named')),
       NULL,
       format('If it is not needed any more: db-sessions %s --kill %s', $2::text, a.pid)
  FROM pg_catalog.pg_stat_activity a
 WHERE a.state LIKE 'idle in transaction%'
   AND a.state_change < pg_catalog.clock_timestamp() - $1::float8 * interval '1 second'
UNION ALL
SELECT 'unseen', NULL,
       format('of %s other session%s the role sees neither state nor age: GRANT pg_read_all_stats', count(*),
              CASE WHEN count(*) > 1 THEN 's' ELSE '' END), NULL, NULL
  FROM pg_catalog.pg_stat_activity a
 WHERE a.backend_type IS NULL AND a.datid IS NOT NULL HAVING count(*) > 0
 ORDER BY 2

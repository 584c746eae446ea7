-- Transactions open for more than $1 seconds, in any database of the server, and what they keep: VACUUM
-- removes nothing that is younger than they are. $2: the target.
SELECT 'warning',
       format('pid %s', a.pid),
       format('a transaction of %I in %I is open for %s min (%s)', a.usename, a.datname,
              (extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start) / 60)::bigint,
              coalesce(nullif(a.application_name, ''), 'no application named')),
       NULL,
       format('If it is not needed any more: db-sessions %s --kill %s', $2::text, a.pid)
  FROM pg_catalog.pg_stat_activity a
 WHERE a.xact_start < pg_catalog.clock_timestamp() - $1::float8 * interval '1 second'
   AND a.backend_type = 'client backend' AND a.state IS DISTINCT FROM 'idle in transaction'
   AND a.state IS DISTINCT FROM 'idle in transaction (aborted)'
   AND a.pid <> pg_catalog.pg_backend_pid()
UNION ALL
SELECT 'unseen', NULL,
       format('of %s other session%s the role sees neither state nor age: GRANT pg_read_all_stats', count(*),
              CASE WHEN count(*) > 1 THEN 's' ELSE '' END), NULL, NULL
  FROM pg_catalog.pg_stat_activity a
 WHERE a.backend_type IS NULL AND a.datid IS NOT NULL HAVING count(*) > 0
 ORDER BY 2

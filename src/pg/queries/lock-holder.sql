-- Who holds the advisory lock $1 (its halves as pg_locks shows them).
SELECT a.pid, a.usename, a.application_name, coalesce(a.client_addr::text, 'local')
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
   AND ((l.classid::bigint << 32) | l.objid::bigint) = $1::bigint

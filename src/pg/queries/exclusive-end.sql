-- Ends the sessions of the databases $1 (oids), unless there is one that our role may not end, and
-- says how many there were: all, those that had begun by the time $2 (null: all), those that may not
-- be ended; and what time it is. With $3 only while process $3 is still at its statement: what
-- connects afterwards stays.
SELECT pg_catalog.count(*),
       pg_catalog.count(*) FILTER (WHERE e.begun),
       pg_catalog.count(*) FILTER (WHERE NOT e.may_end),
       pg_catalog.clock_timestamp(),
       pg_catalog.count(*) FILTER (
         WHERE CASE WHEN e.fixed = 0 THEN pg_catalog.pg_terminate_backend(e.pid) END)
  FROM (SELECT s.*,
               pg_catalog.count(*) FILTER (WHERE NOT s.may_end) OVER () AS fixed
          FROM (SELECT a.pid,
                       coalesce(a.backend_start <= $2::pg_catalog.timestamptz, true) AS begun,
                       r.rolsuper OR (a.usesysid IS NOT NULL AND NOT coalesce(t.rolsuper, false)
                         AND (pg_catalog.pg_has_role(a.usesysid, 'USAGE')
                              OR pg_catalog.pg_has_role('pg_signal_backend', 'USAGE'))) AS may_end
                  FROM pg_catalog.pg_stat_get_activity(NULL) a
                  JOIN pg_catalog.pg_roles r ON r.rolname = current_user
                  LEFT JOIN pg_catalog.pg_roles t ON t.oid = a.usesysid
                 WHERE a.datid = ANY ($1::pg_catalog.oid[])
                   AND a.pid <> pg_catalog.pg_backend_pid()
                   AND coalesce(a.backend_type,
                         CASE WHEN a.usesysid IS NULL THEN 'autovacuum worker' END, '')
                         <> 'autovacuum worker'
                   AND ($3::pg_catalog.int4 IS NULL
                        OR EXISTS (SELECT
                                     FROM pg_catalog.pg_stat_get_activity(NULL) m
                                    WHERE m.pid = $3::pg_catalog.int4 AND m.state = 'active'))) s) e

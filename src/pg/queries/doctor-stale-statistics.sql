-- Tables that the planner knows nothing of, or too little: never analyzed with $1 rows or more, or more than
-- $2 per cent of their rows changed since ($1 at least). What was just loaded is autovacuum's to analyze,
-- where that is on. A standby does not count changes.
SELECT CASE WHEN never AND NOT comes THEN 'warning' ELSE 'info' END,
       format('%I.%I', s.schemaname, s.relname),
       CASE WHEN never
            THEN format('has some %s rows and was never analyzed: the planner guesses%s', s.n_live_tup,
                        CASE WHEN comes THEN ' until autovacuum does that' END)
            ELSE format('%s of its some %s rows changed since it was analyzed%s', s.n_mod_since_analyze,
                        s.n_live_tup,
                        CASE WHEN coalesce(s.last_analyze, s.last_autoanalyze) IS NULL THEN ''
                             ELSE ' on ' || greatest(s.last_analyze, s.last_autoanalyze)::date END) END,
       format('ANALYZE %I.%I;', s.schemaname, s.relname)
  FROM pg_catalog.pg_stat_user_tables s
  JOIN pg_catalog.pg_class c ON c.oid = s.relid
 CROSS JOIN LATERAL (
       SELECT (c.reltuples < 0 OR (c.reltuples = 0 AND c.relpages = 0))
              AND s.last_analyze IS NULL AND s.last_autoanalyze IS NULL AS never,
              pg_catalog.current_setting('autovacuum')::boolean
              AND coalesce((SELECT o.option_value::boolean FROM pg_catalog.pg_options_to_table(c.reloptions) o
                             WHERE o.option_name = 'autovacuum_enabled'), true) AS comes) n
 WHERE NOT pg_catalog.pg_is_in_recovery() AND c.relkind = 'r' AND c.relpersistence <> 't'
   AND ((never AND s.n_live_tup >= $1::bigint)
        OR (NOT never AND s.n_mod_since_analyze >= $1::bigint
            AND 100.0 * s.n_mod_since_analyze > $2::numeric * greatest(s.n_live_tup, c.reltuples::bigint)))
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
UNION ALL
SELECT 'unseen', NULL, 'a standby does not count what changed since a table was analyzed', NULL
 WHERE pg_catalog.pg_is_in_recovery()
 ORDER BY 2

-- What no ending of sessions clears in database $1, each with the command that does. With $2 only what
-- keeps it from being renamed or copied, not what keeps it from being dropped.
SELECT 'prepared transaction ' || pg_catalog.quote_literal(x.gid) || ' of ' || x.owner,
       'ROLLBACK PREPARED ' || pg_catalog.quote_literal(x.gid)
  FROM pg_catalog.pg_prepared_xacts x
 WHERE x.database = $1
UNION ALL
SELECT 'active replication slot "' || s.slot_name || '" (process ' || s.active_pid || ')',
       'SELECT pg_terminate_backend(' || s.active_pid || ')'
  FROM pg_catalog.pg_replication_slots s
 WHERE s.database = $1 AND s.active AND NOT $2::boolean
UNION ALL
SELECT 'subscription "' || b.subname || '"',
       'DROP SUBSCRIPTION ' || pg_catalog.quote_ident(b.subname) || ' (in that database)'
  FROM pg_catalog.pg_subscription b
  JOIN pg_catalog.pg_database d ON d.oid = b.subdbid
 WHERE d.datname = $1 AND NOT $2::boolean

-- Replication slots that nobody reads from: the server keeps all WAL since, until its disk is full.
SELECT 'warning',
       pg_catalog.quote_ident(s.slot_name),
       format('is a replication slot that nobody reads from: %s of WAL are kept for it',
              pg_catalog.pg_size_pretty(pg_catalog.pg_wal_lsn_diff(
                CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
                     ELSE pg_catalog.pg_current_wal_lsn() END, s.restart_lsn))),
       format('SELECT pg_drop_replication_slot(%L);', s.slot_name)
  FROM pg_catalog.pg_replication_slots s
 WHERE NOT s.active AND NOT s.temporary AND s.restart_lsn IS NOT NULL
 ORDER BY s.slot_name

-- Replication slots that nobody reads from, for which the server keeps $1 bytes of WAL or more, or half of what
-- max_slot_wal_keep_size allows, or more than max_wal_size; and those that it has given up. What reads from a
-- slot may only be restarting, so that no SQL is to be run as it is.
SELECT 'warning',
       pg_catalog.quote_ident(s.slot_name),
       CASE WHEN s.wal_status = 'lost'
            THEN 'is a replication slot whose WAL is gone: what reads from it has to be set up anew'
            ELSE format('is a replication slot that nobody reads from: %s of WAL are kept for it',
                        pg_catalog.pg_size_pretty(kept)) END,
       NULL,
       format('If its standby or subscriber is gone for good: SELECT pg_drop_replication_slot(%L);', s.slot_name)
  FROM pg_catalog.pg_replication_slots s
 CROSS JOIN LATERAL (
       SELECT pg_catalog.pg_wal_lsn_diff(
                CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
                     ELSE pg_catalog.pg_current_wal_lsn() END, s.restart_lsn) AS kept,
              (SELECT pg_catalog.pg_size_bytes(nullif(pg_catalog.current_setting('max_slot_wal_keep_size'), '-1'))
              ) / 2 AS half) w
 WHERE NOT s.active AND NOT s.temporary
   AND (s.wal_status = 'lost'
        OR (s.restart_lsn IS NOT NULL AND (s.wal_status <> 'reserved' OR kept >= least($1::numeric, half))))
 ORDER BY s.slot_name

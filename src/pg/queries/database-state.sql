-- What must be known of database $1, and of the caller, before it is created or dropped.
SELECT d.oid IS NOT NULL AS found,
       coalesce(d.datistemplate, false) AS is_template,
       coalesce(d.datconnlimit = -2, false) AS invalid,
       pg_catalog.pg_is_in_recovery() AS in_recovery,
       coalesce(r.rolsuper OR pg_catalog.pg_has_role(d.datdba, 'USAGE'), true) AS is_owner,
       EXISTS (SELECT FROM pg_catalog.pg_prepared_xact() x WHERE x.dbid = d.oid)
         OR EXISTS (SELECT FROM pg_catalog.pg_get_replication_slots() s
                     WHERE s.datoid = d.oid AND s.active)
         OR EXISTS (SELECT FROM pg_catalog.pg_subscription b WHERE b.subdbid = d.oid) AS obstructed,
       EXISTS (SELECT FROM pg_catalog.pg_stat_get_activity(NULL) a
                WHERE a.datid = d.oid AND a.pid <> pg_catalog.pg_backend_pid()) AS connected,
       pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) AS next_xid,
       pg_catalog.to_char(pg_catalog.pg_postmaster_start_time() AT TIME ZONE 'UTC',
                          'YYYYMMDDHH24MISSUS') AS started,
       pg_catalog.pg_backend_pid() AS process
  FROM pg_catalog.pg_roles r
  LEFT JOIN pg_catalog.pg_database d ON d.datname = $1
 WHERE r.rolname = current_user

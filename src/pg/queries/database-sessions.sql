-- Sessions that keep database $1 from being dropped, renamed or copied, and whether our role may end
-- them. Autovacuum workers are left out: the server ends them by itself. Of other roles' sessions a
-- role without pg_read_all_stats sees neither state nor backend_type; those workers have no role.
SELECT a.pid,
       a.usename,
       coalesce(a.client_addr::text, 'local'),
       a.application_name,
       coalesce(a.state, a.backend_type, 'state hidden'),
       r.rolsuper OR (a.usesysid IS NOT NULL AND NOT coalesce(t.rolsuper, false)
         AND (pg_catalog.pg_has_role(a.usesysid, 'USAGE')
              OR pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')))
  FROM pg_catalog.pg_stat_activity a
  JOIN pg_catalog.pg_roles r ON r.rolname = current_user
  LEFT JOIN pg_catalog.pg_roles t ON t.oid = a.usesysid
 WHERE a.datname = $1
   AND a.pid <> pg_catalog.pg_backend_pid()
   AND coalesce(a.backend_type, CASE WHEN a.usesysid IS NULL THEN 'autovacuum worker' END, '')
         <> 'autovacuum worker'
 ORDER BY a.backend_start, a.pid

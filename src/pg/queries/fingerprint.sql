-- Everything on the server that goes into the outcome of a load, a row for each thing; with $1 the
-- versions of extensions too. The functions behind the views are asked where there are any: a new
-- session takes longer to read a view's definition than to run it.
--
-- Settings: those that somebody has set, but for categories that only concern the server's work, not
-- what a statement yields (whose names are translated where lc_messages says so: more is kept then),
-- and for what concerns a connection alone. The few that are set are looked for first: the pattern
-- is what takes time. search_path and client_encoding are pinned for our own queries; what others get
-- is their reset_val.
--
-- template1: what is in it cannot be seen from here, but how often it was written to. A crash sets
-- that back to nothing, which the time of the background writer's last reset tells.
SELECT f.kind, f.what
  FROM (
    SELECT 'server' AS kind, pg_catalog.concat_ws(' ', pg_catalog.version(), current_user,
             session_user, pg_catalog.pg_stat_get_bgwriter_stat_reset_time()) AS what
    UNION ALL
    SELECT 'setting', pg_catalog.concat_ws(' ', s.name,
             CASE WHEN s.name IN ('search_path', 'client_encoding') THEN s.reset_val
                  ELSE s.setting END)
      FROM pg_catalog.pg_show_all_settings() s
     WHERE CASE WHEN s.name IN ('search_path', 'client_encoding') THEN true
                WHEN s.source NOT IN ('default', 'override', 'session')
                 AND s.name NOT IN ('application_name', 'client_connection_check_interval')
                THEN s.category !~ ('^(Autovacuum|Vacuuming|Connections and Authentication'
                  || ' / (Connection Settings|SSL|TCP Settings)|Error Handling|File Locations'
                  || '|Lock Management|Process Title|Replication|Reporting and Logging'
                  || '|Resource Usage|Statistics|Write-Ahead Log)( /|$)') END
    UNION ALL
    SELECT 'role', r::pg_catalog.text
      FROM pg_catalog.pg_roles r
    UNION ALL
    SELECT 'member', (pg_catalog.to_jsonb(m) - 'oid')::pg_catalog.text
      FROM pg_catalog.pg_auth_members m
    UNION ALL
    SELECT 'role setting', pg_catalog.concat_ws(' ', s.setrole, s.setconfig)
      FROM pg_catalog.pg_db_role_setting s
     WHERE s.setdatabase = 0
    UNION ALL
    SELECT 'template1', pg_catalog.concat_ws(' ', pg_catalog.to_jsonb(d)
               - ARRAY['datfrozenxid', 'datminmxid', 'datlastsysoid'],
             pg_catalog.pg_stat_get_db_tuples_inserted(d.oid)
               + pg_catalog.pg_stat_get_db_tuples_updated(d.oid)
               + pg_catalog.pg_stat_get_db_tuples_deleted(d.oid),
             pg_catalog.pg_stat_get_db_stat_reset_time(d.oid))
      FROM pg_catalog.pg_database d
     WHERE d.datname = 'template1'
    UNION ALL
    SELECT 'tablespace', pg_catalog.concat_ws(' ', p.oid, p.spcname, p.spcoptions)
      FROM pg_catalog.pg_tablespace p
    UNION ALL
    SELECT 'extension', pg_catalog.concat_ws(' ', e.name, e.version)
      FROM pg_catalog.pg_available_extension_versions() e
     WHERE $1::boolean) f
 ORDER BY f.kind COLLATE "C", f.what COLLATE "C"

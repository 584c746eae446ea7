-- Everything on the server that goes into the outcome of a load, a row for each thing; with $1 the
-- versions of extensions too.
--
-- Settings: those that somebody has set, but for categories that only concern the server's work, not
-- what a statement yields (whose names are translated where lc_messages says so: more is kept then),
-- and for what concerns a connection alone. The few that are set are looked for first: the pattern
-- is what takes time.
--
-- search_path: ours is pinned, which hides what other sessions get. Superusers can read it in the
-- files, which ts_stat makes possible without others being refused the whole query. Files that were
-- changed after they were read may say something else than the server does.
--
-- template1: what is in it cannot be seen from here, but how often it was written to. A crash sets
-- that back to nothing, which the time of pg_stat_bgwriter's last reset tells.
SELECT f.kind, f.what
  FROM (
    SELECT 'server' AS kind, pg_catalog.concat_ws(' ', pg_catalog.version(), current_user,
             session_user) AS what
    UNION ALL
    SELECT 'setting', pg_catalog.concat_ws(' ', s.name, s.setting)
      FROM pg_catalog.pg_settings s
     WHERE CASE WHEN s.source NOT IN ('default', 'override', 'session')
                 AND s.name NOT IN ('application_name', 'client_connection_check_interval',
                   'search_path')
                THEN s.category !~ ('^(Autovacuum|Vacuuming|Connections and Authentication'
                  || ' / (Connection Settings|SSL|TCP Settings)|Error Handling|File Locations'
                  || '|Lock Management|Process Title|Replication|Reporting and Logging'
                  || '|Resource Usage|Statistics|Write-Ahead Log)( /|$)') END
    UNION ALL
    SELECT 'search_path', t.word
      FROM pg_catalog.ts_stat(
             CASE WHEN pg_catalog.current_setting('is_superuser') = 'on'
             THEN $x$
               SELECT pg_catalog.array_to_tsvector(ARRAY['files ' || pg_catalog.md5(
                        pg_catalog.string_agg(f.setting, ' ' ORDER BY f.seqno))])
                 FROM pg_catalog.pg_file_settings f
                WHERE f.name = 'search_path'
               HAVING pg_catalog.count(*) > 0
               UNION ALL
               SELECT pg_catalog.array_to_tsvector(ARRAY[s.modification::pg_catalog.text])
                 FROM pg_catalog.unnest(ARRAY[pg_catalog.current_setting('config_file'),
                        'postgresql.auto.conf']) n (name)
                CROSS JOIN LATERAL pg_catalog.pg_stat_file(n.name, true) s
                WHERE s.modification > pg_catalog.pg_conf_load_time() $x$
             ELSE 'SELECT NULL::pg_catalog.tsvector' END) t
    UNION ALL
    SELECT 'role', (pg_catalog.to_jsonb(r) - 'rolpassword')::pg_catalog.text
      FROM pg_catalog.pg_roles r
    UNION ALL
    SELECT 'member', (pg_catalog.to_jsonb(m) - 'oid')::pg_catalog.text
      FROM pg_catalog.pg_auth_members m
    UNION ALL
    SELECT 'role setting', pg_catalog.concat_ws(' ', s.setrole, s.setconfig)
      FROM pg_catalog.pg_db_role_setting s
     WHERE s.setdatabase = 0
    UNION ALL
    SELECT 'template1', (pg_catalog.to_jsonb(d) - 'datfrozenxid' - 'datminmxid' - 'datlastsysoid'
             )::pg_catalog.text
      FROM pg_catalog.pg_database d
     WHERE d.datname = 'template1'
    UNION ALL
    SELECT 'template1', pg_catalog.concat_ws(' ', t.tup_inserted + t.tup_updated + t.tup_deleted,
             t.stats_reset)
      FROM pg_catalog.pg_stat_database t
     WHERE t.datname = 'template1'
    UNION ALL
    SELECT 'statistics', b.stats_reset::pg_catalog.text
      FROM pg_catalog.pg_stat_bgwriter b
    UNION ALL
    SELECT 'tablespace', pg_catalog.concat_ws(' ', p.oid, p.spcname, p.spcoptions)
      FROM pg_catalog.pg_tablespace p
    UNION ALL
    SELECT 'extension', pg_catalog.concat_ws(' ', e.name, e.version)
      FROM pg_catalog.pg_available_extension_versions e
     WHERE $1::boolean) f
 ORDER BY f.kind COLLATE "C", f.what COLLATE "C"

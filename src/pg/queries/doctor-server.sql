-- How the server is set, for this session.
SELECT pg_catalog.current_setting('server_version'),
       pg_catalog.pg_is_in_recovery(),
       pg_catalog.current_setting('default_transaction_read_only'),
       (SELECT count(*) FROM pg_catalog.pg_stat_activity a
         WHERE a.backend_type = 'client backend' OR (a.backend_type IS NULL AND a.datid IS NOT NULL)),
       pg_catalog.current_setting('max_connections'),
       pg_catalog.current_setting('ssl'),
       pg_catalog.current_setting('TimeZone'),
       pg_catalog.pg_encoding_to_char(d.encoding),
       d.datcollate,
       r.rolconnlimit,
       d.datconnlimit,
       pg_catalog.current_setting('statement_timeout'),
       pg_catalog.current_setting('lock_timeout'),
       pg_catalog.current_setting('idle_in_transaction_session_timeout'),
       coalesce(pg_catalog.current_setting('idle_session_timeout', true), '0'),
       coalesce(pg_catalog.current_setting('transaction_timeout', true), '0'),
       pg_catalog.current_setting('superuser_reserved_connections')
  FROM pg_catalog.pg_database d, pg_catalog.pg_roles r
 WHERE d.datname = pg_catalog.current_database() AND r.rolname = CURRENT_USER

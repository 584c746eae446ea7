-- Whether transactions of this session are read-only unless they say otherwise, who set that, who
-- set statement_timeout, and the session's process.
SELECT pg_catalog.current_setting('default_transaction_read_only'),
       (SELECT s.source FROM pg_catalog.pg_settings s
         WHERE s.name OPERATOR(pg_catalog.=) 'default_transaction_read_only'),
       (SELECT s.source FROM pg_catalog.pg_settings s
         WHERE s.name OPERATOR(pg_catalog.=) 'statement_timeout'),
       pg_catalog.pg_backend_pid()

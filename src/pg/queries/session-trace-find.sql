-- What session-trace-leave.sql has left in this session (NULL or empty: nothing), and its process.
SELECT pg_catalog.current_setting('dbrig.trace', true), pg_catalog.pg_backend_pid()

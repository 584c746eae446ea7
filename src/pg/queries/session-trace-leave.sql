-- Leaves a trace in the session, which means nothing to the server.
SELECT pg_catalog.set_config('dbrig.trace', $1, false), pg_catalog.pg_backend_pid()

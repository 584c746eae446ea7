-- Servers from 16 on: how the session was let in, and as whom: "scram-sha-256:app"; NULL by trust.
SELECT pg_catalog.system_user()

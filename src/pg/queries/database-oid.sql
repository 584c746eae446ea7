-- The oid of database $1; 0: there is none.
SELECT coalesce((SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = $1), 0)

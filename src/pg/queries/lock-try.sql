-- Only one reset of a database at a time: $1 is the key.
SELECT pg_catalog.pg_try_advisory_lock($1::bigint)

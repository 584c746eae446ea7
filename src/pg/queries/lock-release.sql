-- Gives the advisory lock $1 back; false (and a warning) when it was not held.
SELECT pg_catalog.pg_advisory_unlock($1::bigint)

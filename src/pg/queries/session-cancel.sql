-- true when the request was sent.
SELECT pg_catalog.pg_cancel_backend($1::integer)

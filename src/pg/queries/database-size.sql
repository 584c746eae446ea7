-- Bytes of database $1 on disk; 0: there is none.
SELECT coalesce((SELECT pg_catalog.pg_database_size(d.oid)
                   FROM pg_catalog.pg_database d
                  WHERE d.datname = $1), 0)

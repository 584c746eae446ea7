-- The oid of database $1; 0: there is none. Run also on connections whose search_path is the user's.
SELECT coalesce((SELECT d.oid
                   FROM pg_catalog.pg_database d
                  WHERE d.datname OPERATOR(pg_catalog.=) $1::pg_catalog.name),
                0::pg_catalog.oid)

-- Whether the server has a role called $1. Run also on connections whose search_path is the user's.
SELECT EXISTS (
         SELECT
           FROM pg_catalog.pg_roles r
          WHERE r.rolname OPERATOR(pg_catalog.=) $1::pg_catalog.name)

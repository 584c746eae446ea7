-- The oid and the comment of database $1, or with NULL of the connected one; no row: there is none.
-- Run also on connections whose search_path is the user's, so everything is qualified.
SELECT d.oid, pg_catalog.shobj_description(d.oid, 'pg_database')
  FROM pg_catalog.pg_database d
 WHERE d.datname OPERATOR(pg_catalog.=) coalesce($1::pg_catalog.name, pg_catalog.current_database())

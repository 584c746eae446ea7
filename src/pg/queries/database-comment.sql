-- The comment of the connected database. Run on connections whose search_path is the user's, so
-- everything is qualified.
SELECT pg_catalog.shobj_description(d.oid, 'pg_database')
  FROM pg_catalog.pg_database d
 WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()

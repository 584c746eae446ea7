-- The names of all databases on the server, and their comments.
SELECT d.datname,
       pg_catalog.shobj_description(d.oid, 'pg_database')
  FROM pg_catalog.pg_database d
 ORDER BY d.datname

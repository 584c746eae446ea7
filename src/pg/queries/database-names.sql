-- The names of all databases on the server.
SELECT d.datname
  FROM pg_catalog.pg_database d
 ORDER BY d.datname

-- Servers from 15 on: the same for the database's own collation.
SELECT 'error',
       pg_catalog.quote_ident(d.datname),
       format('the database was made with collation version %s, the system has %s: text indexes may miss rows or hold duplicates',
              d.datcollversion, pg_catalog.pg_database_collation_actual_version(d.oid)),
       format('REINDEX DATABASE CONCURRENTLY %I; ALTER DATABASE %I REFRESH COLLATION VERSION;', d.datname, d.datname),
       'Each statement by itself, as REINDEX CONCURRENTLY takes no transaction block; it leaves the indexes of '
       'exclusion constraints to REINDEX INDEX, and rows in partitions where they are.'
  FROM pg_catalog.pg_database d
 WHERE d.datname = pg_catalog.current_database()
   AND d.datcollversion <> pg_catalog.pg_database_collation_actual_version(d.oid)

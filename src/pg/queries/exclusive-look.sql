-- Of the databases $1: which they are, whether somebody is connected, whether a prepared transaction
-- is in them.
SELECT d.oid,
       d.datname,
       EXISTS (
         SELECT
           FROM pg_catalog.pg_stat_activity a
          WHERE a.datid = d.oid
            AND a.pid <> pg_catalog.pg_backend_pid()
            AND coalesce(a.backend_type, CASE WHEN a.usesysid IS NULL THEN 'autovacuum worker' END,
                  '') <> 'autovacuum worker'),
       EXISTS (SELECT FROM pg_catalog.pg_prepared_xacts x WHERE x.database = d.datname)
  FROM pg_catalog.pg_database d
 WHERE d.datname = ANY ($1::pg_catalog.name[])
 ORDER BY d.datname

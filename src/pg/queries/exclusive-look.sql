-- Of the databases $1: which they are, whether somebody is connected, whether a prepared transaction
-- is in them.
SELECT d.oid,
       d.datname,
       EXISTS (
         SELECT
           FROM pg_catalog.pg_stat_get_activity(NULL) a
          WHERE a.datid = d.oid
            AND a.pid <> pg_catalog.pg_backend_pid()
            AND coalesce(a.backend_type, CASE WHEN a.usesysid IS NULL THEN 'autovacuum worker' END,
                  '') <> 'autovacuum worker'),
       EXISTS (SELECT FROM pg_catalog.pg_prepared_xact() x WHERE x.dbid = d.oid)
  FROM pg_catalog.pg_database d
 WHERE d.datname = ANY ($1::pg_catalog.name[])

-- The first thing that CREATE DATABASE … TEMPLATE would leave behind in database $1, but for the
-- comment, which stands beside it.
SELECT CASE
         WHEN EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s
                       WHERE s.setdatabase = d.oid AND s.setrole = 0)
         THEN 'a setting made by ALTER DATABASE'
         WHEN EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s WHERE s.setdatabase = d.oid)
         THEN 'a setting made by ALTER ROLE … IN DATABASE'
         WHEN d.datacl <> pg_catalog.acldefault('d', d.datdba)
         THEN 'privileges on the database itself'
         WHEN d.datconnlimit >= 0
         THEN 'a connection limit'
         WHEN EXISTS (SELECT FROM pg_catalog.pg_shseclabel l
                       WHERE l.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass
                         AND l.objoid = d.oid)
         THEN 'a security label'
         WHEN EXISTS (SELECT FROM pg_catalog.pg_subscription b WHERE b.subdbid = d.oid)
         THEN 'a subscription'
         WHEN EXISTS (SELECT FROM pg_catalog.pg_replication_slots r WHERE r.database = d.datname)
         THEN 'a replication slot'
         WHEN EXISTS (SELECT FROM pg_catalog.pg_prepared_xacts x WHERE x.database = d.datname)
         THEN 'a prepared transaction'
       END,
       coalesce(pg_catalog.shobj_description(d.oid, 'pg_database'), '')
  FROM pg_catalog.pg_database d
 WHERE d.datname = $1

-- What CREATE DATABASE ... TEMPLATE would leave behind in database $1, a row each; without any there is
-- one that is null. The comment stands beside it.
SELECT w.what,
       coalesce(pg_catalog.shobj_description(d.oid, 'pg_database'), '')
  FROM pg_catalog.pg_database d
  LEFT JOIN LATERAL (
       VALUES
         (1, 'settings made by ALTER DATABASE',
          EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s
                   WHERE s.setdatabase = d.oid AND s.setrole = 0)),
         (2, 'settings made by ALTER ROLE ... IN DATABASE',
          EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s
                   WHERE s.setdatabase = d.oid AND s.setrole <> 0)),
         (3, 'privileges on the database itself',
          d.datacl <> pg_catalog.acldefault('d', d.datdba)),
         (4, 'a connection limit',
          d.datconnlimit >= 0),
         (5, 'a security label',
          EXISTS (SELECT FROM pg_catalog.pg_shseclabel l
                   WHERE l.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass
                     AND l.objoid = d.oid)),
         (6, 'a subscription',
          EXISTS (SELECT FROM pg_catalog.pg_subscription b WHERE b.subdbid = d.oid)),
         (7, 'a replication slot',
          EXISTS (SELECT FROM pg_catalog.pg_replication_slots r WHERE r.database = d.datname)),
         (8, 'a prepared transaction',
          EXISTS (SELECT FROM pg_catalog.pg_prepared_xacts x WHERE x.database = d.datname))
       ) w (place, what, is_there) ON w.is_there
 WHERE d.datname = $1
 ORDER BY w.place

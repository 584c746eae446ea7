-- What everybody may know of database $1 without being connected to it.
SELECT pg_catalog.pg_get_userbyid(d.datdba),
       d.datconnlimit = -2 AS invalid,
       d.datallowconn,
       pg_catalog.shobj_description(d.oid, 'pg_database')
  FROM pg_catalog.pg_database d
 WHERE d.datname = $1

-- The database $1 and those that may be its siblings: with the text $2 in their comment, or with
-- ".dbrig-" in their name. There is always a row; without any database its name is null.
SELECT d.datname,
       d.description,
       d.oid,
       coalesce(r.rolsuper OR pg_catalog.pg_has_role(d.datdba, 'USAGE'), false) AS is_owner,
       coalesce(d.datconnlimit = -2, false) AS invalid,
       coalesce(d.datallowconn, false) AS allows_connections,
       r.rolsuper OR r.rolcreatedb AS may_create,
       pg_catalog.pg_is_in_recovery() AS in_recovery,
       pg_catalog.pg_get_userbyid(d.datdba) AS owner,
       coalesce(pg_catalog.pg_has_role(d.datdba,
         CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 >= 160000
              THEN 'SET' ELSE 'MEMBER' END), false) AS may_give,
       r.rolname AS role,
       -- Of one that says to be the old one of $1: whoever owns it may drop $1, or $1 was made by a
       -- role that could not give it to the old one's. A superuser is a member of every role.
       coalesce(d.datdba = s.datdba OR pg_catalog.pg_has_role(d.datdba, s.datdba, 'USAGE')
         OR NOT o.rolsuper AND pg_catalog.pg_has_role(s.datdba, d.datdba, 'USAGE'), true) AS fits
  FROM pg_catalog.pg_roles r
  LEFT JOIN (SELECT b.*, c.description
               FROM pg_catalog.pg_database b
               LEFT JOIN pg_catalog.pg_shdescription c
                 ON c.objoid = b.oid AND c.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass
              WHERE b.datname = $1
                 OR pg_catalog.strpos(c.description, $2) > 0
                 OR pg_catalog.strpos(b.datname::pg_catalog.text, '.dbrig-') > 0) d
    ON true
  LEFT JOIN pg_catalog.pg_database s ON s.datname = $1
  LEFT JOIN pg_catalog.pg_roles o ON o.oid = s.datdba
 WHERE r.rolname = current_user
 ORDER BY d.datname

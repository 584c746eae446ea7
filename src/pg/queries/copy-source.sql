-- What decides how database $1 is copied: whether the server flushes files, whether it clones them,
-- the size (with $2, where it matters and may be asked for), its owner unless that is not for us to
-- say, and whether nobody can be connected.
SELECT s.fsync,
       s.clone,
       CASE WHEN $2::boolean AND s.fsync AND NOT s.clone
             AND (pg_catalog.has_database_privilege(d.oid, 'CONNECT')
                  OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'))
            THEN pg_catalog.pg_database_size(d.oid) END,
       CASE WHEN pg_catalog.pg_has_role(d.datdba,
              CASE WHEN pg_catalog.current_setting('server_version_num')::integer >= 160000
                   THEN 'SET' ELSE 'MEMBER' END)
            THEN pg_catalog.pg_get_userbyid(d.datdba) END,
       NOT d.datallowconn
  FROM (SELECT pg_catalog.current_setting('fsync') = 'on' AS fsync,
               coalesce(pg_catalog.current_setting('file_copy_method', true) = 'clone', false)
                 AS clone) s
  LEFT JOIN pg_catalog.pg_database d ON d.datname = $1

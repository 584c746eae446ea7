-- Which database of which run of a server one is connected to, and by which process; everybody may
-- ask. Run also on connections whose search_path is the user's.
SELECT pg_catalog.current_database(),
       pg_catalog.to_char(pg_catalog.pg_postmaster_start_time() AT TIME ZONE 'UTC',
                          'YYYYMMDDHH24MISSUS'),
       (SELECT pg_catalog.shobj_description(d.oid, 'pg_database')
          FROM pg_catalog.pg_database d
         WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()),
       pg_catalog.pg_backend_pid()

-- Whether another session holds the advisory lock $1, connected to whichever database.
SELECT EXISTS (
         SELECT
           FROM pg_catalog.pg_locks l
          WHERE l.locktype = 'advisory'
            AND l.granted
            AND l.objsubid = 1
            AND l.pid <> pg_catalog.pg_backend_pid()
            AND (l.classid::pg_catalog.int8 << 32) | l.objid::pg_catalog.int8 = $1::pg_catalog.int8)

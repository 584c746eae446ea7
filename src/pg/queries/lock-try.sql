-- Only one reset of a database at a time: tries to take the advisory lock $1, unless $2 says that we
-- have it, and unless the session is a pooler's, not that of process $3 which we were told of.
-- Whether it is ours now, and then whether another session, connected to whichever database, holds
-- one of that key too: the look comes after the try, on whose outcome it depends. And the process.
SELECT t.locked,
       CASE WHEN t.locked THEN EXISTS (
         SELECT
           FROM pg_catalog.pg_lock_status() l
          WHERE t.locked
            AND l.locktype = 'advisory'
            AND l.granted
            AND l.objsubid = 1
            AND l.pid <> pg_catalog.pg_backend_pid()
            AND (l.classid::pg_catalog.int8 << 32) | l.objid::pg_catalog.int8 = $1::pg_catalog.int8)
       END AS elsewhere,
       pg_catalog.pg_backend_pid() AS process
  FROM (SELECT CASE WHEN $2::boolean THEN true
                    WHEN pg_catalog.pg_backend_pid() = $3::pg_catalog.int4
                    THEN pg_catalog.pg_try_advisory_lock($1::pg_catalog.int8)
                    ELSE false END AS locked) t

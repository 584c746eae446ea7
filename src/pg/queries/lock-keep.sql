-- Tries to take the advisory lock $1 for the transaction. Whether it is ours, and whether a session
-- of another database holds one of that key too, as in lock-try. Run on connections whose
-- search_path is the user's.
SELECT t.locked,
       CASE WHEN t.locked THEN EXISTS (
         SELECT
           FROM pg_catalog.pg_lock_status() l
          WHERE t.locked
            AND l.locktype OPERATOR(pg_catalog.=) 'advisory'
            AND l.granted
            AND l.objsubid OPERATOR(pg_catalog.=) 1
            AND l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
            AND ((l.classid::pg_catalog.int8 OPERATOR(pg_catalog.<<) 32)
                  OPERATOR(pg_catalog.|) l.objid::pg_catalog.int8)
                OPERATOR(pg_catalog.=) $1::pg_catalog.int8)
       END AS elsewhere
  FROM (SELECT pg_catalog.pg_try_advisory_xact_lock($1::pg_catalog.int8) AS locked) t

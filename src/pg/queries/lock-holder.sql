-- Who holds the advisory lock $1 (its halves as pg_locks shows them), connected to whichever database.
-- Run also on connections whose search_path is the user's.
SELECT a.pid, a.usename, a.application_name, coalesce(a.client_addr::pg_catalog.text, 'local')
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid
 WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory'
   AND l.granted
   AND l.objsubid OPERATOR(pg_catalog.=) 1
   AND ((l.classid::pg_catalog.int8 OPERATOR(pg_catalog.<<) 32)
         OPERATOR(pg_catalog.|) l.objid::pg_catalog.int8)
       OPERATOR(pg_catalog.=) $1::pg_catalog.int8

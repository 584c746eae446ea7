CREATE SCHEMA s;
SET search_path = s, public;
SET TIME ZONE 'UTC';
CREATE TABLE t (a int, at text);
CREATE TEMPORARY TABLE tmp AS SELECT 7 AS a;
INSERT INTO t SELECT a, '2020-01-01 00:00+02'::timestamptz::text FROM tmp;
DO $$
BEGIN
  RAISE NOTICE 'noticed; %', 1;
  FOR i IN 1..3 LOOP INSERT INTO t VALUES (i); END LOOP;
  RAISE WARNING 'warned';
END $$;
DROP TABLE IF EXISTS nowhere;
PREPARE p (int) AS INSERT INTO t VALUES ($1);
EXECUTE p(9);
SELECT set_config('search_path', '', false);
CREATE TABLE public.u (a int);
RESET search_path;
CREATE TABLE v (a int);

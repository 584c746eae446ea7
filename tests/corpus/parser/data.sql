INSERT INTO a (b, c) VALUES (1, 'a;'), ((SELECT max(x) FROM t WHERE y = ');'), 'b'), (DEFAULT, $$c;$$)
  ON CONFLICT (b) DO UPDATE SET c = excluded.c || ';' WHERE a.b > 1 RETURNING *, (SELECT 1);
INSERT INTO a SELECT i, md5(i::text) FROM generate_series(1, 10) AS i;
MERGE INTO a USING (SELECT * FROM b WHERE c <> ';') AS s ON a.id = s.id
  WHEN MATCHED AND s.x = ';' THEN DELETE
  WHEN MATCHED THEN UPDATE SET x = s.x, y = DEFAULT
  WHEN NOT MATCHED THEN INSERT (id, x) VALUES (s.id, CASE WHEN s.x THEN 1 END);
WITH d AS (DELETE FROM a WHERE b = 1 RETURNING *), i AS (INSERT INTO c SELECT * FROM d RETURNING 1)
  SELECT count(*) FROM i;
UPDATE a SET (b, c) = (SELECT 1, ';') FROM t WHERE a.id = t.id;
SELECT a[1:2], b[:3], '{1;2}'::int[], (c).d, e->>'f;', g #> '{h}', i @> '{"j": ";"}'::jsonb FROM t;
SELECT sum(a) FILTER (WHERE b) OVER (PARTITION BY c ORDER BY d ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t;
SELECT (((1))), ARRAY[[1, 2], [3, 4]], ROW(1, ';'), date '2020-01-01', interval '1;' day FROM t;
VALUES (1, ';'), (2, NULL); TABLE t;
SET search_path = a, "b;c"; SET LOCAL x.y TO ';'; RESET ALL;
BEGIN; SAVEPOINT s; ROLLBACK TO s; COMMIT AND CHAIN; ROLLBACK;
EXPLAIN (ANALYZE, FORMAT json) SELECT ';';
LISTEN a; NOTIFY a, 'b;c'; LOCK TABLE t IN SHARE MODE; VACUUM (FULL) t; DISCARD ALL;
DECLARE c CURSOR FOR SELECT ';'; FETCH 1 FROM c; CLOSE c;
SELECT 1;SELECT 2;;SELECT 3

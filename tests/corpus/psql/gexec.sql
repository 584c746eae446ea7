SELECT format('CREATE TABLE t%s (a int, b text DEFAULT %L)', i, 'x;' || i) FROM generate_series(1, 3) AS i \gexec
SELECT 'INSERT INTO t1 VALUES (1)', NULL, 'INSERT INTO t1 VALUES (2); INSERT INTO t1 VALUES (3)' \gexec
SELECT 'nothing' WHERE false
\gexec
SELECT 'COMMENT ON TABLE t2 IS ''it''''s''' \gexec

CREATE TABLE t (a int);
INSERT INTO t VALUES (1); \echo leaving
\quit
SELECT 1 / 0;

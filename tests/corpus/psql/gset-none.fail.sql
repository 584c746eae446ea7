CREATE TABLE t (a int);
SELECT a FROM t \gset
SELECT 1 / 0;

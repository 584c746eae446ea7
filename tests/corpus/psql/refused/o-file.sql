CREATE TABLE t (a int);
\o out.tmp
SELECT 1;

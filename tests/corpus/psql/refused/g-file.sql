CREATE TABLE t (a int);
SELECT 1 \g out.tmp

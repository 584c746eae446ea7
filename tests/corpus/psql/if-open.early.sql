CREATE TABLE t (a int);
\if true
CREATE TABLE u (a int);
SELECT 1 / 0;

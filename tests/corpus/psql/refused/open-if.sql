CREATE TABLE t (a int);
\if true
INSERT INTO t VALUES (1);

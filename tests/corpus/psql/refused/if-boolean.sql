CREATE TABLE t (a int);
\if maybe
INSERT INTO t VALUES (1);
\endif

\set a `echo 1`
CREATE TABLE t (a int);

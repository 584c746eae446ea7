CREATE TABLE t (a int);
INSERT INTO t VALUES
\i include/deep/values.sql
, (3);

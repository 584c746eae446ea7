CREATE TABLE t (a int);
\ir include/not-there.sql
CREATE TABLE u (a int);

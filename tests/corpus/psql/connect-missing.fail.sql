CREATE TABLE t (a int);
\connect there_is_no_such_database
CREATE TABLE u (a int);

CREATE TABLE t (a int);
\connect - - otherhost

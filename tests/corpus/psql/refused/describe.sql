CREATE TABLE t (a int);
\d t

CREATE TABLE t (a int);
\! true

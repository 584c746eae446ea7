CREATE TABLE t (a int);
\setenv A b

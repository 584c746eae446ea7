CREATE TABLE t (a int);
COPY t FROM stdin;
1
x
3
\.
CREATE TABLE u (a int);

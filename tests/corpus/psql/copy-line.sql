CREATE TABLE t (a int); COPY t FROM stdin; INSERT INTO t VALUES (10); INSERT INTO t
1
2
\.
VALUES (11);
COPY t FROM stdin \; INSERT INTO t VALUES (12);
3
\.
CREATE TABLE u (a int)\; COPY t FROM stdin\; COPY u FROM stdin;
4
\.
5
\.

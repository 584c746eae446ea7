\restrict aKey1
CREATE TABLE t (a int);
COPY t FROM stdin;
1
\.
\unrestrict aKey1
\echo free

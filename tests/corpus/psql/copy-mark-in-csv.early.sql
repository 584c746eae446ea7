CREATE TABLE t (id int, name text);
COPY t FROM stdin CSV;
1,"a
\.
b"
2,c
\.
INSERT INTO t VALUES (3, 'last');

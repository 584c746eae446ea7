CREATE TABLE t (id int, name text);
COPY t FROM stdin;
1	one; \N
2	\N
3	a\\b\tc\nd
4	'$$ -- /*
\.
COPY t (name, id) FROM STDIN WITH (FORMAT csv, DELIMITER ';', NULL 'none');
"a;b
c";5
none;6
"\\.";7
\.
copy t from stdin csv;
8,"it's
\ .
--"
\.
\copy t from stdin
9	nine
\.
INSERT INTO t VALUES (10, 'last');

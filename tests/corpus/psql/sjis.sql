SET client_encoding = 'SJIS';
CREATE TABLE t AS SELECT 'ソ; 表' AS a;
COPY t FROM stdin;
ソ
\.
\encoding SJIS
INSERT INTO t VALUES ('十');
CREATE TABLE "ポ" (a int);

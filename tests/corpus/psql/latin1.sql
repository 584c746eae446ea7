\encoding LATIN1
CREATE TABLE t AS SELECT 'café; ü' AS a;
COPY t FROM stdin;
naïve
\.
\encoding UTF8
INSERT INTO t VALUES ('Ã©');
\echo :ENCODING

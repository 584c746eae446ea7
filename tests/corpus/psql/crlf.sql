CREATE TABLE t (
  a text
);
INSERT INTO t VALUES ('x
y'); -- c
\set v 1
\echo :v;
INSERT INTO t VALUES (:v);
COPY t FROM stdin;
first
second
\.
\if true
INSERT INTO t VALUES ($$
$$);
\endif

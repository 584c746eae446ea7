CREATE TABLE t AS SELECT i AS a, 'x' || i AS b FROM generate_series(1, 5) AS i;
\echo before
COPY t TO STDOUT;
\echo between
\copy (SELECT * FROM t WHERE a > 3) to stdout csv header
\echo after

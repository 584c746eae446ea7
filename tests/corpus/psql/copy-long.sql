CREATE TABLE t (a int, b text);
INSERT INTO t SELECT i, repeat(md5(i::text), 10) FROM generate_series(1, 20000) AS i;
\copy t to out.tmp
CREATE TABLE u (LIKE t);
\copy u from out.tmp

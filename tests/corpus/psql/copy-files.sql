CREATE TABLE t (id int, name text);
\copy t from include/data.txt
\copy t (id, name) FROM 'include/data.csv' WITH (FORMAT csv, HEADER)
CREATE TABLE u (LIKE t);
\copy (SELECT id + 10, name FROM t ORDER BY id, name) to out.tmp csv
\copy u from out.tmp with csv
\copy t to 'out 2.tmp' (delimiter ';')
\copy u from 'out 2.tmp' delimiter ';'

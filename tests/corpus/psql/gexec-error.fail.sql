CREATE TABLE t (a int);
SELECT 'INSERT INTO nowhere VALUES (1)' \gexec
CREATE TABLE u (a int);

CREATE TABLE t (id int);
\copy t from include/not-there.txt
CREATE TABLE u (id int);

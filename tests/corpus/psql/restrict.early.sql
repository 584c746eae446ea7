CREATE TABLE t (a int);
\restrict k
\connect postgres
\unrestrict k
CREATE TABLE u (a int);

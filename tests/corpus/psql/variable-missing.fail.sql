CREATE TABLE t (a int DEFAULT :nothing);

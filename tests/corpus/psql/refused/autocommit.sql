\set AUTOCOMMIT off
CREATE TABLE t (a int);

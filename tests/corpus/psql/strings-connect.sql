CREATE TABLE t (a text);
SET escape_string_warning = off;
SET standard_conforming_strings = off;
INSERT INTO t VALUES ('one\';');
\c -
INSERT INTO t VALUES ('\');

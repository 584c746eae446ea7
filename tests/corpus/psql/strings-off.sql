CREATE TABLE t (a text);
SET standard_conforming_strings = off;
SET escape_string_warning = off;
INSERT INTO t VALUES ('it\'s; a'), ('\\'), ('x\ny');
SET standard_conforming_strings = on;
INSERT INTO t VALUES ('\'), (';\n');

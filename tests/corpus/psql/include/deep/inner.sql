\ir ../plain.sql
\i include/deep/last.sql
CREATE TABLE inner_table (a int);

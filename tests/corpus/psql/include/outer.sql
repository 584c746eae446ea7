\ir deep/inner.sql
CREATE TABLE outside (a int);
\set from_outer yes

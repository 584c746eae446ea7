\set table 'weather; today'
\set value 'it''s; a'
\set body 'SELECT 1; SELECT'
SELECT :'value', :"table" FROM :"table";
:body 2;
\if false
SELECT FROM nowhere at all;
\else
CREATE TABLE :"table" (a int);
\endif
SELECT 1 AS a \gset
SELECT 'a'::text, a::int::text, x[1:2] FROM t;
SELECT 2 \g
SELECT format('SELECT %L', ';') \gexec
\echo a;b
SELECT 3\; SELECT 4;
\i tests/corpus/parser/comments.sql
SET standard_conforming_strings = off;
SELECT 'a\';';
SET standard_conforming_strings = on;
SELECT 'a\';

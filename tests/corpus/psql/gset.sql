SELECT 1 AS a, 'it''s; two' AS b, NULL AS c \gset
SELECT 3 AS x, 'Mixed' AS "Y" \gset p_
CREATE TABLE t AS SELECT :a AS a, :'b' AS b, :'p_x' AS x, :"p_Y" AS y FROM (SELECT 'col' AS "Mixed") AS s;
\echo :a :b :{?c} :p_x

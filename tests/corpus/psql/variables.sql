\set a 'va''lue; '
\set b :a 'and' " more "
\set n 5
\set name 'My; "Table"'
CREATE TABLE :"name" (a int DEFAULT :n, b text DEFAULT :'b', c boolean DEFAULT :{?n}, d boolean DEFAULT :{?nothing});
INSERT INTO :"name" DEFAULT VALUES;
INSERT INTO :"name" VALUES (:n + :n, ':a', :'n'::int > 1, '{1,2}'::int[] = (ARRAY[1,2,3])[1:2]);
\unset n
INSERT INTO :"name" (b) VALUES ($$:a$$), (E':\'a\''), (':nothing'), ('x' /* :a */) -- :a
;
\echo :a :'a' :"name" ':a' ":a" :nothing :{?a}

-- parser errors: 6
-- Statements that are none to the server; where they end is settled all the same.
SELEC 1;
SELECT FROM WHERE;
CREATE TABLE (a int; SELECT 1);
SELECT 1 FROM t WHERE a = 'b' 'c';
SELECT 'right';
INSERT INTO t VALUES (1,);
ALTER TABEL t; SELECT 'right';

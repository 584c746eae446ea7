-- parser errors: 1
-- A comment between the pieces of a continued string is right to the server, not to libpg_query 15.
SELECT 'a;', 'it''s;', '\', ';', '', '''', '''''';
SELECT E'a\';b', e'\\', ';', E'''\'\\;', E'\x41\u00e9;\
';
SELECT U&'\0061;' , u&'d!0061;' UESCAPE '!', U&"\0061;" FROM (SELECT 1 AS "a;") x;
SELECT 'one;'
  'two;'
'three', 4;
SELECT 'one' -- comment;
  'two;';
SELECT E'a\\'
  'b\';' , 1;
SELECT b'01', B'1', x'ff', X'1F'
'0', N'n;', n'it''s';
SELECT "a;""b", "a'b" FROM (SELECT 1 AS "a;""b", 2 AS "a'b") AS "x;";
SELECT ' 
; multi
line ;', 'é;ü', '日本;', '😀';
SELECT 'a' AS e, 'b' AS u, 'c' AS b, 'd' x;

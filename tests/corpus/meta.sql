\echo plain 'quoted  text' "double" -n x
\echo -n no newline
\echo
\qecho to the query output
\warn to stderr
select 1 \g
select 2\g
select 3 \gx
select 4 \g \\ select 5;
select 6 \echo in between
;
select 7 \r
select 8;
\r
select dropped
\r
;
select 9
\p
;
\p
\g
select 10; \echo a \echo b \\ select 11; \echo c
\pset format unaligned
\x off
\timing off
\x \x
select 12 \;
select 13 \g
\reset
\print
\echo 'it''s' '\t|\n|\\|\x41|\101' "a;b" a;b c;
\echo a\\b
select 1 + \echo here
 2;
 \echo indented
	\echo tab
\echo :: : :{
select 14 -- \echo comment
;
select '\echo', "\echo", $$ \echo $$ /* \echo */;
\encoding UTF8
\g

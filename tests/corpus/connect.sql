select 1;
\connect other
select 2;
\c third
set standard_conforming_strings = off;
select 'a\';';
\c - -
select 'a\', ';';
\c "Case db" \echo connected
select 3;
\c :DBNAME
select 4;

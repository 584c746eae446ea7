select 'a\', ';';
set standard_conforming_strings = off;
select 'a\';b', 'c\\', ';';
select "a\", 'x', E'\';';
select 'a''\';', N'\';', $$\'$$, b'0', 'over
\'two\\';
create function f() returns text language sql as 'select ''a\\'';''';
reset standard_conforming_strings;
select 'a\', ';';
set session standard_conforming_strings to 'off';
select 'a\';b';
set standard_conforming_strings to true;
select 'a\';
set local standard_conforming_strings to off;
select '\';' ;
set standard_conforming_strings to default;
select '\';

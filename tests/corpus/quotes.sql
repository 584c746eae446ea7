-- 'quotes "in $$ a /* comment
select 'a;b', 'it''s; "x"', '', '''', ';';
select "a;b", "a""b;", ";" from "t;";
select 'over
two; lines

and a blank one', 'x'
  'continued; by a newline'
  -- a comment between
  'and again';
select 'a' 'b';
select 'back\', 'slash;';
select '-- no comment', '/* none */', '$$', ':name', ':''name''';
insert into t values ('a'),('b');insert into t values ('c');
select 'ä;ö', "ü;", 'ends in ä';
select '	tab', 'cr', 'a\;b', 'a\\';
select 1;;; ;
;
select 2 ;  -- end

select 1;
\set 1+1 x
select 2;

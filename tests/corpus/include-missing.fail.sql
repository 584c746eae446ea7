select 1;
\ir include/not-there.sql
select 2;

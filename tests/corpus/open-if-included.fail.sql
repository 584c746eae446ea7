select 1;
\ir include/open-if.sql
select 2;

select 1;
\echo 'open
select 2;

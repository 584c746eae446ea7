\restrict key
select 1;
\echo not allowed
select 2;

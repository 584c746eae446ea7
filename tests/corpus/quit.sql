select 1;
select 2 \q
select 3;

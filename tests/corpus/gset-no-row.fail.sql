select 1;
select 2 \gset
select 3;

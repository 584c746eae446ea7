select 1;
begin;
select 2;

\if true
select 3;

values (1), (2) \gset
select 3;

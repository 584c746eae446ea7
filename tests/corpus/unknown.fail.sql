select 1;
\nonsense
select 2;

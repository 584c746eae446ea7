select 1;
\if false
\nonsense
\endif
select 2;

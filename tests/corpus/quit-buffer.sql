select 1;
\if true
select 2;
\quit
select 3;
\endif

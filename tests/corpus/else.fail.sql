select 1;
\if true
\else
\else
\endif
select 2;

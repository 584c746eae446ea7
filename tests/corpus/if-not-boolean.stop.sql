select 1;
\if maybe
select 2;
\else
select 3;
\endif
select 4;
\if true 10
select 5;
\else 11
select 6;
\endif 12
select 7;

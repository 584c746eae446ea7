select 1\; select 2;
begin\; insert into t values (1)\; insert into t values (2)\; commit;
select 1 \;
select 2
\;
select 3;
\; select 4;
select (1\; 2);
select 5\;;
copy t from stdin\; select 6;
1
\.
select 7\; copy t from stdin\; copy u from stdin;
2
\.
3
\.
select 8;
create function f() returns int begin atomic select 1\; end; select 9;

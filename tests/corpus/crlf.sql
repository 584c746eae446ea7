select 1;
select 'a
b;',
  2;

-- c';
create function f() returns int language sql as $$
select 1;
$$;
copy t from stdin;
1	2
\\.
\.
\set a b
select :a;
\if true
select 3;
\else
select 4;
\endif
\echo done
select 5
;

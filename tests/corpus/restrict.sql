\restrict a1B2
select 1;
copy t from stdin;
1
\.
\unrestrict a1B2
\echo free

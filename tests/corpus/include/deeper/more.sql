select 'deeper';
\ir ../plain.sql
copy t from stdin;
1
\.

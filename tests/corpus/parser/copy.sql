-- parser errors: 1
COPY t FROM stdin;
1	a;b
2	'
\.
COPY s.t (a, "b;") FROM STDIN WITH (FORMAT csv, HEADER, DELIMITER ';', QUOTE '"');
a;b
"x;
y";$$
\.
COPY (SELECT 1; ) TO STDOUT;
COPY t TO '/tmp/x;y' (FORMAT binary);
COPY t FROM STDIN CSV; SELECT 'the rest; of the line';
1,2
\.
COPY (SELECT a FROM t WHERE b = ';') TO STDOUT;
COPY t FROM stdin WHERE a > 1;
/* no comment
\.
\copy t (a) from stdin with (format csv)
1
\.
\copy (select ';', "a""b", $$x$$ from t where (a).b = E'\'') to stdout csv header
COPY BINARY t FROM '/x';

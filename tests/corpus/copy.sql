copy t from stdin;
1	2
\\N	a;b
\.
copy t (a, "from", "b;") from stdin with (format csv, header);
a,"b
;c"
"\\.",x
\.
copy t from stdin; select 1; -- rest
\.
select 2;copy t from stdin;select 3;
1
\.
select 4;
COPY public."T;x" FROM STDIN;
ÿþ


 \.
\. 
\.x
x\.
\\.
--
/*
'
$$
\q
:a
;
\.
copy t from stdin
(delimiter ';', null 'x;')
;
1;2
\.
/* x */ copy /* y */ t -- stdin
from -- a;
stdin;
5
\.
copy t from stdin csv;
last
\.
select 5;copy t from stdin with csv delimiter '|';
a|b
c|d
\.
select 6;
copy (select 'from stdin') to stdout; select 7;
copy t to stdout;
copy t from '/dev/null';
select 'copy t from stdin';

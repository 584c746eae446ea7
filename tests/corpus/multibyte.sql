set client_encoding = 'SJIS';
select '昞;', '僜', "昞;";
copy t from stdin;
昞	1
\.
set client_encoding = 'BIG5';
select ';', $$$$;
set client_encoding = 'GB18030';
select ';', '乗;';
set client_encoding = 'UTF8';
select 1;

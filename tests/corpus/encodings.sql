\encoding SJIS
select 'x';
set client_encoding = 'UTF8';
select 'ä;';
set names 'LATIN1';
reset client_encoding;
select 'done';

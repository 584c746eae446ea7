\if true
select 1;
\else
select 2;
\endif
\if false
select 3;
\elif 0
select 4;
\elif on
select 5;
\elif true
select 6;
\else
select 7;
\endif
\if no
  \if true
    select 8;
  \else
    select 9;
  \endif
  \i nothing-there.sql
  \set hidden 1
  \echo hidden
  select :'hidden';
\else
  select :{?hidden};
\endif
\set yes 1
\if :yes \echo one-line \else \echo other \endif
select \if true \\ 10 \else \\ 11 \endif ;
\if :{?yes}
select 12;
\endif
\if :{?never} \\ select 13; \else \\ select 14; \endif
\if false
select 'not run; even
so';
copy_like t from stdin;
\else
select 15;
\endif
select
\if false
 16,
\endif
 17;
\if tru
select 18;
\endif
\if false
select 19
\endif
;
select 20;
\if true \if false
select 21;
\endif
select 22;
\endif

values ('a', 'b;c', null) \gset
select :'column1', :'column2', :{?column3};
values (1, '2') \gset p_
select :p_column1, :'p_column2';
values ('it''s') \gset q_ \echo :q_column1
select :'q_column1';
values ('insert into t values (1)', null), ('select '';''', 'select 5') \gexec
select 6;
values ('select 7; select 8') \gexec
select :column1 \g

\ir deeper/more.sql
select 'nested';
\ir plain.sql

\ir include/plain.sql
\ir include/plain.sql
\ir include/nested.sql
select 'after';
\include_relative include/plain.sql
\include_relative 'include/with space.sql'
\ir include/no-newline.sql
select 'rest';
\set file include/plain.sql
\ir :file
select
\ir include/part.sql
;
\ir include/quit.sql
select 'after quit';
\ir include/conditional.sql
\ir include/plain.sql \echo same line
\ir include/variables.sql
select :'from_include';
select 'open' \ir include/plain.sql
, 2;

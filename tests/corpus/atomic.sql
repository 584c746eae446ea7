create function f() returns int begin atomic select 1; select 2; end;
create or replace procedure p() language sql
BEGIN ATOMIC
  insert into t values (1);
  select case when true then 1 else 2 end;
  insert into t values (case x when 1 then 2 end);
END; select 3;
CREATE FUNCTION g(a int) RETURNS int RETURN a + 1; select 4;
create function "begin"() returns int language sql as 'select 1;'; select 5;
create table begin (a int); begin; end;
create function h() returns int begin atomic select (begin; 1; end); end; select 6;
create /* x */ function -- y
i() returns int begin /* z */ atomic select 'end;'; select "end"; end
;
create or replace function j() returns int begin atomic end; select 7;
create view v as select 1; begin; commit;
create or replace view w as select case when a then b end from begin; select 8;
create procedure q() begin atomic begin; select 1; end; end; select 9;
create function k() returns int language plpgsql as $$ begin return 1; end $$; select 10;
alter function f() rename to begin; select 11; commit;

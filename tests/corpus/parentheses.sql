create rule r as on insert to t do also (insert into u values (1); insert into u values (2));
create rule r2 as on update to t do instead (
  delete from u; -- ;
  select ';)' ; notify x
);
select (1;2); select 3;
select ((';')), (/* ) */ 1), ($$)$$), (")" );
select 1) ; select 2; select )(;) ;
select [1;
create table t (a int, b text default ';', check (a > 0));create index on t (a);

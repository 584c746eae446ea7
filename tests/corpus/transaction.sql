begin; insert into t values (1); savepoint a; rollback to a; commit;
start transaction isolation level serializable; end;
begin work; abort; begin; rollback and chain; commit and no chain;
\set AUTOCOMMIT off
insert into t values (2); insert into t values (3);
commit;
vacuum; rollback;
select 4; rollback;
\set AUTOCOMMIT on
select 5;
\set ON_ERROR_STOP off
select 6;

select 1; select 2;select 3 ;; select 4
; select 5; insert into t
values (1); select
6; select 7
select 8; select 9
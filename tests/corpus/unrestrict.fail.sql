\restrict key
select 1;
\unrestrict other
select 2;

select 1;
select $a$open; 
select 2;$$

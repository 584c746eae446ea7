\set a 1
select :a\g
select $$a;b$$, $x$a;$$b;$x$, $$;$$;
select $a$ $b$ ; $a$, $a$b$$;$a$;
select $_1$;$_1$, $é$;$é$, $Ab$;$ab$;$Ab$;
select a$b$c$, 1; select a$$ from b$$;
select $1, $2;
select $1$ from t; 
create function f() returns int language plpgsql as $fn$
begin
	-- it's; a "comment
	/* ' */
	execute $q$ select ';' $q$;
	return 1; -- $$
end;
$fn$;
do $$begin null; end$$;do $do$ begin perform 1; end $do$;
select $$$$, $$'$$, $$"$$, $$--$$, $$/*$$, $$\$$, $$ \q $$;
select $a$$$;$$$a$;
select $a$ $a;$a$;
select $a $b$;$b$;
select '$$';select $$
;
$$;

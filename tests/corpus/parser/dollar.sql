CREATE FUNCTION a() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF new.a = ';' THEN RETURN NULL; END IF; -- it's
  RAISE NOTICE '% $1 "', new.a;
  RETURN new;
END $$;
CREATE FUNCTION b() RETURNS text LANGUAGE sql AS $body$ SELECT $$a;$b$$; $body$;
CREATE FUNCTION c() RETURNS text LANGUAGE plpgsql AS $_1$
DECLARE q text := $q$ DROP TABLE x; $q$; BEGIN EXECUTE format($q$ SELECT %L; $q$, q); RETURN $_2$; $_$ $_2$; END $_1$;
SELECT $é$ ; $é $é$, a$b$c FROM t AS a$b$c;
SELECT $1, $2; SELECT $$$$; SELECT $a$$$a$;
SELECT $$
;
$$ || $x$
$y$
;$x$;
PREPARE p (int) AS SELECT $1;

#!/usr/bin/env bats
# Whether what a script does comes out the same every time (pg/varying.h), asked of a live server by
# a program of its own: tests/unit/varying_cases.c.

load helper

setup_file() {
	VARYING_CASES=$(unit_program varying_cases)
	export VARYING_CASES
}

setup() {
	common_setup
}

# expect REASON SCRIPT [seed]: in the database $name. All cases of a test are tried; verdict tells.
expect() {
	local got
	printf '%s\n' "$2" >x.sql
	got=$("$VARYING_CASES" "$(url "$name")" x.sql ${3:+"$3"} 2>&1) || got="failed: $got"
	cases=$((${cases:-0} + 1))
	if [ "$got" != "$1" ]; then
		printf '%s\n   got      %s\n   expected %s\n' "$2" "$got" "$1"
		wrong=$((${wrong:-0} + 1))
	fi
}

verdict() {
	assert_equal "$1" "$cases"
	assert_equal 0 "${wrong:-0}"
}

@test "functions that a script calls itself" {
	name=$(db calls)
	sql "$name" "CREATE TABLE plain (id int, a text, random text, version text, age int);
		CREATE TABLE version (id int, now text)"
	expect - 'SELECT 1'
	expect - "INSERT INTO plain VALUES (1, 'random()')"
	expect - 'INSERT INTO plain (random, version, age) VALUES (1, 2, 3)'
	expect - 'SELECT p.random, version, age FROM plain p'
	expect - "INSERT INTO version (id, now) VALUES (1, 'x')"
	expect - "INSERT INTO public.version (id, now) VALUES (1, 'x')"
	expect - "SELECT setval('s', nextval('t')), currval('t'), lastval(), pg_sleep(0), pg_notify('a', 'b')"
	expect - "SELECT pg_catalog.set_config('search_path', '', false), pg_advisory_lock(1), setseed(0.5)"
	expect - "SELECT md5('x'), upper('y'), to_char(now, 'z') FROM version"
	expect - "SELECT age(date '2020-01-01', date '2019-01-01')"
	expect 'age()' "SELECT age(date '2020-01-01')"
	expect 'random()' 'INSERT INTO plain SELECT 1, random ()'
	expect 'now()' 'SELECT pg_catalog.now()'
	expect 'gen_random_uuid()' 'SELECT Gen_Random_UUID()'
	expect 'clock_timestamp()' 'SELECT clock_timestamp()'
	expect 'version()' 'SELECT version()'
	expect "current_setting()" "SELECT current_setting('server_version')"
	expect 'txid_current()' 'SELECT txid_current()'
	expect 'shobj_description()' "SELECT shobj_description(1, 'pg_authid')"
	expect 'has_database_privilege()' "SELECT has_database_privilege('postgres', 'CREATE')"
	expect 'x.sql:1: CURRENT_TIMESTAMP' 'SELECT current_timestamp'
	expect "x.sql:1: 'now'" "SELECT timestamp 'now'"
	expect 'random()' 'DO $$ BEGIN PERFORM random(); END $$'
	expect 'random()' "DO 'BEGIN EXECUTE ''SELECT random()''; END'"
	expect 'random()' "SELECT 'SELECT random()' \\gexec"
	expect pg_stat_activity 'CREATE TABLE s AS SELECT * FROM pg_stat_activity'
	expect - 'CREATE TABLE later (id float DEFAULT random())'
	expect 'random()' 'CREATE TABLE later AS SELECT random()'
	verdict 28
}

@test "defaults, checks, domains and generated columns of the tables that a script names" {
	name=$(db tables)
	sql "$name" "CREATE TABLE users (id uuid DEFAULT gen_random_uuid(), name text);
		CREATE TABLE \"Odd One\" (at timestamptz DEFAULT now());
		CREATE TABLE serial (id serial, g int GENERATED ALWAYS AS IDENTITY, c int GENERATED ALWAYS AS (1 + 1) STORED);
		CREATE TABLE keyword (who text DEFAULT CURRENT_USER);
		CREATE TABLE role (who text DEFAULT USER);
		CREATE DOMAIN moment AS timestamptz DEFAULT clock_timestamp();
		CREATE DOMAIN later AS moment;
		CREATE TABLE events (at later);
		CREATE TABLE checked (n int CHECK (n > random()));
		CREATE TABLE refers (id int PRIMARY KEY, at timestamptz DEFAULT now());
		CREATE TABLE parent (id int, name text) PARTITION BY LIST (id);
		CREATE TABLE aged (a interval DEFAULT age(timestamp '2020-01-01', timestamp '2019-01-01'));
		CREATE TABLE young (a interval DEFAULT age(timestamp '2020-01-01'))"
	expect 'gen_random_uuid(), the default of users.id' "INSERT INTO users (name) VALUES ('x')"
	expect 'gen_random_uuid(), the default of users.id' $'COPY users (name) FROM stdin;\nx\n\\.'
	expect 'gen_random_uuid(), the default of users.id' $'\\copy users (name) from stdin\nx\n\\.'
	expect 'gen_random_uuid(), the default of users.id' 'INSERT INTO public.USERS SELECT'
	expect 'now(), the default of Odd One.at' 'INSERT INTO "Odd One" DEFAULT VALUES'
	expect - 'INSERT INTO serial DEFAULT VALUES'
	expect - 'INSERT INTO parent VALUES (1)'
	expect 'CURRENT_USER, the default of keyword.who' 'INSERT INTO keyword DEFAULT VALUES'
	expect 'USER, the default of role.who' 'INSERT INTO role DEFAULT VALUES'
	expect 'clock_timestamp(), the default of domain later' 'INSERT INTO events DEFAULT VALUES'
	expect 'random(), in constraint checked_n_check of checked' 'INSERT INTO checked VALUES (1)'
	expect - 'INSERT INTO aged DEFAULT VALUES'
	expect 'age(), the default of young.a' 'INSERT INTO young DEFAULT VALUES'
	expect - 'ALTER TABLE users ALTER name SET DEFAULT 1; GRANT SELECT ON users TO app; DROP TABLE users'
	verdict 14
}

@test "triggers, rules, views, policies, partitions and functions in between" {
	name=$(db between)
	sql "$name" "CREATE TABLE t (id int PRIMARY KEY, at timestamptz);
		CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN NEW.at := now(); RETURN NEW; END \$\$;
		CREATE TRIGGER touching BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION touch();
		CREATE TABLE quiet (id int PRIMARY KEY);
		CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN RETURN NEW; END \$\$;
		CREATE TRIGGER nothing BEFORE INSERT ON quiet FOR EACH ROW EXECUTE FUNCTION keep();
		CREATE TABLE off (id int);
		CREATE TRIGGER touching BEFORE INSERT ON off FOR EACH ROW EXECUTE FUNCTION touch();
		ALTER TABLE off DISABLE TRIGGER touching;
		CREATE TABLE top (id int PRIMARY KEY);
		CREATE TABLE low (id int REFERENCES top ON DELETE CASCADE);
		CREATE TRIGGER touching AFTER DELETE ON low FOR EACH ROW EXECUTE FUNCTION touch();
		CREATE TABLE defaulted (id int REFERENCES quiet ON DELETE CASCADE, at timestamptz DEFAULT now());
		CREATE TABLE parts (id int) PARTITION BY LIST (id);
		CREATE TABLE part1 PARTITION OF parts FOR VALUES IN (1);
		CREATE TRIGGER touching BEFORE INSERT ON part1 FOR EACH ROW EXECUTE FUNCTION touch();
		CREATE VIEW dice AS SELECT random() AS n;
		CREATE MATERIALIZED VIEW thrown AS SELECT * FROM dice;
		CREATE TABLE ruled (id int);
		CREATE RULE also AS ON INSERT TO ruled DO ALSO INSERT INTO t VALUES (1);
		CREATE TABLE guarded (who text);
		CREATE POLICY own ON guarded USING (who = current_user);
		CREATE FUNCTION inner_one() RETURNS float LANGUAGE plpgsql AS \$\$ BEGIN EXECUTE 'SELECT random()'; RETURN 1; END \$\$;
		CREATE FUNCTION outer_one() RETURNS float LANGUAGE sql AS 'SELECT inner_one()';
		CREATE FUNCTION fixed(a int) RETURNS int LANGUAGE sql AS 'SELECT a + 1';
		CREATE FUNCTION argument(a timestamptz DEFAULT now()) RETURNS int LANGUAGE sql AS 'SELECT 1';
		CREATE FUNCTION noisy(a quiet) RETURNS float LANGUAGE sql AS 'SELECT random()';
		CREATE FUNCTION itself() RETURNS int LANGUAGE plpgsql AS \$\$ BEGIN RETURN itself(); END \$\$;
		CREATE FUNCTION add(float, float) RETURNS float LANGUAGE sql AS 'SELECT random()';
		CREATE AGGREGATE total(float) (SFUNC = add, STYPE = float);
		CREATE PROCEDURE proc() LANGUAGE sql AS 'SELECT random()'"
	expect 'now(), in function touch()' 'INSERT INTO t VALUES (1)'
	expect - 'INSERT INTO off VALUES (1)'
	expect 'now(), in function touch()' 'DELETE FROM top'
	expect - 'INSERT INTO quiet VALUES (1)'
	expect 'now(), the default of defaulted.at' 'INSERT INTO defaulted VALUES (1)'
	expect 'now(), in function touch()' 'INSERT INTO parts VALUES (1)'
	expect 'random(), in rule _RETURN of dice' 'SELECT * FROM dice'
	expect 'random(), in rule _RETURN of dice' 'REFRESH MATERIALIZED VIEW thrown'
	expect 'now(), in function touch()' 'INSERT INTO ruled VALUES (1)'
	expect "CURRENT_USER, in policy own of guarded" 'SELECT * FROM guarded'
	expect 'random(), in function inner_one()' 'SELECT outer_one()'
	expect - 'SELECT fixed(1)'
	expect 'now(), in function argument()' 'SELECT argument()'
	expect 'random(), in function noisy()' 'SELECT q.noisy FROM quiet q'
	expect - 'SELECT itself()'
	expect 'random(), in function add()' 'SELECT total(1)'
	expect 'random(), in function proc()' 'CALL proc()'
	verdict 17
}

@test "what a seed defines itself, or a schema undoes, counts with its definition" {
	name=$(db defines)
	sql "$name" "CREATE TABLE t (a int, x timestamptz);
		CREATE TABLE other (a int, x timestamptz DEFAULT now());
		CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN NEW.x := now(); RETURN NEW; END \$\$;
		CREATE TABLE asleep (a int, x timestamptz);
		CREATE TRIGGER stamping BEFORE INSERT ON asleep FOR EACH ROW EXECUTE FUNCTION stamp();
		ALTER TABLE asleep DISABLE TRIGGER stamping"
	local drops="CREATE FUNCTION h() RETURNS float LANGUAGE sql AS 'SELECT random()';
		INSERT INTO t VALUES (h()); DROP FUNCTION h()"
	expect 'random()' "$drops" seed
	expect 'random()' "$drops"
	expect 'now()' 'CREATE TABLE u (a int, x timestamptz DEFAULT now()); INSERT INTO u (a) VALUES (1)' seed
	expect - 'CREATE TABLE u (a int, x timestamptz); INSERT INTO u (a) VALUES (1)' seed
	expect 'now()' 'CREATE TEMP TABLE s (a int, x timestamptz DEFAULT now()); INSERT INTO s VALUES (1);
		INSERT INTO t SELECT * FROM s; DROP TABLE s'
	expect 'clock_timestamp()' "CREATE FUNCTION pg_temp.tok() RETURNS timestamptz LANGUAGE sql AS 'SELECT clock_timestamp()';
		INSERT INTO t VALUES (1, pg_temp.tok())"
	expect 'now(), in function stamp()' 'CREATE TRIGGER s BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION stamp();
		INSERT INTO t VALUES (1); DROP TRIGGER s ON t'
	expect 'now()' 'ALTER TABLE t ALTER x SET DEFAULT now(); INSERT INTO t (a) VALUES (1); ALTER TABLE t ALTER x DROP DEFAULT'
	expect 'now(), the default of other.x' 'CREATE TABLE u (LIKE other INCLUDING DEFAULTS); INSERT INTO u VALUES (1)' seed
	expect 'now(), the default of other.x' 'ALTER TABLE other RENAME TO u; INSERT INTO u VALUES (1)' seed
	expect - 'INSERT INTO asleep VALUES (1)' seed
	expect 'now(), in function stamp()' 'ALTER TABLE asleep ENABLE TRIGGER stamping; INSERT INTO asleep VALUES (1)' seed
	expect - 'INSERT INTO t VALUES (1); ALTER TABLE t ALTER x SET NOT NULL; CREATE INDEX ON t (a)'
	verdict 13
}

@test "operators, casts, aggregates, TRUNCATE CASCADE and EXECUTE" {
	name=$(db hidden)
	sql "$name" "CREATE TABLE t (a int)"
	expect - 'SELECT 1 + 2'
	sql "$name" "CREATE FUNCTION fuzzy(int, int) RETURNS float LANGUAGE sql AS 'SELECT random()';
		CREATE OPERATOR @@# (FUNCTION = fuzzy, LEFTARG = int, RIGHTARG = int)"
	expect 'random(), in function fuzzy()' 'SELECT 1 @@# 2'
	sql "$name" "DROP OPERATOR @@# (int, int);
		CREATE TYPE pair AS (a int, b int);
		CREATE FUNCTION paired(int) RETURNS pair LANGUAGE sql AS 'SELECT \$1, random()::int';
		CREATE CAST (int AS pair) WITH FUNCTION paired(int)"
	expect 'random(), in function paired()' 'SELECT 1::pair'
	sql "$name" "DROP CAST (int AS pair);
		CREATE FUNCTION plus(float, float) RETURNS float LANGUAGE sql AS 'SELECT \$1';
		CREATE FUNCTION around(float, float) RETURNS float LANGUAGE sql AS 'SELECT random()';
		CREATE AGGREGATE total(float) (SFUNC = plus, STYPE = float, COMBINEFUNC = around, PARALLEL = safe)"
	expect 'random(), in function around()' 'SELECT total(a) FROM t'
	sql "$name" "CREATE TABLE top (id int PRIMARY KEY);
		CREATE TABLE low (id int REFERENCES top);
		CREATE TABLE log (at timestamptz);
		CREATE FUNCTION noting() RETURNS trigger LANGUAGE plpgsql AS
			\$\$ BEGIN INSERT INTO log VALUES (now()); RETURN NULL; END \$\$;
		CREATE TRIGGER noted AFTER TRUNCATE ON low EXECUTE FUNCTION noting()"
	expect - 'TRUNCATE top'
	expect 'now(), in function noting()' 'TRUNCATE top CASCADE'
	sql "$name" "CREATE FUNCTION emptying() RETURNS void LANGUAGE plpgsql AS
		\$\$ BEGIN TRUNCATE top CASCADE; END \$\$"
	expect 'now(), in function noting()' 'SELECT emptying()'
	sql "$name" "CREATE FUNCTION built(a text) RETURNS void LANGUAGE plpgsql AS
			\$\$ BEGIN EXECUTE 'SELECT ' || a; END \$\$;
		CREATE FUNCTION plain() RETURNS int LANGUAGE plpgsql AS
			\$\$ DECLARE n int; BEGIN EXECUTE 'SELECT ''x''::text'; EXECUTE \$q\$ SELECT \$1 \$q\$ INTO n USING 1; RETURN n; END \$\$;
		CREATE FUNCTION joined() RETURNS void LANGUAGE plpgsql AS
			\$\$ BEGIN EXECUTE '' || current_schema || ''; END \$\$;
		CREATE FUNCTION granting() RETURNS void LANGUAGE plpgsql AS
			\$\$ BEGIN GRANT EXECUTE ON FUNCTION plain() TO app; END \$\$;
		CREATE FUNCTION removing() RETURNS void LANGUAGE plpgsql AS
			\$\$ BEGIN DROP FUNCTION plain(); END \$\$;
		CREATE FUNCTION dating() RETURNS timestamptz[] LANGUAGE sql AS
			\$\$ SELECT '{2020-01-01,now}'::timestamptz[] \$\$"
	expect 'EXECUTE, in function built()' "SELECT built('1')"
	expect 'EXECUTE, in function joined()' 'SELECT joined()'
	expect - 'SELECT plain()'
	expect - 'SELECT granting()'
	expect 'DROP, in function removing()' 'SELECT removing()'
	expect "a date such as 'now', in function dating()" 'SELECT dating()'
	expect 'x.sql:1: EXECUTE' "DO \$\$ BEGIN EXECUTE 'SELECT ran' || 'dom()'; END \$\$"
	verdict 14
}

@test "what shows the state of the server" {
	name=$(db server)
	local view
	for view in pg_timezone_names pg_locks pg_settings pg_database pg_stat_activity pg_authid \
		pg_stats pg_available_extensions pg_prepared_statements pg_tablespace pg_file_settings; do
		expect "$view" "CREATE TABLE s AS SELECT * FROM $view"
	done
	expect 'ENABLED_ROLES' 'SELECT * FROM information_schema.enabled_roles'
	expect 'pg_timezone_names' 'SELECT * FROM pg_timezone_names()'
	expect 'pg_listening_channels()' 'SELECT * FROM pg_listening_channels()'
	for view in pg_tables pg_views pg_indexes pg_class pg_sequences pg_roles information_schema.columns \
		information_schema.tables "generate_series(1, 2)" 'pg_get_keywords()'; do
		expect - "SELECT * FROM $view"
	done
	verdict 24
}

@test "dates in the data of COPY" {
	name=$(db data)
	sql "$name" "CREATE TABLE t (a int, x timestamptz, s text)"
	printf '1,today\n' >data.csv
	expect "x.sql:3: 'now' in the data" $'COPY t (a, x) FROM stdin;\n1\t2020-01-01\n2\tnow\n\\.'
	expect "data.csv:1: 'today' in the data" '\copy t (a, x) from data.csv csv'
	expect - $'COPY t (a, s) FROM stdin;\n1\tknown\n2\tnow we see it\n\\.'
	verdict 3
}

@test "event triggers count whatever the script does" {
	name=$(db events)
	expect - 'CREATE TABLE a (id int)'
	sql "$name" "CREATE TABLE log (at timestamptz);
		CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS
			\$\$ BEGIN INSERT INTO log VALUES (now()); END \$\$;
		CREATE EVENT TRIGGER noting ON ddl_command_end EXECUTE FUNCTION note()"
	expect 'now(), in function note()' 'CREATE TABLE a (id int)'
	verdict 2
}

@test "nothing in the database can redirect the question, whatever the search_path" {
	name=$(db hostile)
	sql "$name" "CREATE SCHEMA evil;
		CREATE FUNCTION evil.never(text, text) RETURNS bool LANGUAGE sql AS 'SELECT false';
		CREATE OPERATOR evil.= (FUNCTION = evil.never, LEFTARG = text, RIGHTARG = text);
		CREATE FUNCTION evil.upper(text) RETURNS text LANGUAGE sql AS 'SELECT ''wrong''';
		CREATE TABLE users (id uuid DEFAULT gen_random_uuid());
		ALTER DATABASE \"$name\" SET search_path = evil, pg_catalog, public"
	expect 'gen_random_uuid(), the default of users.id' 'INSERT INTO users DEFAULT VALUES'
	verdict 1
}

#!/usr/bin/env bats
# What db-doctor advises on sequences and SECURITY DEFINER functions: it works, or says why it would not.

load helper
load doctor

@test "sequence-near-end: counted to the end of the sequence, or of the column that it feeds" {
	sql "$DB" - <<-'SQL'
		CREATE TABLE plain (id serial PRIMARY KEY);
		SELECT setval('plain_id_seq', 2000000000) \g /dev/null
		CREATE TABLE identity (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
		SELECT setval('identity_id_seq', 1700000000) \g /dev/null
		CREATE SEQUENCE wide;
		CREATE TABLE fed (id smallint DEFAULT nextval('wide') PRIMARY KEY);
		SELECT setval('wide', 32000) \g /dev/null
		CREATE SEQUENCE down INCREMENT -1 MINVALUE -100;
		SELECT setval('down', -95) \g /dev/null
		CREATE SEQUENCE round MAXVALUE 10 CYCLE;
		SELECT setval('round', 10) \g /dev/null
		CREATE TABLE young (id serial PRIMARY KEY);
		CREATE SEQUENCE big;
		SELECT setval('big', 5000000000) \g /dev/null
		CREATE SEQUENCE middle MAXVALUE 100;
		SELECT setval('middle', 76) \g /dev/null
		CREATE SEQUENCE short AS smallint MAXVALUE 100;
		CREATE TABLE roomy (id int DEFAULT nextval('short') PRIMARY KEY);
		SELECT setval('short', 99) \g /dev/null
		CREATE SEQUENCE under INCREMENT -1;
		CREATE TABLE low (id smallint DEFAULT nextval('under') PRIMARY KEY);
		SELECT setval('under', -32000) \g /dev/null
	SQL
	finds sequence-near-end 'error public.down' 'warning public.identity_id_seq' 'warning public.middle' \
		'error public.plain_id_seq' 'error public.short' 'error public.under' 'error public.wide'
	assert_contains "$output" 'inserts into public.low.id, which is smallint, then fail'
	# The column has room, and its table is left alone.
	assert_equal 'ALTER SEQUENCE public.short AS integer MAXVALUE 2147483647; null' \
		"$(jq -r '.findings[] | select(.object == "public.short") | "\(.fix) \(.note)"' <<<"$output")"
	assert_contains "$(jq -r '.findings[-1].note' <<<"$output")" 'rewrites the table under an ACCESS EXCLUSIVE lock'
	assert_contains "$output" 'inserts into public.fed.id, which is smallint, then fail'
	mend
	finds sequence-near-end
	assert_equal bigint "$(sql "$DB" "SELECT format_type(seqtypid, NULL) FROM pg_sequence
		WHERE seqrelid = 'plain_id_seq'::regclass")"
}

@test "sequence-near-end: every column that a sequence feeds, changed where it comes from" {
	sql "$DB" - <<-'SQL'
		CREATE SCHEMA s;
		CREATE SEQUENCE s.shared;
		CREATE TABLE s.one (id int DEFAULT nextval('s.shared') PRIMARY KEY);
		CREATE TABLE s.two (id int DEFAULT nextval('s.shared') PRIMARY KEY);
		CREATE TABLE s.wide (id bigint DEFAULT nextval('s.shared') PRIMARY KEY);
		SELECT setval('s.shared', 2000000000) \g /dev/null
		CREATE TABLE s.parent (id serial PRIMARY KEY, at date);
		CREATE TABLE s.child () INHERITS (s.parent);
		CREATE TABLE s.grandchild () INHERITS (s.child);
		SELECT setval('s.parent_id_seq', 2000000000) \g /dev/null
		CREATE TABLE s.plain (id int, at date);
		CREATE TABLE s.inherits () INHERITS (s.plain);
		CREATE SEQUENCE s.inheriting;
		ALTER TABLE s.inherits ALTER id SET DEFAULT nextval('s.inheriting');
		SELECT setval('s.inheriting', 2000000000) \g /dev/null
		CREATE TABLE s.divided (id serial, at date) PARTITION BY RANGE (at);
		CREATE TABLE s.part PARTITION OF s.divided DEFAULT;
		SELECT setval('s.divided_id_seq', 2000000000) \g /dev/null
		CREATE SEQUENCE s.lower AS int MAXVALUE 2000000000;
		CREATE TABLE s.limited (id int DEFAULT nextval('s.lower') PRIMARY KEY);
		SELECT setval('s.lower', 1990000000) \g /dev/null
	SQL
	finds sequence-near-end 'error s.divided_id_seq' 'error s.inheriting' 'error s.lower' \
		'error s.parent_id_seq' 'error s.shared'
	assert_contains "$output" 'inserts into s.one.id, which is integer, and s.two.id, which is integer, then fail'
	mend
	finds sequence-near-end
	assert_equal '' "$(sql "$DB" "SELECT attrelid::regclass FROM pg_attribute WHERE attname = 'id'
		AND atttypid <> 'bigint'::regtype AND attrelid IN (SELECT oid FROM pg_class
		WHERE relnamespace = 's'::regnamespace)")"
	assert_equal t "$(sql "$DB" "INSERT INTO s.two SELECT setval('s.shared', 3000000000) RETURNING id > 2147483647")"
}

@test "sequence-near-end: what keeps a column from being changed is named in place of SQL that fails" {
	sql "$DB" - <<-'SQL'
		CREATE TABLE seen (id serial PRIMARY KEY);
		CREATE VIEW public."the view" AS SELECT id FROM seen;
		SELECT setval('seen_id_seq', 2000000000) \g /dev/null
		CREATE TABLE key (id serial) PARTITION BY RANGE (id);
		CREATE TABLE key_part PARTITION OF key DEFAULT;
		SELECT setval('key_id_seq', 2000000000) \g /dev/null
		CREATE TABLE hashed (id serial) PARTITION BY HASH ((id + 1));
		SELECT setval('hashed_id_seq', 2000000000) \g /dev/null
		CREATE TABLE below (id serial, at date) PARTITION BY RANGE (at);
		CREATE TABLE below_part PARTITION OF below DEFAULT PARTITION BY RANGE (id);
		SELECT setval('below_id_seq', 2000000000) \g /dev/null
		CREATE TABLE guarded (id serial, twice int GENERATED ALWAYS AS (id * 2) STORED);
		CREATE POLICY mine ON guarded USING (id > 1);
		SELECT setval('guarded_id_seq', 2000000000) \g /dev/null
		CREATE TABLE typed (id serial);
		CREATE TABLE holder (t typed);
		SELECT setval('typed_id_seq', 2000000000) \g /dev/null
	SQL
	doctor --only sequence-near-end
	notes=$(jq -r '.findings[] | .object + ": " + .note' <<<"$output")
	assert_equal null "$(jq -c '[.findings[].fix] | unique[]' <<<"$output")"
	for line in 'public.below_id_seq: The type of public.below_part.id cannot be changed, as it is in its partition key' \
		'public.hashed_id_seq: The type of public.hashed.id cannot be changed' \
		'public.key_id_seq: The type of public.key.id cannot be changed' \
		'public.typed_id_seq: The type of public.typed.id cannot be changed, as it is part of the row type' \
		'public.guarded_id_seq: Drop generated column twice of public.guarded, policy mine on table public.guarded, which' \
		'public.seen_id_seq: Drop view public."the view", which would be in the way, then ALTER TABLE public.seen ALTER'; do
		assert_contains "$notes" "$line"
	done
	# And that is so.
	for table in seen key hashed below guarded typed; do
		! sql "$DB" "ALTER TABLE $table ALTER id TYPE bigint" 2>/dev/null
	done
	sql "$DB" 'DROP VIEW "the view"'
	doctor --only sequence-near-end
	sql "$DB" "$(jq -r '.findings[] | select(.object == "public.seen_id_seq").fix' <<<"$output")"
	doctor --only sequence-near-end
	refute_contains "$FOUND" seen
}

@test "sequence-near-end: what depends on a view in the way is named before it" {
	sql "$DB" - <<-'SQL'
		CREATE TABLE t (id serial PRIMARY KEY, n int);
		CREATE VIEW vm AS SELECT id, n FROM t;
		CREATE MATERIALIZED VIEW m AS SELECT id FROM vm;
		CREATE UNIQUE INDEX ON m (id);
		CREATE VIEW top AS SELECT m.id FROM m JOIN vm USING (id);
		CREATE FUNCTION rows() RETURNS SETOF vm LANGUAGE sql AS 'TABLE vm';
		CREATE TABLE holder (h vm[]);
		CREATE TABLE log (id int);
		CREATE RULE noted AS ON UPDATE TO t DO ALSO INSERT INTO log VALUES (new.id);
		SELECT setval('t_id_seq', 2000000000) \g /dev/null
	SQL
	run ! sql "$DB" 'DROP VIEW vm'
	doctor --only sequence-near-end
	note=$(jq -r '.findings[].note' <<<"$output")
	assert_equal 'Drop view public.top, column h of table public.holder, function public.rows(), materialized view public.m, rule noted on table public.t, view public.vm, which would be in the way, then ALTER TABLE public.t ALTER COLUMN id TYPE bigint; ALTER SEQUENCE public.t_id_seq AS bigint NO MAXVALUE; and make them again as they were.' "$note"
	# In that order nothing is in the way.
	sql "$DB" - <<-'SQL'
		DROP VIEW public.top;
		ALTER TABLE public.holder DROP COLUMN h;
		DROP FUNCTION public.rows();
		DROP MATERIALIZED VIEW public.m;
		DROP RULE noted ON public.t;
		DROP VIEW public.vm;
	SQL
	doctor --only sequence-near-end
	mend
	finds sequence-near-end
}

@test "sequences that feed a column of a domain over an integer type" {
	sql "$DB" - <<-'SQL'
		CREATE DOMAIN positive AS int CHECK (value > 0);
		CREATE DOMAIN "Key" AS positive;
		CREATE DOMAIN short AS smallint;
		CREATE DOMAIN number AS numeric;
		CREATE DOMAIN big AS bigint;
		CREATE SEQUENCE wide;
		CREATE TABLE a (id positive DEFAULT nextval('wide'));
		CREATE TABLE b (id "Key" DEFAULT nextval('wide'));
		CREATE TABLE c (id short DEFAULT nextval('wide'));
		CREATE TABLE d (id number DEFAULT nextval('wide'), other big DEFAULT nextval('wide'));
	SQL
	finds sequence-wider-than-column 'info public.a.id' 'info public.b.id' 'info public.c.id'
	assert_contains "$output" 'is public.\"Key\", a domain, and its sequence'
	assert_equal 'null Make a domain over bigint with the same constraints, and change its type to that.' \
		"$(jq -r '.findings[] | "\(.fix) \(.note)"' <<<"$output" | sort -u)"
	sql "$DB" "DROP TABLE c; SELECT setval('wide', 2000000000)"
	finds sequence-near-end 'error public.wide'
	assert_contains "$output" 'inserts into public.a.id, which is public.positive, a domain over integer, and public.b.id, which is public.\"Key\", a domain over integer, then fail'
	assert_equal 'null The type of public.a.id is the domain public.positive, which' \
		"$(jq -r '.findings[] | "\(.fix) \(.note)"' <<<"$output" | cut -d ' ' -f 1-10)"
	sql "$DB" 'CREATE DOMAIN long AS bigint CHECK (value > 0); ALTER TABLE a ALTER id TYPE long; ALTER TABLE b ALTER id TYPE long'
	finds sequence-near-end
	finds sequence-wider-than-column
}

@test "sequence-near-end: sequences that the role may not read are told" {
	sql "$DB" "CREATE TABLE t (id serial PRIMARY KEY); SELECT setval('t_id_seq', 2147483647)"
	export CONNECTION_URL
	CONNECTION_URL=$(app_url "$DB")
	finds sequence-near-end
	assert_equal 'sequence-near-end: the role may not read 1 sequence (public.t_id_seq)' "$(missed)"
	sql "$DB" 'GRANT SELECT ON t_id_seq TO app'
	finds sequence-near-end 'error public.t_id_seq'
	assert_equal '' "$(missed)"
}

@test "sequence-wider-than-column: an integer column fed by a bigint sequence" {
	sql "$DB" - <<-'SQL'
		CREATE SEQUENCE wide;
		CREATE TABLE fed (id int DEFAULT nextval('wide') PRIMARY KEY);
		CREATE TABLE fine (id serial PRIMARY KEY, b bigserial);
	SQL
	finds sequence-wider-than-column 'info public.fed.id'
	mend
	finds sequence-wider-than-column
	sql "$DB" - <<-'SQL'
		CREATE TABLE parent (id int DEFAULT nextval('wide'));
		CREATE TABLE child () INHERITS (parent);
		CREATE TABLE seen (id int DEFAULT nextval('wide'));
		CREATE VIEW v AS TABLE seen;
		CREATE TABLE key (id int DEFAULT nextval('wide')) PARTITION BY HASH (id);
	SQL
	finds sequence-wider-than-column 'info public.child.id' 'info public.key.id' 'info public.parent.id' 'info public.seen.id'
	assert_equal 'ALTER TABLE public.parent ALTER COLUMN id TYPE bigint;' \
		"$(jq -r '.findings[].fix | values' <<<"$output")"
	assert_equal 3 "$(jq '[.findings[] | select(.fix == null and .note != null)] | length' <<<"$output")"
	sql "$DB" 'ALTER TABLE public.parent ALTER COLUMN id TYPE bigint'
	finds sequence-wider-than-column 'info public.key.id' 'info public.seen.id'
}

# Runs what the notes of the last doctor name, each in a session of its own.
follow() {
	jq -r '.findings[].note | values | sub(".*before pg_temp: "; "")' <<<"$output" >follow.sql
	sql "$DB" - <follow.sql
}

@test "security-definer: a search_path that the caller has a hand in" {
	sql "$DB" - <<-'SQL'
		REVOKE CREATE ON SCHEMA public FROM PUBLIC;
		CREATE SCHEMA own;
		CREATE SCHEMA shared;
		GRANT CREATE ON SCHEMA shared TO PUBLIC;
		CREATE FUNCTION own.bare(x int) RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
		CREATE FUNCTION own.shared() RETURNS int LANGUAGE sql SECURITY DEFINER
			SET search_path = own, shared, pg_temp AS 'SELECT 1';
		CREATE FUNCTION own.half() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = own AS 'SELECT 1';
		CREATE FUNCTION own.safe() RETURNS int LANGUAGE sql SECURITY DEFINER
			SET search_path = own, pg_temp AS 'SELECT 1';
		CREATE FUNCTION own.empty() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT 1';
		CREATE FUNCTION own.invoker() RETURNS int LANGUAGE sql AS 'SELECT 1';
		CREATE PROCEDURE own."do"() LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
		CREATE FUNCTION own.kept() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
		REVOKE EXECUTE ON FUNCTION own.kept() FROM PUBLIC;
		CREATE FUNCTION own.given() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
		REVOKE EXECUTE ON FUNCTION own.given() FROM PUBLIC;
		GRANT EXECUTE ON FUNCTION own.given() TO app;
		CREATE FUNCTION own.fired() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN new; END';
		REVOKE EXECUTE ON FUNCTION own.fired() FROM PUBLIC;
	SQL
	[ "$SERVER_VERSION" -lt 14 ] || sql "$DB" 'CREATE FUNCTION own.parsed() RETURNS int LANGUAGE sql
		SECURITY DEFINER BEGIN ATOMIC SELECT 1; END'
	finds security-definer 'warning own."do"()' 'warning own.bare(x integer)' 'warning own.fired()' \
		'warning own.given()' 'info own.half()' 'warning own.shared()'
	# Only what takes no schema from a body is to be run as it is.
	assert_equal 'ALTER FUNCTION own.half() SET search_path = own, pg_temp;' \
		"$(jq -r '.findings[].fix | values' <<<"$output")"
	mend
	follow
	finds security-definer
}

@test "security-definer: the search_path that is advised keeps the function working" {
	sql "$DB" - <<-'SQL'
		CREATE SCHEMA "My own";
		CREATE SCHEMA extra;
		CREATE TABLE "My own".item AS SELECT 1 AS id;
		CREATE TABLE extra.more AS SELECT 2 AS id;
		GRANT CREATE ON SCHEMA public TO PUBLIC;
		CREATE TABLE here AS SELECT 3 AS id;
		CREATE FUNCTION "My own".a() RETURNS int LANGUAGE plpgsql SECURITY DEFINER
			AS 'BEGIN RETURN (SELECT id FROM item); END';
		CREATE FUNCTION "My own".b() RETURNS int LANGUAGE plpgsql SECURITY DEFINER
			SET search_path = "$user", extra, public AS 'BEGIN RETURN (SELECT id FROM more); END';
		CREATE FUNCTION public.c() RETURNS int LANGUAGE plpgsql SECURITY DEFINER
			SET search_path = "$user", public AS 'BEGIN RETURN (SELECT id FROM here); END';
		CREATE FUNCTION "My own".d() RETURNS int LANGUAGE plpgsql SECURITY DEFINER
			SET search_path = pg_temp, extra, "My own" AS 'BEGIN RETURN (SELECT id FROM more); END';
	SQL
	finds security-definer 'warning "My own".a()' 'warning "My own".b()' 'info "My own".d()' 'warning public.c()'
	assert_equal 'null Look at its body for names without a schema, and put the schemas that they are in before pg_temp: ALTER FUNCTION "My own".a() SET search_path = "My own", pg_temp;' \
		"$(jq -r '.findings[0] | "\(.fix) \(.note)"' <<<"$output")"
	follow
	finds security-definer
	assert_equal '1|2|3|2' "$(sql "$DB" "CREATE TEMP TABLE item AS SELECT -1 AS id; CREATE TEMP TABLE more AS SELECT -1 AS id;
		CREATE TEMP TABLE here AS SELECT -1 AS id;
		SELECT \"My own\".a(), \"My own\".b(), public.c(), \"My own\".d()" | tail -1)"
}

#!/usr/bin/env bats
# What db-doctor says of indexes does not contradict itself, and costs nobody a constraint; and what it
# finds in databases that are not in UTF-8.

load helper
load doctor

@test "duplicate-index: what holds other rows unique, or at another time, is no duplicate" {
	sql "$DB" - <<-'SQL'
		CREATE TABLE t (a int, b int);
		ALTER TABLE t ADD CONSTRAINT later UNIQUE (a) DEFERRABLE;
		CREATE UNIQUE INDEX at_once ON t (a);
		CREATE INDEX plain ON t (a);
	SQL
	# Whatever else is there, a plain one is of no use beside either.
	finds duplicate-index 'warning public.plain'
	mend
	sql "$DB" 'BEGIN; SET CONSTRAINTS ALL DEFERRED; INSERT INTO t VALUES (1)'
	run ! sql "$DB" 'BEGIN; SET CONSTRAINTS ALL DEFERRED; INSERT INTO t VALUES (2), (2)'
	[ "$SERVER_VERSION" -ge 15 ] || return 0
	sql "$DB" - <<-'SQL'
		CREATE TABLE n (a int UNIQUE, b int);
		CREATE UNIQUE INDEX one_null ON n (a) NULLS NOT DISTINCT;
		CREATE UNIQUE INDEX another_null ON n (a) NULLS NOT DISTINCT;
	SQL
	finds duplicate-index 'warning public.another_null'
	mend
	finds duplicate-index
	run ! sql "$DB" 'INSERT INTO n VALUES (NULL), (NULL)'
}

@test "duplicate-index: other parameters of the operator class, or of the access method, are another index" {
	sql "$DB" - <<-'SQL'
		CREATE TABLE t (v tsvector, at int);
		CREATE INDEX long_signature ON t USING gist (v tsvector_ops (siglen = 100));
		CREATE INDEX usual ON t USING gist (v);
		CREATE INDEX long_again ON t USING gist (v tsvector_ops (siglen = 100));
		CREATE INDEX coarse ON t USING brin (at);
		CREATE INDEX fine ON t USING brin (at) WITH (pages_per_range = 4);
		CREATE INDEX full_pages ON t (at) WITH (fillfactor = 100);
		CREATE INDEX loose ON t (at) WITH (fillfactor = 70);
	SQL
	finds duplicate-index 'warning public.long_again' 'warning public.loose'
	mend
	finds duplicate-index
}

@test "duplicate-index: of two the one with a statistics target stays" {
	sql "$DB" - <<-'SQL'
		CREATE TABLE t (a int PRIMARY KEY, b int);
		CREATE INDEX first ON t ((a + b));
		CREATE INDEX second ON t ((a + b));
		ALTER INDEX second ALTER COLUMN 1 SET STATISTICS 500;
		CREATE INDEX older ON t ((a - b));
		CREATE INDEX newer ON t ((a - b));
		ALTER INDEX older ALTER COLUMN 1 SET STATISTICS 500;
		CREATE INDEX product ON t ((a * b));
		CREATE INDEX again ON t ((a * b));
		ALTER INDEX product ALTER COLUMN 1 SET STATISTICS 500;
		ALTER INDEX again ALTER COLUMN 1 SET STATISTICS 500;
	SQL
	finds duplicate-index 'warning public.first' 'warning public.newer' 'warning public.again'
	mend
	finds duplicate-index
}

@test "an index that is not valid leads to no second one" {
	sql "$DB" - <<-'SQL'
		CREATE TABLE parent (id int PRIMARY KEY);
		CREATE TABLE child (id int PRIMARY KEY, ref int REFERENCES parent);
		CREATE INDEX broken ON child (ref);
		UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass;
		CREATE TABLE part (id int, ref int REFERENCES parent) PARTITION BY RANGE (id);
		CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (1) TO (10);
		CREATE INDEX incomplete ON ONLY part (ref);
		CREATE TABLE left_over (id int PRIMARY KEY, ref int REFERENCES parent);
		CREATE INDEX some_ccnew ON left_over (ref);
		UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'some_ccnew'::regclass;
	SQL
	finds fk-without-index 'warning public.child (child_ref_fkey)' \
		'warning public.left_over (left_over_ref_fkey)' 'warning public.part (part_ref_fkey)'
	assert_equal 'null The index public.broken would do, and is not valid: what invalid-index says of it mends this too.
CREATE INDEX CONCURRENTLY ON public.left_over (ref); null
null The index public.incomplete would do, and is not valid: what invalid-index says of it mends this too.' \
		"$(jq -r '.findings[] | "\(.fix) \(.note)"' <<<"$output")"
	doctor --only invalid-index
	assert_equal 'REINDEX INDEX CONCURRENTLY public.broken;' \
		"$(jq -r '.findings[] | select(.object == "public.broken").fix' <<<"$output")"
	sql "$DB" 'REINDEX INDEX CONCURRENTLY public.broken'
	sql "$DB" 'DROP INDEX CONCURRENTLY public.some_ccnew'
	sql "$DB" 'CREATE INDEX piece ON part_1 (ref); ALTER INDEX incomplete ATTACH PARTITION piece'
	finds invalid-index
	finds fk-without-index 'warning public.left_over (left_over_ref_fkey)'
	mend
	finds fk-without-index
	assert_equal '1 1' "$(sql "$DB" "SELECT string_agg(n::text, ' ') FROM (SELECT count(*) AS n FROM pg_index
		WHERE indrelid IN ('child'::regclass, 'part'::regclass) AND NOT indisprimary GROUP BY indrelid) x")"
}

@test "no-primary-key: what cannot be run as it is is a note" {
	sql "$DB" 'CREATE TABLE bare (a int)'
	finds no-primary-key 'warning public.bare'
	assert_equal 'null Say which columns tell its rows apart: ALTER TABLE public.bare ADD PRIMARY KEY (...);' \
		"$(jq -r '.findings[] | "\(.fix) \(.note)"' <<<"$output")"
}

@test "no-primary-key: a warning, or a hint where a unique index could be it" {
	sql "$DB" - <<-'SQL'
		CREATE TABLE bare (a int);
		CREATE TABLE almost (a int NOT NULL, b int NOT NULL);
		CREATE UNIQUE INDEX almost_key ON almost (b, a);
		CREATE TABLE nullable (a int UNIQUE);
		CREATE TABLE fine (a int PRIMARY KEY);
		CREATE TABLE split (id int PRIMARY KEY) PARTITION BY RANGE (id);
		CREATE TABLE split_1 PARTITION OF split FOR VALUES FROM (1) TO (10);
		CREATE UNLOGGED TABLE quick (a int);
		CREATE TABLE sorted (a varchar NOT NULL, b text NOT NULL, c text NOT NULL);
		CREATE UNIQUE INDEX pattern ON sorted (b text_pattern_ops);
		CREATE UNIQUE INDEX downwards ON sorted (c DESC);
		CREATE UNIQUE INDEX other_order ON sorted (b COLLATE "C");
	SQL
	# A primary key takes none of these.
	for index in pattern downwards other_order; do
		run ! sql "$DB" "ALTER TABLE sorted ADD PRIMARY KEY USING INDEX $index"
	done
	finds no-primary-key 'info public.almost' 'warning public.bare' 'warning public.nullable' \
		'warning public.quick' 'info public.sorted'
	assert_equal 'null That index is sorted otherwise than one of a primary key, which takes an index of its own: ALTER TABLE public.sorted ADD PRIMARY KEY (c);' \
		"$(jq -r '.findings[-1] | "\(.fix) \(.note)"' <<<"$output")"
	sql "$DB" 'CREATE UNIQUE INDEX taken ON sorted (a, b)'
	doctor --only no-primary-key
	sql "$DB" "$(jq -r '.findings[-1].fix' <<<"$output")"
	doctor --only no-primary-key
	refute_contains "$FOUND" sorted
	sql "$DB" "$(jq -r '.findings[0].fix' <<<"$output")"
	assert_equal '{b,a}' "$(sql "$DB" "SELECT array(SELECT attname FROM pg_attribute
		WHERE attrelid = 'almost_key'::regclass ORDER BY attnum)
		FROM pg_index WHERE indrelid = 'almost'::regclass AND indisprimary")"
}

@test "duplicate-index: equal indexes, of which a constraint's stays" {
	sql "$DB" - <<-'SQL'
		CREATE TABLE t (a int PRIMARY KEY, b int, c text);
		CREATE INDEX first ON t (b);
		CREATE INDEX second ON t (b);
		CREATE INDEX as_key ON t (a);
		CREATE INDEX descending ON t (b DESC);
		CREATE INDEX partial ON t (b) WHERE b > 0;
		CREATE INDEX pattern ON t (c text_pattern_ops);
		CREATE INDEX text ON t (c);
		CREATE INDEX sum ON t ((a + b));
		CREATE INDEX same_sum ON t ((a + b));
		CREATE INDEX covering ON t (b) INCLUDE (c);
		ALTER TABLE t ADD UNIQUE (a);
		CREATE TABLE twice (a int, b int, CONSTRAINT older UNIQUE (a));
		ALTER TABLE twice ADD CONSTRAINT newer UNIQUE (a);
		CREATE TABLE child (a int REFERENCES twice (a));
		CREATE TABLE whole (a int PRIMARY KEY) PARTITION BY RANGE (a);
		CREATE TABLE part PARTITION OF whole FOR VALUES FROM (1) TO (10);
		CREATE INDEX of_part ON part (a);
	SQL
	# The foreign key takes the older one; where it is the newer one that it needs, the older one goes.
	assert_equal older "$(sql "$DB" "SELECT conindid::regclass FROM pg_constraint WHERE conname = 'child_a_fkey'")"
	finds duplicate-index 'warning public.second' 'warning public.as_key' 'warning public.same_sum' \
		'warning public.t_a_key' 'warning public.newer' 'warning public.of_part'
	mend
	finds duplicate-index
	assert_equal 'older t_pkey' "$(sql "$DB" "SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint
		WHERE conrelid IN ('t'::regclass, 'twice'::regclass) AND contype <> 'n'")"
	sql "$DB" "ALTER TABLE twice ADD CONSTRAINT newest UNIQUE (a);
		UPDATE pg_constraint SET conindid = 'newest'::regclass WHERE conname = 'child_a_fkey'"
	finds duplicate-index 'warning public.older'
	assert_equal 8 "$(sql "$DB" "SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass")"
}

# --- encodings ---------------------------------------------------------------------------------

# in_encoding NAME: the test's database is a new one in that encoding.
in_encoding() {
	DB=$(db_name "in_${1,,}")
	sql postgres "CREATE DATABASE $DB ENCODING '$1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
	export CONNECTION_URL
	CONNECTION_URL=$(url "$DB")
}

@test "every check is made in a database of another encoding" {
	for encoding in LATIN1 EUC_JP SQL_ASCII; do
		in_encoding "$encoding"
		doctor
		assert_status 0
		assert_equal '' "$(missed | grep -v 'servers before 15' || :)"
		assert_equal 20 "$(jq '.summary.checks + .summary.not_seen' <<<"$output")"
	done
}

@test "names that are not UTF-8 are found, and shown by their bytes" {
	in_encoding SQL_ASCII
	sql "$DB" "SET client_encoding = 'SQL_ASCII'; CREATE TABLE fine (a int); CREATE TABLE \"b"$'\xe4'"r\" (a int)"
	doctor
	assert_status 0
	assert_equal '' "$(missed | grep -v 'servers before 15' || :)"
	assert_contains "$FOUND" 'public."b\xE4r"'
	assert_contains "$FOUND" 'warning public.fine'
	run --separate-stderr db-doctor
	assert_status 0
	assert_contains "$output" 'no-primary-key  public."b\xE4r"'
	refute_contains "$output" $'\xe4'
}

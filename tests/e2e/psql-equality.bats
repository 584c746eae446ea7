#!/usr/bin/env bats
# bats file_tags=slow,once
# The scripts of tests/corpus/psql come to the same with psql -X -q -v ON_ERROR_STOP=1 -f and with
# db-schema-load, each in a database and a directory of its own: the same status (0 or not), the same
# schema and rows. Their names say how they end:
#
#   NAME.sql        well
#   NAME.fail.sql   both fail; the same stays of what came before, with --no-transaction
#   NAME.early.sql  both fail, ours before anything was run
#
# Those of tests/corpus/psql/refused are taken otherwise than psql takes them, on purpose.

load helper

setup() {
	common_setup
	cp -R "$ROOT/tests/corpus/psql" psql
	cp -R "$ROOT/tests/corpus/psql" ours
	COUNT=0
}

# scripts PATTERN...: sets SCRIPTS to their names.
scripts() {
	mapfile -t SCRIPTS < <(cd "$ROOT/tests/corpus/psql" && find . -maxdepth 1 -type f "$@" | sed 's,^\./,,' | LC_ALL=C sort)
}

# Makes THEIRS and OURS, two new databases.
databases() {
	COUNT=$((COUNT + 1))
	THEIRS=$(db_name "psql_$COUNT")
	OURS=$(db_name "ours_$COUNT")
	sql postgres - <<-SQL
		CREATE DATABASE $THEIRS;
		CREATE DATABASE $OURS;
	SQL
}

# run_in DIR COMMAND...: sets status; leaves DIR/stdout and DIR/stderr.
run_in() {
	local dir=$1
	shift
	status=0
	(cd "$dir" && exec "$@" </dev/null >stdout 2>stderr) || status=$?
}

# Until 17 psql leaves the end mark of CSV data to the server, which from 18 on takes it for data.
psql_is_too_old_for() {
	grep -qi 'csv' "ours/$1" && [ "${SERVER_VERSION%%.*}" -ge 18 ] &&
		[ "$("$SERVER_PSQL" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')" -lt 18 ]
}

# run_both SCRIPT OPTION...: sets THEIR_STATUS and OUR_STATUS.
run_both() {
	local script=$1
	shift
	databases || return
	run_in psql "$SERVER_PSQL" -XqAt -v ON_ERROR_STOP=1 -f "$script" -d "$(url "$THEIRS")"
	THEIR_STATUS=$status
	run_in ours env CONNECTION_URL="$(url "$OURS")" db-schema-load "$@" -f "$script"
	OUR_STATUS=$status
}

# Schema and rows of a database, and of the one that connect.sql makes, without their names.
contents() {
	local name
	for name in $(sql postgres "SELECT datname FROM pg_database WHERE datname IN ('$1', '$1_other') ORDER BY 1"); do
		printf '== %s\n' "${name#"$1"}"
		dump "$name" | sed "s/$1/DATABASE/g"
	done
}

report() {
	printf '%s: %s (psql %s, ours %s)\n' "$1" "$2" "$THEIR_STATUS" "$OUR_STATUS"
	tail -n 5 psql/stderr ours/stderr
	FAILED=1
} >&2

# same_contents SCRIPT
same_contents() {
	diff <(contents "$THEIRS") <(contents "$OURS") >&2 || report "$1" 'different databases (< psql)'
}

# The database has nothing but what a new one has.
untouched() {
	local empty
	empty=$(db "empty_$COUNT")
	diff <(contents "$empty" | sed "s/$empty/DATABASE/g") <(contents "$OURS") >&2 ||
		report "$1" 'the database is not untouched'
}

@test "scripts that succeed leave what psql leaves" {
	FAILED=0
	scripts -name '*.sql' ! -name '*.*.sql'
	[ "${#SCRIPTS[@]}" -ge 30 ]
	for script in "${SCRIPTS[@]}"; do
		run_both "$script"
		if psql_is_too_old_for "$script"; then
			[ "$OUR_STATUS" -eq 0 ] || report "$script" 'ours did not succeed'
		elif [ "$THEIR_STATUS" -ne 0 ] || [ "$OUR_STATUS" -ne 0 ]; then
			report "$script" 'not both succeeded'
		else
			same_contents "$script"
		fi
	done
	[ "$FAILED" = 0 ]
}

@test "scripts that fail leave what psql leaves, without a transaction" {
	FAILED=0
	scripts -name '*.fail.sql'
	[ "${#SCRIPTS[@]}" -ge 9 ]
	for script in "${SCRIPTS[@]}"; do
		run_both "$script" --no-transaction
		if [ "$THEIR_STATUS" -eq 0 ] || [ "$OUR_STATUS" -eq 0 ]; then
			report "$script" 'not both failed'
		else
			same_contents "$script"
		fi
	done
	[ "$FAILED" = 0 ]
}

@test "scripts that fail leave nothing, in a transaction" {
	FAILED=0
	scripts -name '*.fail.sql' ! -name '*transaction*' ! -name 'connect*'
	for script in "${SCRIPTS[@]}"; do
		run_both "$script"
		[ "$OUR_STATUS" -ne 0 ] || report "$script" 'ours did not fail'
		untouched "$script"
	done
	[ "$FAILED" = 0 ]
}

@test "what is wrong in a script by itself is found before anything runs" {
	FAILED=0
	scripts -name '*.early.sql'
	[ "${#SCRIPTS[@]}" -ge 4 ]
	for script in "${SCRIPTS[@]}"; do
		run_both "$script" --no-transaction
		if [ "$THEIR_STATUS" -eq 0 ] || [ "$OUR_STATUS" -eq 0 ]; then
			report "$script" 'not both failed'
		else
			untouched "$script"
		fi
	done
	[ "$FAILED" = 0 ]
}

# Scripts whose queries return no rows, which psql would print.
@test "what a script prints goes to the streams that psql prints it to" {
	FAILED=0
	for script in echo.sql gset.sql variables.sql crlf.sql quit.sql restrict.sql copy-out.sql latin1.sql buffer.sql error.fail.sql; do
		run_both "$script" -q
		diff psql/stdout ours/stdout >&2 || report "$script" 'different text on stdout (< psql)'
		[ -s psql/stdout ] || report "$script" 'nothing was printed'
	done
	run_both echo.sql -q
	diff psql/stderr <(grep -v 'holds no statement$' ours/stderr) >&2 || report echo.sql 'different text on stderr (< psql)'
	[ "$FAILED" = 0 ]
}

# refuses SCRIPT STATUS THEIR_STATUS MESSAGE: of refused/SCRIPT.
refuses() {
	run_both "refused/$1"
	if [ "$OUR_STATUS" -ne "$2" ] || [ "$THEIR_STATUS" -ne "$3" ]; then
		report "$1" "expected psql $3, ours $2"
	fi
	assert_contains "$(<ours/stderr)" "$4" || FAILED=1
	REFUSED+=("$1")
}

@test "what is taken otherwise than by psql is named" {
	FAILED=0 REFUSED=()
	# Programs and files.
	refuses shell.sql 3 0 'shell.sql:2:1: ERROR: psql meta-command \! is not supported'
	untouched shell.sql
	refuses g-file.sql 3 0 'g-file.sql:2:10: ERROR: \g to a file is not supported'
	refuses o-file.sql 3 0 'o-file.sql:2:1: ERROR: psql meta-command \o is not supported'
	refuses backquotes.sql 3 0 'backquotes.sql:1:1: ERROR: backquotes, which run a program, are not supported'
	refuses copy-program.sql 3 0 'copy-program.sql:2:1: ERROR: \copy from or to a program is not supported'
	refuses setenv.sql 3 0 'setenv.sql:2:1: ERROR: psql meta-command \setenv is not supported'
	refuses connect-host.sql 4 3 'hint: --allow-connect allows another host'
	[ ! -e ours/out.tmp ] || FAILED=1
	# What psql passes over in silence, or only after it ran the rest.
	refuses open-quote.sql 3 3 'open-quote.sql:2:23: ERROR: quoted string is never closed'
	untouched open-quote.sql
	refuses open-copy.sql 3 0 'open-copy.sql:2'
	untouched open-copy.sql
	refuses open-if.sql 3 3 'open-if.sql:2:1: ERROR: \if without \endif'
	refuses if-boolean.sql 3 0 'if-boolean.sql:2:1: ERROR: \if: "maybe" is no boolean'
	refuses nul.sql 3 0 'nul.sql:2:1: ERROR: script holds a NUL byte'
	refuses open-begin.sql 3 0 'open-begin.sql:2: ERROR: the transaction begun here is never committed'
	same_contents open-begin.sql
	refuses autocommit.sql 3 0 'autocommit.sql:2: ERROR: AUTOCOMMIT is off'
	same_contents autocommit.sql
	# What only shows something is passed over.
	refuses describe.sql 0 0 'describe.sql:2: \d shows nothing here'
	# The status tells of errors that were passed over.
	refuses keep-going.sql 3 0 '2 statements failed'
	same_contents keep-going.sql
	# psql 15 sends an end mark without a newline as data.
	run_both refused/no-newline-copy.sql
	assert_equal 0 "$OUR_STATUS" || FAILED=1
	assert_equal $'1\n2' "$(sql "$OURS" 'SELECT a FROM t')" || FAILED=1
	REFUSED+=(no-newline-copy.sql)
	assert_equal "$(cd "$ROOT/tests/corpus/psql/refused" && printf '%s\n' *.sql)" \
		"$(printf '%s\n' "${REFUSED[@]}" | LC_ALL=C sort)"
	[ "$FAILED" = 0 ]
}

# bats test_tags=once
@test "the comparison with psql notices what differs" {
	FAILED=0
	echo 'CREATE TABLE t AS SELECT 1 AS a;' >psql/x.sql
	for other in 'CREATE TABLE t AS SELECT 2 AS a;' 'CREATE TABLE t AS SELECT 1 AS b;' '-- nothing'; do
		printf '%s\n' "$other" >ours/x.sql
		run_both x.sql
		FAILED=0
		same_contents x.sql 2>/dev/null
		assert_equal 1 "$FAILED"
		if [ "$other" != '-- nothing' ]; then
			FAILED=0
			untouched x.sql 2>/dev/null
			assert_equal 1 "$FAILED"
		fi
	done
}

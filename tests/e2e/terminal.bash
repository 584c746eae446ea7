# A terminal that a test types on step by step. `load terminal` after `load helper`.
#
#   on_terminal COMMAND...  runs it in the background on a terminal of its own (finish_terminal ends it)
#   screen_has TEXT         waits until that stands on the screen
#   screen_ends TEXT        waits until that is the last thing on it, as a question is
#   type_keys TEXT          types it, escapes as in $'...'; add \n for the return key
#   screen                  prints what stood on it so far
#   finish_terminal         waits for its end; sets $status, $output (the screen)
#   answer QUESTION TEXT COMMAND...
#                           all of that: types TEXT when the screen ends with the question

# shellcheck shell=bash
# SC2154: helper.bash sets them. SC2034: bats files read them.
# shellcheck disable=SC2034,SC2154

on_terminal() {
	SCREEN=$TEST_DIR/screen
	rm -f "$TEST_DIR/keys"
	mkfifo "$TEST_DIR/keys"
	: >"$SCREEN"
	# shellcheck disable=SC2016 # the inner shell expands them
	start_job env SHELL=/bin/bash bash -c 'exec script -qefc "$1" "$2" <"$3"' _ \
		"$(printf '%q ' "$@")" "$SCREEN" "$TEST_DIR/keys"
	exec {KEYS}>"$TEST_DIR/keys"
}

# Without what script itself writes around it.
screen() {
	sed -e '/^Script started on /d' -e '/^Script done on /d' -e 's/\r//g' "$SCREEN"
}

screen_has() {
	wait_until "screen | grep -qF -- $(printf %q "$1")"
}

screen_ends() {
	wait_until "[[ \$(screen) == *$(printf %q "$1") ]]"
}

type_keys() {
	printf %s "$1" >&"$KEYS"
}

finish_terminal() {
	wait_until job_ended 20 || return
	exec {KEYS}>&-
	finish_job
	output=$(screen)
}

answer() {
	local question=$1 text=$2
	shift 2
	on_terminal "$@"
	screen_ends "$question" || return
	type_keys "$text"
	finish_terminal
}

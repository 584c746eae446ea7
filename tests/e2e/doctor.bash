# What tests of db-doctor's findings have in common: `load helper`, `load doctor`.

# shellcheck shell=bash
# SC2154: helper.bash and bats set them. SC2034: tests read FOUND.
# shellcheck disable=SC2154,SC2034

# The database DB is the target.
setup() {
	common_setup
	DB=$(db main)
	export CONNECTION_URL
	CONNECTION_URL=$(url "$DB")
}

# doctor [ARGUMENT...]: as JSON; FOUND is what was found, a line each: severity and object.
doctor() {
	run --separate-stderr db-doctor --json "$@"
	FOUND=$(jq -r '.findings[] | "\(.severity) \(.object)"' <<<"$output")
}

# finds ID LINE...: that check finds just this in the test's database, and no other check is asked.
finds() {
	local id=$1
	shift
	doctor --only "$id"
	assert_status 0
	assert_equal "$(printf '%s\n' "$@")" "$FOUND"
	assert_equal '' "$(jq -r --arg id "$id" '.findings[] | select(.id != $id)' <<<"$output")"
}

# Runs what the last doctor would have typed, each in a session of its own.
mend() {
	local fix
	while IFS= read -r -d '' fix; do
		while [[ $fix == *';'* ]]; do
			sql "$DB" "${fix%%;*}" || return
			fix=${fix#*;}
		done
	done < <(jq -j '.findings[].fix + "\u0000"' <<<"$output")
}

missed() {
	jq -r '.not_seen[] | "\(.id): \(.reason)"' <<<"$output"
}

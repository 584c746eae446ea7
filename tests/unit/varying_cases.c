/*
 * What varies in a script, for tests/e2e/varying.bats: varying_cases URL SCRIPT [seed]. Prints what
 * the text shows (with its place), else what the server finds, else "-". seed: the database is as
 * the script finds it, not as it leaves it.
 */
#include "base/mem.h"
#include "pg/varying.h"
#include "sql/check.h"

#include <stdio.h>

static int find(const char *url, const char *path, bool seed, char **ret_reason, struct err *err)
{
	CLEANUP(script_inputs_release)
	struct script_inputs inputs = { .definitions_run = seed, .reads_data = true };
	CLEANUP(script_summary_release) struct script_summary summary = SCRIPT_SUMMARY_INIT;
	CLEANUP(params_release) struct params params = PARAMS_INIT;
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	const struct script_options options = { .inputs = &inputs };
	const struct script_inputs_settings settings = { 0 };
	const struct conn_options conn_options = { .application = "varying_cases" };

	if (script_check(path, path, &options, &summary, err) != 0 ||
		script_inputs_digest(&inputs, &settings, err) != 0)
		return -1;
	if (inputs.varying.count > 0) {
		*ret_reason = mem_strdup(inputs.varying.items[0]);
		return 0;
	}
	if (params_parse(&params, "URL", url, err) != 0 ||
		conn_open(&params, &conn_options, &conn, err) != 0)
		return -1;
	return varying_find(conn, &inputs.names, ret_reason, err);
}

int main(int argc, char **argv)
{
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(mem_cleanup) char *reason = NULL;

	if (argc < 3 || argc > 4)
		return 64;
	if (find(argv[1], argv[2], argc == 4, &reason, &err) != 0) {
		fprintf(stderr, "%s\n%s\n", err.message, err.detail ? err.detail : "");
		return 1;
	}
	printf("%s\n", reason ? reason : "-");
	return 0;
}

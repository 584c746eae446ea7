#include "app/doctor.h"
#include "base/file.h"
#include "base/mem.h"
#include "term/out.h"

#include <string.h>

#define IGNORE_FILE ".dbrig-doctor-ignore"

static bool opt_json, opt_no_health;
static const char *opt_fail_on;
static struct strlist opt_ignore, opt_only;

static const struct option doctor_options[] = {
	{ .name = "json",
		.type = OPTION_FLAG,
		.value = &opt_json,
		.help = "print one JSON object" },
	{ .name = "fail-on",
		.type = OPTION_STRING,
		.value = &opt_fail_on,
		.argument = "SEVERITY",
		.help = "exit with 5 when something as bad as that (warning, error) was found" },
	{ .name = "only",
		.type = OPTION_LIST,
		.value = &opt_only,
		.argument = "ID",
		.help = "make this check only; may be given several times" },
	{ .name = "ignore",
		.type = OPTION_LIST,
		.value = &opt_ignore,
		.argument = "ID[:OBJECT]",
		.help = "leave out what that check finds, or finds of that object (SCHEMA.* is all "
			"of a schema); may be given several times" },
	{ .name = "no-health",
		.type = OPTION_FLAG,
		.value = &opt_no_health,
		.help = "go the way to the server only, and look at nothing in the database" },
	{ 0 },
};

static int unknown_id(struct err *err)
{
	CLEANUP(mem_cleanup) char *ids = doctor_ids();

	err_hint(err, "There are: %s.", ids);
	return -1;
}

static int check_options(struct err *err)
{
	if (opt_fail_on && strcmp(opt_fail_on, "warning") != 0 && strcmp(opt_fail_on, "error") != 0)
		return err_set(err, ERR_USAGE,
			"--fail-on takes \"warning\" or \"error\", not \"%s\"", opt_fail_on);
	for (size_t i = 0; i < opt_only.count; i++)
		if (!doctor_knows(opt_only.items[i])) {
			err_set(err, ERR_USAGE, "there is no check \"%s\"", opt_only.items[i]);
			return unknown_id(err);
		}
	for (size_t i = 0; i < opt_only.count; i++)
		if (opt_no_health && doctor_is_of_health(opt_only.items[i]))
			return err_set(err, ERR_USAGE,
				"--no-health leaves out what \"--only %s\" asks for",
				opt_only.items[i]);
	return 0;
}

static int read_rules(struct doctor *doctor, const char *path, struct err *err)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	int result;

	for (size_t i = 0; i < opt_ignore.count; i++)
		if (ignore_add(&doctor->ignore, opt_ignore.items[i], strlen(opt_ignore.items[i]), 0,
			    doctor_knows, err) != 0)
			return unknown_id(err);
	result = file_read_regular(path, &text, err);
	if (result != 0)
		return result < 0 ? -1 : 0;
	if (ignore_parse(&doctor->ignore, path, text.data, text.length, doctor_knows, err) != 0)
		return unknown_id(err);
	return 0;
}

/* Whether a rule that matched nothing had its chance. */
static bool was_made(const struct doctor *doctor, const char *id)
{
	for (size_t i = 0; i < doctor->gap_count; i++)
		if (strcmp(doctor->gaps[i].id, id) == 0)
			return false;
	return doctor_wants(doctor, id);
}

static void tell_unused(const struct doctor *doctor, const char *path)
{
	for (size_t i = 0; i < doctor->ignore.count; i++) {
		const struct ignore_rule *rule = &doctor->ignore.items[i];

		if (rule->line > 0 && !rule->is_used && was_made(doctor, rule->id))
			out_detail("%s:%zu: \"%s%s%s\" matches nothing any more", path, rule->line,
				rule->id, rule->object ? ":" : "",
				rule->object ? rule->object : "");
	}
}

static bool is_bad_enough(const struct doctor *doctor)
{
	if (!opt_fail_on)
		return false;
	return doctor_count(doctor, DOCTOR_ERROR) > 0 ||
	       (strcmp(opt_fail_on, "warning") == 0 && doctor_count(doctor, DOCTOR_WARN) > 0);
}

static int examine(struct doctor *doctor, const char *path, struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *conn = NULL;

	if (doctor_way(doctor, &conn, err) != 0)
		return -1;
	if (opt_no_health)
		return 0;
	if (doctor_health(doctor, conn, err) != 0)
		return -1;
	tell_unused(doctor, path);
	return 0;
}

/* What was found on the way counts, even where it ended early. */
static int report(struct doctor *doctor, int result, struct run *run, struct err *err)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;

	if (result != 0 && err->kind == ERR_INTERRUPTED)
		return -1;
	if (opt_json)
		doctor_print_json(doctor, result != 0 ? err : NULL);
	else if (result == 0 || doctor->finding_count > 0)
		doctor_print_findings(doctor, result == 0 && !opt_no_health);
	/* Before the error, which goes elsewhere. */
	if (result != 0) {
		out_finish(&ignored);
		return -1;
	}
	if (is_bad_enough(doctor))
		run->status = err_exit_status(ERR_FOUND);
	return 0;
}

static int run_doctor(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(doctor_release) struct doctor doctor = DOCTOR_INIT;
	CLEANUP(mem_cleanup) char *path = NULL;

	if (check_options(err) != 0)
		return -1;
	doctor.context = &context;
	doctor.target = run->words.count > 0 ? run->words.items[0] : "local";
	doctor.only = &opt_only;
	doctor.tell = opt_json ? NULL : doctor_print_step;
	if (context_open(&context, run, err) != 0 ||
		target_check_service(&context.target, err) != 0) {
		doctor_no_target(&doctor, err);
		return report(&doctor, -1, run, err);
	}
	doctor.target = context.target.name;
	path = path_join(context.root ? context.root : context.cwd, IGNORE_FILE);
	if (read_rules(&doctor, path, err) != 0)
		return -1;
	return report(&doctor, examine(&doctor, path, err), run, err);
}

const struct command command = {
	.name = "db-doctor",
	.summary = "find out why a database cannot be reached, and what ails it",
	.synopsis = "[options] [TARGET]",
	.options =
		(const struct option *const[]){ doctor_options, target_options, env_options, NULL },
	.variables = (const struct variable *const[]){ target_variables, NULL },
	.examples =
		(const struct example[]){
			{ "db-doctor prod", "the way to production step by step, then the health "
					    "of the database" },
			{ "db-doctor --fail-on warning --only fk-without-index",
				"fails a CI job when a foreign key has no index" },
			{ "db-doctor prod --no-health --wait",
				"waits for the server, then says how it is reached" },
			{ 0 },
		},
	.max_words = 1,
	.run = run_doctor,
};

/* What is found out about the scripts before anything runs. */
#include "app/inputs_cache.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/message.h"
#include "sql/check.h"
#include "term/out.h"

#include <string.h>
#include <unistd.h>

/*
 * What is said is kept for when the scripts are not read again: each message with a blank in front,
 * or with "!" if it is a warning.
 */
static void say(const char *message)
{
	if (*message == '!')
		out_warning("%s", message + 1);
	else
		out_info("%s", message + 1);
}

static void say_last(const struct strlist *messages)
{
	say(messages->items[messages->count - 1]);
}

/* The script holds what rules one transaction out: does without, or fails when it is insisted on.
 */
static int leave_transaction(struct scripts *scripts, const struct script_found *found,
	const char *why, struct strlist *messages, struct err *err)
{
	if (!scripts->insists) {
		strlist_addf(messages, " %s:%zu: %s%s, running statement by statement", found->file,
			found->line, found->name, why);
		say_last(messages);
		scripts->transaction = false;
		return 0;
	}
	err_set(err, ERR_SQL, "%s%s", found->name, why);
	err->place.file = mem_strdup(found->file);
	err->place.line = found->line;
	err->place.column = found->column;
	err_hint(err, "Without %s the scripts run statement by statement.", scripts->insists);
	return -1;
}

static int check_file(struct scripts *scripts, const struct load_file *file,
	struct strlist *messages, struct err *err)
{
	const struct script_options options = { .variables = &scripts->variables,
		.keep_going = scripts->keep_going,
		.dry = true,
		.stamps = &scripts->stamps,
		.inputs = scripts->wants_inputs ? &scripts->inputs : NULL };
	CLEANUP(script_summary_release) struct script_summary summary = SCRIPT_SUMMARY_INIT;

	/* A pipe can be read only once, and even opening and closing it would send its writer away.
	 */
	if (strcmp(file->path, "-") == 0 || path_is_pipe(file->path)) {
		if (strcmp(file->path, "-") != 0 && access(file->path, R_OK) != 0)
			return err_errno(err, "could not open file \"%s\"", file->name);
		scripts->reads_pipe = scripts->unforeseen = true;
		script_inputs_obstacle(&scripts->inputs, file->name, 0, "read from a pipe");
		return 0;
	}
	if (script_check(file->path, file->name, &options, &summary, err) != 0)
		return -1;
	scripts->bytes += summary.bytes;
	scripts->unforeseen = scripts->unforeseen || summary.unforeseen;
	if (scripts->destructive.line == 0) {
		scripts->destructive = summary.destructive;
		summary.destructive = (struct script_found){ 0 };
	}
	if (summary.statements == 0 && summary.others == 0) {
		strlist_addf(messages, "!\"%s\" holds no statement", file->name);
		say_last(messages);
	}
	if (scripts->transaction && summary.no_transaction.line)
		return leave_transaction(scripts, &summary.no_transaction,
			" cannot run in a transaction", messages, err);
	if (scripts->transaction && summary.transaction.line)
		return leave_transaction(scripts, &summary.transaction,
			": the script controls transactions itself", messages, err);
	return 0;
}

static int check_files(struct scripts *scripts, struct strlist *messages, struct err *err)
{
	for (size_t i = 0; i < scripts->count; i++)
		if (check_file(scripts, &scripts->files[i], messages, err) != 0)
			return -1;
	return 0;
}

/* With the transaction as it was asked for: whether it is given up is in the files. */
static int digest(const struct scripts *scripts, struct script_inputs *inputs, struct err *err)
{
	const struct script_inputs_settings settings = { .variables = &scripts->variables,
		.allow_connect = scripts->allow_connect,
		.keep_going = scripts->keep_going,
		.transaction = scripts->wanted_transaction,
		.insists = scripts->insists != NULL };

	return script_inputs_digest(inputs, &settings, err);
}

/* Without an obstacle it is known what is read: all of that has to stay as it is. */
static void stamp_all(struct scripts *scripts)
{
	const struct script_inputs *inputs = &scripts->inputs;

	if (inputs->obstacle)
		return;
	for (size_t i = 0; i < inputs->file_count; i++)
		stamps_add(&scripts->stamps, inputs->files[i].path, &inputs->files[i].state);
}

int scripts_check(struct scripts *scripts, struct err *err)
{
	CLEANUP(inputs_cache_release) struct inputs_cache cache = INPUTS_CACHE_INIT;
	CLEANUP(strlist_release) struct strlist messages = STRLIST_INIT;

	scripts->wanted_transaction = scripts->transaction;
	if (!scripts->wants_inputs)
		return check_files(scripts, &messages, err);
	inputs_cache_open(&cache, scripts);
	if (inputs_cache_read(&cache, scripts, &messages)) {
		for (size_t i = 0; i < messages.count; i++)
			say(messages.items[i]);
		return 0;
	}
	scripts->inputs.definitions_run = scripts->definitions_run;
	if (scripts->keep_going)
		script_inputs_obstacle(&scripts->inputs, NULL, 0, "--keep-going");
	if (check_files(scripts, &messages, err) != 0 ||
		digest(scripts, &scripts->inputs, err) != 0)
		return -1;
	stamp_all(scripts);
	inputs_cache_write(&cache, scripts, &messages);
	return 0;
}

char *scripts_cause(const struct scripts *scripts)
{
	const struct script_found *found = &scripts->destructive;

	return found->line == 0 ? NULL
				: message_line("%s:%zu: %s", found->file, found->line, found->name);
}

/* The key tells that it is the same text that is read now. */
int scripts_names(struct scripts *scripts, struct err *err)
{
	CLEANUP(script_inputs_release)
	struct script_inputs inputs = { .definitions_run = scripts->definitions_run,
		.reads_data = true };
	const struct script_options options = { .variables = &scripts->variables,
		.keep_going = scripts->keep_going,
		.dry = true,
		.inputs = &inputs };

	if (scripts->inputs.names_known &&
		(scripts->inputs.reads_data || !scripts->inputs.has_data))
		return 0;
	for (size_t i = 0; i < scripts->count; i++) {
		CLEANUP(script_summary_release)
		struct script_summary summary = SCRIPT_SUMMARY_INIT;

		if (script_check(scripts->files[i].path, scripts->files[i].name, &options, &summary,
			    err) != 0)
			return -1;
	}
	if (digest(scripts, &inputs, err) != 0)
		return -1;
	if (inputs.obstacle || strcmp(inputs.key, scripts->inputs.key) != 0)
		return err_set(err, ERR_SQL, "the scripts changed after they were checked");
	script_inputs_release(&scripts->inputs);
	scripts->inputs = inputs;
	inputs = (struct script_inputs)SCRIPT_INPUTS_INIT;
	return 0;
}

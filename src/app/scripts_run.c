#include "app/scripts.h"

#include "base/clock.h"
#include "base/mem.h"
#include "term/out.h"
#include "term/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* "… does not exist, skipping": what IF EXISTS was written for, said on every reset. */
static bool is_skipping(const struct notice *notice)
{
	const char *comma = strrchr(notice->message, ',');

	return strcmp(notice->severity, "NOTICE") == 0 && comma && strcmp(comma, ", skipping") == 0;
}

static void tell_notice(void *unused, const char *file, size_t line, const struct notice *notice)
{
	(void)unused;
	if (strcmp(notice->severity, "WARNING") == 0)
		out_warning("%s:%zu: %s", file, line, notice->message);
	else if (is_skipping(notice))
		out_detail("%s:%zu: %s: %s", file, line, notice->severity, notice->message);
	else
		out_info("%s:%zu: %s: %s", file, line, notice->severity, notice->message);
	if (notice->detail)
		out_detail("detail: %s", notice->detail);
	if (notice->hint)
		out_detail("hint: %s", notice->hint);
}

static void tell_statement(void *unused, const char *text, size_t length)
{
	(void)unused;
	out_info("%.*s", (int)(length > INT32_MAX ? INT32_MAX : length), text);
}

static void pass_copy_data(void *unused, const char *bytes, size_t length)
{
	(void)unused;
	out_raw(bytes, length);
}

static void pass_print(void *unused, const char *bytes, size_t length)
{
	(void)unused;
	out_script(bytes, length);
}

static void pass_warn(void *unused, const char *bytes, size_t length)
{
	(void)unused;
	out_script_warn(bytes, length);
}

static void tell_remark(void *unused, const char *text)
{
	(void)unused;
	out_info("%s", text);
}

static void tell_progress(void *context, const struct load_progress *progress)
{
	const struct scripts *scripts = context;

	progress_update(&(struct progress){
		.name = scripts->files[progress->file].name,
		.bytes = progress->bytes,
		/* How much a pipe will give is not known. */
		.total = scripts->reads_pipe ? 0 : scripts->bytes,
		.statements = progress->statements,
		.rows = progress->rows,
	});
}

static void tell_failed(void *unused, const struct err *err)
{
	(void)unused;
	out_error(err);
}

/* After a failure: what is left of the script in the database. */
static void tell_left(
	const struct scripts *scripts, const struct load_counts *counts, struct err *err)
{
	const uint64_t kept = counts->kept;
	const char *s = kept == 1 ? "" : "s", *stay = kept == 1 ? "stays" : "stay";

	if (scripts->first.sql && !counts->commit_sent && counts->kept == 0) {
		err_note_line(err, "Rolled back: every row is as it was.");
		return;
	}
	/* What the script committed in spite of all is told already. */
	if (scripts->transaction && kept > 0)
		return;
	if (counts->commit_sent || (err->kind != ERR_SQL && err->kind != ERR_INTERRUPTED &&
					   err->kind != ERR_CONNECT && err->kind != ERR_REFUSED))
		return;
	if (counts->unanswered)
		err_note_line(err, "Whether the statement that was running took effect is unknown, "
				   "look at the "
				   "database.");
	if (scripts->transaction)
		err_note_line(err, "Rolled back: nothing of the script is in the database.");
	else if (counts->failed > 0 || (counts->unanswered && kept > 0))
		err_note_line(err, "%" PRIu64 " statement%s succeeded and %s in the database.",
			kept, s, stay);
	else if (counts->unanswered)
		return;
	else if (kept == 0 && counts->statements > 0)
		err_note_line(err, "Rolled back: nothing of the script is in the database.");
	else if (counts->divided || kept + counts->undone < counts->statements)
		err_note_line(err,
			"What its last transaction did is rolled back, the %" PRIu64
			" statement%s before it %s in the database.",
			kept, s, stay);
	else if (kept > 0)
		err_note_line(err, "The %" PRIu64 " statement%s before it %s in the database.",
			kept, s, stay);
}

static void tell_done(
	const struct scripts *scripts, const struct load_counts *counts, int64_t elapsed_us)
{
	char elapsed[32], rows[64] = "";

	if (scripts->first_done)
		out_info("%s", scripts->first_done);
	if (counts->rows > 0)
		snprintf(rows, sizeof(rows), ", %" PRIu64 " row%s copied", counts->rows,
			counts->rows == 1 ? "" : "s");
	out_info("%s: %" PRIu64 " statement%s%s (%s)",
		scripts->count == 1 ? scripts->files[0].name : "all scripts", counts->statements,
		counts->statements == 1 ? "" : "s", rows,
		clock_format(elapsed_us, elapsed, sizeof(elapsed)));
}

int scripts_run(struct conn *conn, struct scripts *scripts, struct err *err)
{
	const struct load_options options = { .transaction = scripts->transaction,
		.insist = scripts->insists,
		.first = scripts->first,
		.keep_going = scripts->keep_going,
		.allow_connect = scripts->allow_connect,
		.variables = &scripts->variables,
		.stamps = &scripts->stamps,
		.refusal = scripts->refusal.kind ? &scripts->refusal : NULL,
		.unasked = scripts->unasked,
		.judge = scripts->judge,
		.batch = scripts->batch,
		.at_once = scripts->at_once };
	const struct load_observer observer = { .context = scripts,
		.notice = tell_notice,
		.statement = context_echo() ? tell_statement : NULL,
		.copy_out = pass_copy_data,
		.print = pass_print,
		.warn = pass_warn,
		.failed = tell_failed,
		.remark = tell_remark,
		.progress = progress_begin() ? tell_progress : NULL };
	struct load_counts counts = { 0 };
	int64_t start = clock_us();
	int result =
		load_run(conn, scripts->files, scripts->count, &options, &observer, &counts, err);

	progress_end();
	scripts->commented = counts.commented;
	if (counts.no_transaction)
		scripts->transaction = false;
	if (result != 0) {
		scripts->commit_sent = counts.commit_sent;
		scripts->first_failed = counts.first_failed;
		tell_left(scripts, &counts, err);
		return -1;
	}
	/* Often a program before the pipe that failed. */
	if (scripts->reads_pipe && counts.statements == 0)
		out_warning("what came through the pipe holds no statement");
	tell_done(scripts, &counts, clock_us() - start);
	if (out_finish(err) != 0) {
		err_note_line(err, "The script is in the database.");
		return -1;
	}
	return 0;
}

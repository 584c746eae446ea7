/* --while of rds-update-sg-rule: a command behind an open rule. */
#include "app/sg_rule.h"
#include "base/foreground.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "term/out.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

/* Lets us in, as AWS and, if asked for, the server itself confirm. */
static int open_rule(
	struct sg_job *job, const struct sg_host *host, double wait_seconds, struct err *err)
{
	CLEANUP(mem_cleanup) char *line = NULL;

	if (sg_rule_update(job, err) != 0)
		return -1;
	line = sg_rule_line(job);
	out_info("%s", line);
	if (job->note)
		out_info("note: %s", job->note);
	if (host && sg_rule_wait(host, job->settings, wait_seconds, err) != 0)
		return -1;
	return 0;
}

/* The command's end becomes ours. */
static int take_end(const struct foreground_end *end, int *ret_status, struct err *err)
{
	int number = end->signal_number;

	if (!number && WIFSIGNALED(end->status))
		number = WTERMSIG(end->status);
	if (!number) {
		*ret_status = WEXITSTATUS(end->status);
		return 0;
	}
	err_set(err, ERR_INTERRUPTED, "interrupted by signal %d (%s)", number, strsignal(number));
	err->signal = number;
	return -1;
}

/* Says exactly what is left. */
static void describe_left(const struct sg_job *job, struct err *err)
{
	CLEANUP(mem_cleanup) char *why = mem_strdup(err->message);
	CLEANUP(mem_cleanup) char *undo = sg_rule_undo_command(job);
	enum err_kind kind = err->kind;
	char text[ADDRESS_TEXT_SIZE];
	bool created = !job->before.id;

	err_set(err, kind, "could not %s rule %s again: %s", created ? "remove" : "restore",
		job->id ? job->id : "(its id is not known)", why);
	err_detail(err, "%s %s may still let %s in on tcp/%d.",
		job->id ? "This rule of" : "A new rule of", job->settings->group,
		address_format(&job->wanted.address, text), job->wanted.port);
	err_hint(err, "To undo it by hand, type: %s", undo);
}

static int restore(struct sg_job *job, struct err *err)
{
	CLEANUP(mem_cleanup) char *note = NULL;

	if (sg_rule_restore(job, &note, err) != 0) {
		describe_left(job, err);
		return -1;
	}
	if (note)
		out_warning("%s", note);
	else if (job->written && job->id && job->action != SG_COVERED)
		out_info("%s %s %s", job->before.id ? "restored" : "removed", job->id,
			job->settings->group);
	return 0;
}

int sg_rule_while(struct sg_job *job, const struct sg_host *host, double wait_seconds,
	const char *file, const struct strlist *words, int *ret_status, struct err *err)
{
	CLEANUP(signal_release) struct signal_hold uncaught = SIGNAL_HOLD_INIT;
	CLEANUP(signal_release) struct signal_hold hold = SIGNAL_HOLD_INIT;
	CLEANUP(err_release) struct err left = ERR_INIT;
	struct foreground_end end = { 0 };
	int result;

	signal_hold_uncaught(&uncaught);
	result = open_rule(job, host, wait_seconds, err);
	/* Until the rule is back a signal is the command's business, or waits. */
	signal_hold(&hold);
	if (result == 0)
		result = interrupt_check(err);
	if (result == 0)
		result = out_finish(err);
	if (result == 0)
		result = foreground_run(file, words->items, &uncaught, &end, err);
	if (result == 0)
		result = take_end(&end, ret_status, err);
	if (restore(job, &left) != 0) {
		if (result == 0 && *ret_status == 0) {
			*err = left;
			left = (struct err)ERR_INIT;
			return -1;
		}
		out_error(&left);
	}
	signal_release(&hold);
	return result == 0 ? interrupt_check(err) : -1;
}

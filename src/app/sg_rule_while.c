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
	/* The former access is another rule's by now: then ours can only go. */
	bool is_taken = sg_rule_is_duplicate(job);
	CLEANUP(mem_cleanup) char *why = mem_strdup(err->message);
	CLEANUP(mem_cleanup) char *undo = sg_rule_undo_command(job, is_taken);
	enum err_kind kind = err->kind;
	char text[ADDRESS_TEXT_SIZE];
	bool created = !job->before.id;

	err_set(err, kind, "could not %s rule %s again: %s", created ? "remove" : "restore",
		job->id ? job->id : "(its id is not known)", why);
	err_detail(err, "%s %s may still let %s in on tcp/%d.",
		job->id ? "This rule of" : "A new rule of", job->settings->group,
		address_format(&job->wanted.address, text), job->wanted.port);
	if (is_taken)
		err_detail_line(err,
			"Another rule now allows %s, as this one did before; this one can be "
			"removed.",
			ec2_rule_source(&job->before));
	err_hint(err, "To undo it by hand, type: %s", undo);
}

static int restore(struct sg_job *job, bool ran, struct err *err)
{
	CLEANUP(mem_cleanup) char *note = NULL;
	enum sg_restored restored;

	if (sg_rule_restore(job, &restored, &note, err) != 0) {
		describe_left(job, err);
		return -1;
	}
	if (!note && ran && job->action == SG_COVERED)
		note = sg_rule_check_covering(job);
	if (note)
		out_warning("%s", note);
	if (restored != SG_NOTHING) {
		CLEANUP(mem_cleanup) char *line = sg_rule_restored_line(job, restored);

		out_info("%s", line);
	}
	return 0;
}

/* Runs the command once the rule is open; *ret_ran: it was started. */
static int run(struct sg_job *job, const struct sg_host *host, double wait_seconds,
	const char *file, const struct strlist *words, struct signal_hold *hold,
	const struct signal_hold *uncaught, bool *ret_ran, int *ret_status, struct err *err)
{
	struct foreground_end end = { 0 };
	int result = open_rule(job, host, wait_seconds, err);

	/* Until the rule is back a signal is the command's business, or waits. */
	signal_hold(hold);
	if (result != 0 || interrupt_check(err) != 0 || out_finish(err) != 0 ||
		foreground_run(file, words->items, uncaught, &end, err) != 0)
		return -1;
	*ret_ran = true;
	return take_end(&end, ret_status, err);
}

int sg_rule_while(struct sg_job *job, const struct sg_host *host, double wait_seconds,
	const char *file, const struct strlist *words, int *ret_status, struct err *err)
{
	CLEANUP(signal_release) struct signal_hold uncaught = SIGNAL_HOLD_INIT;
	CLEANUP(signal_release) struct signal_hold hold = SIGNAL_HOLD_INIT;
	CLEANUP(err_release) struct err left = ERR_INIT;
	CLEANUP(err_release) struct err late = ERR_INIT;
	bool ran = false;
	int result;

	signal_hold_uncaught(&uncaught);
	result = run(job, host, wait_seconds, file, words, &hold, &uncaught, &ran, ret_status, err);
	/* One that came beside another failure would end the calls that put the rule back. */
	interrupt_check(&late);
	if (restore(job, ran, &left) != 0) {
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

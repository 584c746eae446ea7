#include "app/sg_rule.h"

#include "base/clock.h"
#include "base/foreground.h"
#include "base/interrupt.h"
#include "base/mem.h"

#include <string.h>

/* AWS may show the old state for a moment after a write: before the 1st, 2nd, 3rd look. */
static const int look_after_ms[] = { 0, 1000, 3500 };

void sg_job_release(struct sg_job *job)
{
	ec2_rules_release(&job->rules);
	ec2_rule_release(&job->before);
	aws_reply_release(&job->reply);
	mem_free(job->id);
	mem_free(job->note);
	*job = (struct sg_job)SG_JOB_INIT;
}

static void set_note(struct sg_job *job, char *note)
{
	mem_free(job->note);
	job->note = note;
}

/* Makes a rule of the list the job's subject; the list has an empty one in its place. */
static void take_rule(struct sg_job *job, struct ec2_rule *rule)
{
	ec2_rule_release(&job->before);
	job->before = *rule;
	*rule = (struct ec2_rule){ 0 };
	mem_free(job->id);
	job->id = mem_strdup(job->before.id);
}

int sg_rule_list(struct sg_job *job, struct err *err)
{
	struct ec2_rules rules = EC2_RULES_INIT;

	if (ec2_rules_of_group(job->aws, job->settings->group, &rules, &job->reply, err) != 0)
		return sg_rule_explain(job, NULL, err);
	ec2_rules_release(&job->rules);
	job->rules = rules;
	job->listed = true;
	return 0;
}

/* Another rule does the work of ours: which one, and what that means for ours. */
static void settle_covered(struct sg_job *job, const struct ec2_rule *covering)
{
	CLEANUP(mem_cleanup) char *ports = ec2_rule_ports(covering);
	const char *id = job->before.id;

	job->action = SG_COVERED;
	job->confirmed = true;
	mem_free(job->id);
	job->id = mem_strdup(covering->id);
	set_note(job, mem_printf("%s \"%s\" already allows %s on %s%s%s%s%s", covering->id,
			      covering->description, covering->cidr, ports, id ? "; " : "",
			      id ? id : "", id ? " left as it is" : "",
			      job->settings->options.run_command
				      ? "; it is not this job's and may go while the command runs"
				      : ""));
}

static int pass_error(struct err *from, struct err *to)
{
	err_release(to);
	*to = *from;
	*from = (struct err)ERR_INIT;
	return -1;
}

/*
 * The list after a write that failed, for what it tells about that. When it fails too the error of
 * the write stays, unless a signal ends everything.
 */
static int list_again(struct sg_job *job, struct err *err)
{
	CLEANUP(err_release) struct err list_err = ERR_INIT;

	if (sg_rule_list(job, &list_err) == 0)
		return 0;
	return list_err.kind == ERR_INTERRUPTED ? pass_error(&list_err, err) : -1;
}

/* --- looking again -------------------------------------------------------------------------- */

/* Sets confirmed when the rule is seen as it should be; otherwise *ret_why says why not. */
static int look_again(
	struct sg_job *job, const struct ec2_wanted *wanted, char **ret_why, struct err *err)
{
	CLEANUP(ec2_rules_release) struct ec2_rules rules = EC2_RULES_INIT;
	const struct ec2_rule *rule;

	mem_free(*ret_why);
	*ret_why = NULL;
	if (ec2_rule_by_id(job->aws, job->id, &rules, &job->reply, err) != 0) {
		job->confirmed = !wanted && sg_rule_is_missing(job);
		if (!job->confirmed)
			*ret_why = sg_rule_is_missing(job) ? mem_strdup("AWS does not show it yet")
							   : mem_strdup(err->message);
		return -1;
	}
	rule = &rules.items[0];
	job->confirmed = wanted && sg_rule_is_just(rule, wanted);
	if (!job->confirmed)
		*ret_why = mem_printf(
			"AWS still shows %s \"%s\"", ec2_rule_source(rule), rule->description);
	return 0;
}

int sg_rule_confirm(
	struct sg_job *job, const struct ec2_wanted *wanted, char **ret_why, struct err *err)
{
	CLEANUP(mem_cleanup) char *why = NULL;

	job->confirmed = false;
	for (size_t i = 0; i < ARRAY_SIZE(look_after_ms) && !job->confirmed; i++) {
		CLEANUP(err_release) struct err look_err = ERR_INIT;

		clock_sleep_ms(look_after_ms[i]);
		if (interrupt_check(err) != 0)
			return -1;
		if (look_again(job, wanted, &why, &look_err) == 0)
			continue;
		if (look_err.kind == ERR_INTERRUPTED)
			return pass_error(&look_err, err);
		/* No answer in all the time that a call has: there will be none. */
		if (look_err.kind != ERR_FAILED)
			break;
	}
	*ret_why = take_ptr(why);
	return 0;
}

/* After a write. That it cannot be seen is no failure but for what depends on it. */
static int finish(struct sg_job *job, enum sg_action action, struct err *err)
{
	CLEANUP(mem_cleanup) char *why = NULL;

	job->action = action;
	if (job->settings->options.dry_run)
		return 0;
	if (sg_rule_confirm(job, action == SG_REMOVED ? NULL : &job->wanted, &why, err) != 0)
		return -1;
	if (job->confirmed)
		return 0;
	if (job->settings->options.run_command)
		return err_set(err, ERR_FAILED, "rule %s was written, but %s", job->id, why);
	set_note(job, mem_printf("%s was written, but %s", job->id, why));
	return 0;
}

/* --- writing -------------------------------------------------------------------------------- */

/*
 * AWS says that there is a rule like it already: a colleague's behind the same address, or ours,
 * when the answer to an earlier attempt was lost.
 */
static int settle_duplicate(struct sg_job *job, enum sg_action action, struct err *err)
{
	const struct ec2_rule *found;

	if (list_again(job, err) != 0)
		return -1;
	found = sg_rule_covering(job);
	if (!found)
		return -1;
	err_release(err);
	if (action == SG_CHANGED && strcmp(found->id, job->before.id) == 0) {
		job->confirmed = true;
		job->action = SG_CHANGED;
	} else {
		settle_covered(job, found);
	}
	return 0;
}

bool sg_rule_is_unclear(const struct sg_job *job, const struct err *err)
{
	return err->kind == ERR_FAILED && (!job->reply.code || job->reply.status >= 500);
}

/*
 * A write failed, and looking tells what became of it. With --while one whose answer never came is
 * undone instead.
 */
static bool may_be_done(const struct sg_job *job, const struct err *err)
{
	return job->written &&
	       (job->settings->options.run_command ? sg_rule_is_unclear(job, err)
						   : aws_is_unclear(&job->reply, err));
}

/*
 * What came back was no answer, but the write may have been carried out all the same. Success when
 * the rule is seen as it should be (NULL: gone); otherwise the error stays, with what is seen.
 */
static int settle_unclear(
	struct sg_job *job, enum sg_action action, const struct ec2_wanted *wanted, struct err *err)
{
	CLEANUP(mem_cleanup) char *why = NULL;
	CLEANUP(err_release) struct err look_err = ERR_INIT;

	mem_free(job->id);
	job->id = mem_strdup(job->before.id);
	look_again(job, wanted, &why, &look_err);
	if (look_err.kind == ERR_INTERRUPTED)
		return pass_error(&look_err, err);
	if (!job->confirmed) {
		err_detail_line(err,
			"AWS may have carried it out. Looking for what became of it: %s.", why);
		return -1;
	}
	err_release(err);
	job->action = action;
	return 0;
}

/* AWS itself said no: what was sent was not carried out. */
static int refused(struct sg_job *job, const char *id, struct err *err)
{
	if (err->kind == ERR_FAILED && job->reply.code && job->reply.status < 500)
		job->written = false;
	return sg_rule_explain(job, id, err);
}

/* What has to be put back must be known: no signal comes between a request and its answer. */
static void begin_write(struct sg_job *job, struct signal_hold *hold)
{
	job->written = !job->settings->options.dry_run;
	if (job->settings->options.run_command)
		signal_hold(hold);
}

static int modify(struct sg_job *job, struct err *err)
{
	const struct sg_settings *settings = job->settings;
	CLEANUP(signal_release) struct signal_hold hold = SIGNAL_HOLD_INIT;
	int result;

	begin_write(job, &hold);
	result = ec2_rule_modify(job->aws, settings->group, job->before.id, &job->wanted,
		settings->options.dry_run, &job->reply, err);
	signal_release(&hold);
	if (result == 0)
		return finish(job, SG_CHANGED, err);
	if (may_be_done(job, err))
		return settle_unclear(job, SG_CHANGED, &job->wanted, err);
	if (sg_rule_is_duplicate(job) && settle_duplicate(job, SG_CHANGED, err) == 0)
		return 0;
	return refused(job, job->before.id, err);
}

/* The answer was lost, or did not name the new rule: the list before and after tells. */
static int identify_created(struct sg_job *job, struct err *err)
{
	CLEANUP(ec2_rules_release) struct ec2_rules earlier = job->rules;
	const struct ec2_rule *covering, *created;

	job->rules = (struct ec2_rules)EC2_RULES_INIT;
	if (list_again(job, err) != 0)
		return -1;
	created = sg_rule_added_since(job, &earlier);
	if (created) {
		err_release(err);
		mem_free(job->id);
		job->id = mem_strdup(created->id);
		job->action = SG_CREATED;
		job->confirmed = true;
		return 0;
	}
	covering = sg_rule_covering(job);
	if (!covering)
		return -1;
	err_release(err);
	settle_covered(job, covering);
	return 0;
}

static int create(struct sg_job *job, struct err *err)
{
	const struct sg_settings *settings = job->settings;
	CLEANUP(signal_release) struct signal_hold hold = SIGNAL_HOLD_INIT;
	int result;

	begin_write(job, &hold);
	result = ec2_rule_authorize(job->aws, settings->group, &job->wanted,
		settings->options.dry_run, &job->id, &job->reply, err);
	signal_release(&hold);
	if (result != 0) {
		if (may_be_done(job, err)) {
			if (identify_created(job, err) == 0)
				return 0;
			if (err->kind != ERR_INTERRUPTED)
				err_detail_line(err,
					"AWS may have added the rule; --show lists the group's.");
			return -1;
		}
		if (sg_rule_is_duplicate(job) && identify_created(job, err) == 0)
			return 0;
		return refused(job, NULL, err);
	}
	if (!settings->options.dry_run && !job->id) {
		err_set(err, ERR_FAILED, "AWS does not show the rule that was added to %s",
			settings->group);
		return identify_created(job, err);
	}
	return finish(job, SG_CREATED, err);
}

/* --- update --------------------------------------------------------------------------------- */

static int fail_missing(const struct sg_job *job, struct err *err)
{
	const struct sg_settings *settings = job->settings;

	if (settings->tag_key)
		err_set(err, ERR_FAILED, "no rule for IPv%d and tcp/%d with the tag %s=%s in %s",
			settings->family, settings->port, settings->tag_key, settings->tag_value,
			settings->group);
	else
		err_set(err, ERR_FAILED,
			"no rule for IPv%d and tcp/%d with the description \"%s\" in %s",
			settings->family, settings->port, settings->description, settings->group);
	err_hint(err, "Run with --show to list the group's rules, with --create to add one.");
	return -1;
}

/* The rule by its id, made the job's subject; with *ret_missing when there is none. */
static int look_at_rule(struct sg_job *job, bool *ret_missing, struct err *err)
{
	CLEANUP(ec2_rules_release) struct ec2_rules rules = EC2_RULES_INIT;
	const char *id = job->settings->rule;

	*ret_missing = false;
	if (ec2_rule_by_id(job->aws, id, &rules, &job->reply, err) != 0) {
		*ret_missing = sg_rule_is_missing(job);
		return sg_rule_explain(job, id, err);
	}
	if (strcmp(rules.items[0].group, job->settings->group) != 0)
		return err_set(err, ERR_FAILED, "rule %s belongs to %s, not to %s", id,
			rules.items[0].group, job->settings->group);
	take_rule(job, &rules.items[0]);
	return 0;
}

static int find_rule(struct sg_job *job, struct err *err)
{
	struct ec2_rule *rule;
	bool missing;

	if (job->settings->rule) {
		if (look_at_rule(job, &missing, err) == 0)
			return 0;
		/* A rule that somebody removed is made anew, and found by its description. */
		if (!missing || !job->settings->options.create)
			return -1;
		err_release(err);
	}
	if (sg_rule_list(job, err) != 0 || sg_rule_choose(job, &rule, err) != 0)
		return -1;
	if (rule)
		take_rule(job, rule);
	return 0;
}

/*
 * In the list stands another rule for just this address: writing would be a duplicate. (With one
 * that is wider AWS does accept ours, and ours is the one to trust.)
 */
static const struct ec2_rule *find_twin(const struct sg_job *job)
{
	const struct ec2_rule *covering = sg_rule_covering(job);

	return covering && sg_rule_allows_just(covering, &job->wanted) ? covering : NULL;
}

int sg_rule_update(struct sg_job *job, struct err *err)
{
	const struct ec2_rule *other;

	if (find_rule(job, err) != 0)
		return -1;
	if (!job->before.id) {
		other = sg_rule_covering(job);
		if (other) {
			settle_covered(job, other);
			return 0;
		}
		return job->settings->options.create ? create(job, err) : fail_missing(job, err);
	}
	if (sg_rule_check_safe(job, &job->before, err) != 0)
		return -1;
	if (sg_rule_allows_just(&job->before, &job->wanted) &&
		strcmp(job->before.description, job->wanted.description) == 0) {
		job->action = SG_UNCHANGED;
		job->confirmed = true;
		return 0;
	}
	other = find_twin(job);
	if (other) {
		settle_covered(job, other);
		return 0;
	}
	return modify(job, err);
}

/* --- remove --------------------------------------------------------------------------------- */

/* Ours with our address; rules of ours with another one are noted. */
static int choose_removable(struct sg_job *job, struct ec2_rule **ret_rule, struct err *err)
{
	CLEANUP(mem_cleanup) struct ec2_rule **rules = NULL;
	size_t count;

	*ret_rule = NULL;
	if (sg_rule_list(job, err) != 0)
		return -1;
	count = sg_rule_candidates(job, &rules);
	for (size_t i = 0; i < count; i++) {
		char text[ADDRESS_TEXT_SIZE];

		if (sg_rule_allows_just(rules[i], &job->wanted)) {
			*ret_rule = rules[i];
			return 0;
		}
		set_note(job, mem_printf("%s \"%s\" allows %s, not %s: left as it is (name it with "
					 "--rule-id to have it removed)",
				      rules[i]->id, rules[i]->description, rules[i]->cidr,
				      address_format(&job->wanted.address, text)));
	}
	return 0;
}

static int take_away(struct sg_job *job, struct err *err)
{
	const struct sg_settings *settings = job->settings;

	job->written = !settings->options.dry_run;
	if (ec2_rule_revoke(job->aws, settings->group, job->before.id, settings->options.dry_run,
		    &job->reply, err) != 0) {
		if (may_be_done(job, err))
			return settle_unclear(job, SG_REMOVED, NULL, err);
		if (!sg_rule_is_missing(job))
			return refused(job, job->before.id, err);
		/* Somebody was faster, or the answer to the first attempt was lost. */
		err_release(err);
	}
	return finish(job, SG_REMOVED, err);
}

int sg_rule_remove(struct sg_job *job, struct err *err)
{
	struct ec2_rule *rule = NULL;
	bool missing = false;

	job->action = SG_ABSENT;
	if (job->settings->rule) {
		if (look_at_rule(job, &missing, err) != 0) {
			if (!missing)
				return -1;
			err_release(err);
			/* In another region, or a group that is none, every rule is absent. */
			return sg_rule_list(job, err);
		}
	} else {
		if (choose_removable(job, &rule, err) != 0)
			return -1;
		if (!rule)
			return 0;
		take_rule(job, rule);
	}
	if (sg_rule_check_safe(job, &job->before, err) != 0)
		return -1;
	return take_away(job, err);
}

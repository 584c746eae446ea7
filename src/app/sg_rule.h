/*
 * One rule of a security group that lets one address reach one port: what rds-update-sg-rule does.
 * Look first, write nothing that is right already, overwrite nothing that is not ours, look again.
 */
#ifndef APP_SG_RULE_H
#define APP_SG_RULE_H

#include "app/cloud.h"
#include "aws/ec2.h"

/* What the command line says; texts are borrowed, NULL: not given. */
struct sg_options {
	const char *group, *rule, *description, *tag, *port, *ip;
	bool ipv4, ipv6;
	bool create, remove, show, dry_run, force, allow_private, run_command;
};

/* That and the environment, checked. Texts are borrowed from there but for tag_key. */
struct sg_settings {
	struct sg_options options;
	const char *group;
	const char *rule;        /* NULL: find it by tag or description */
	const char *rule_source; /* "DB_SG_RULE_ID", … */
	int family;
	bool has_address; /* given by --ip or GITPOD_IP; otherwise it has to be found out */
	struct address address;
	const char *services; /* DB_SG_IP_URLS */
	const char *description;
	bool described; /* description was given and is not the default */
	char *tag_key;  /* NULL: none */
	const char *tag_value;
	int port;
};

#define SG_SETTINGS_INIT                                                                           \
	{                                                                                          \
		.family = 4                                                                        \
	}

/*
 * Checks everything that can be checked without a network. Fails with USAGE. --show and --remove
 * with a rule's id need no address and do not look at it.
 */
int sg_settings_resolve(struct sg_settings *settings, const struct sg_options *options,
	const struct env *env, struct err *err);
void sg_settings_release(struct sg_settings *settings);

/*
 * A machine can have it, be it public or not: false for unspecified, loopback, link-local,
 * multicast and reserved ones, and *ret_why says which.
 */
bool sg_address_is_usable(const struct address *address, const char **ret_why);

/* --show; --remove of a rule by its id. */
bool sg_settings_need_address(const struct sg_settings *settings);

enum sg_action {
	SG_UNCHANGED, /* it was right already */
	SG_COVERED,   /* another rule lets the address in; nothing was written */
	SG_CHANGED,
	SG_CREATED,
	SG_REMOVED,
	SG_ABSENT, /* nothing there to be removed */
};

/* One run: what it works on and what came of it. */
struct sg_job {
	struct aws *aws;
	const char *region;
	const struct sg_settings *settings;
	struct ec2_wanted wanted;
	struct ec2_rules rules; /* of the group, when they were listed */
	bool listed;
	struct aws_reply reply; /* of the last call */
	/* A write was sent and may have been carried out, whatever was answered. */
	bool written;

	enum sg_action action;
	struct ec2_rule before; /* the rule that is the subject, as it was; id NULL: none */
	char *id;               /* the rule that now holds; NULL: none or not known */
	char *note;             /* a sentence for people; NULL: none */
	bool confirmed;         /* AWS shows the new state */
};

#define SG_JOB_INIT                                                                                \
	{                                                                                          \
		.action = SG_UNCHANGED                                                             \
	}

void sg_job_release(struct sg_job *job);

/*
 * Makes sure that the wanted address is let in. Fails with FAILED (no such rule, several of them,
 * AWS said no), REFUSED (the rule is not safe to overwrite) and what aws_call fails with.
 */
int sg_rule_update(struct sg_job *job, struct err *err);

/* Makes sure that our rule is gone; rules of others stay. */
int sg_rule_remove(struct sg_job *job, struct err *err);

enum sg_restored {
	SG_NOTHING,    /* there was nothing to be put back, or somebody else has the rule now */
	SG_STILL,      /* the rule is as before, and was never seen otherwise */
	SG_PUT_BACK,   /* it is as before again */
	SG_TAKEN_AWAY, /* it was made for us, and is gone */
};

/*
 * Puts back what sg_rule_update changed: a changed rule is as before, a created one is gone, and
 * AWS shows that. A rule that somebody else changed meanwhile, in whatever we wrote, is left alone:
 * *ret_note, the caller's text, says so. What may pass is tried again for 20 seconds.
 */
int sg_rule_restore(
	struct sg_job *job, enum sg_restored *ret_restored, char **ret_note, struct err *err);

/*
 * After a command that ran behind a rule of somebody else (SG_COVERED): a text for people when that
 * one does not let us in any more, or cannot be seen; the caller's. NULL: all is well.
 */
char *sg_rule_check_covering(struct sg_job *job);

/* Lists the group's rules. */
int sg_rule_list(struct sg_job *job, struct err *err);

/* --- inside (sg_rule_*.c) ------------------------------------------------------------------- */

/*
 * The rule is an ingress rule for TCP, one port and one address: what this program writes, and can
 * write back. *ret_address may be NULL.
 */
bool sg_rule_is_plain(const struct ec2_rule *rule, struct address *ret_address);

/* It has the wanted address and port, and nothing else. */
bool sg_rule_allows_just(const struct ec2_rule *rule, const struct ec2_wanted *wanted);

/* And the description, but for blanks at its end, which AWS may drop. */
bool sg_rule_is_just(const struct ec2_rule *rule, const struct ec2_wanted *wanted);

/*
 * Which rules of those listed are ours: ingress rules for the port and the family with the tag, or
 * else with the description. The array is the caller's, the rules are the job's.
 */
size_t sg_rule_candidates(struct sg_job *job, struct ec2_rule ***ret_rules);

/*
 * The one of them to be worked on: the only one, or the only one with the wanted address. *ret_rule
 * is NULL when there is none at all; fails with FAILED and lists them when there are too many.
 */
int sg_rule_choose(struct sg_job *job, struct ec2_rule **ret_rule, struct err *err);

/* An ingress rule of those listed that lets the wanted address in; NULL: none. */
const struct ec2_rule *sg_rule_covering(const struct sg_job *job);

/*
 * The rule of those listed that is just what is wanted and was not in the earlier list; NULL: none.
 * So a rule is known that was made by a call whose answer was lost.
 */
const struct ec2_rule *sg_rule_added_since(
	const struct sg_job *job, const struct ec2_rules *earlier);

/* Fails with REFUSED when the rule must not be overwritten (or, with --remove, removed). */
int sg_rule_check_safe(const struct sg_job *job, const struct ec2_rule *rule, struct err *err);

/* Makes AWS's error of the last call one about the rule (NULL: any) and the group. Returns -1. */
int sg_rule_explain(const struct sg_job *job, const char *id, struct err *err);

/* The last call failed because there is no such rule; because there is one like it already. */
bool sg_rule_is_missing(const struct sg_job *job);
bool sg_rule_is_duplicate(const struct sg_job *job);

/*
 * Looks up to three times within five seconds whether AWS shows the rule job->id as wanted (NULL:
 * gone), and sets job->confirmed. When it does not, *ret_why says what was seen instead, the
 * caller's text. Fails only when interrupted.
 */
int sg_rule_confirm(
	struct sg_job *job, const struct ec2_wanted *wanted, char **ret_why, struct err *err);

/* A write failed so that nobody knows whether it was carried out: no answer of AWS was understood.
 */
bool sg_rule_is_unclear(const struct sg_job *job, const struct err *err);

/* --- what it prints ------------------------------------------------------------------------- */

/* The one line about a run, without its newline; the caller owns it. */
char *sg_rule_line(const struct sg_job *job);
void sg_rule_print_json(const struct sg_job *job);
void sg_rule_show(const struct sg_job *job, bool json);

/* The line about what was put back; the caller owns it. */
char *sg_rule_restored_line(const struct sg_job *job, enum sg_restored restored);

/*
 * The command that makes the rule as it was before the job, for people to type. closes: that
 * removes the rule, because it cannot be as before.
 */
char *sg_rule_undo_command(const struct sg_job *job, bool closes);

/* --- waiting -------------------------------------------------------------------------------- */

/* Where --wait looks. */
struct sg_host {
	char *name, *user;
	int port;
};

#define SG_HOST_INIT                                                                               \
	{                                                                                          \
		0                                                                                  \
	}

/* The host of a target's URL, or its hostaddr. Fails with USAGE, also when it names none. */
int sg_host_resolve(
	struct sg_host *host, const struct context *context, const char *target, struct err *err);
void sg_host_release(struct sg_host *host);

/*
 * Before anything is written: fails with CONNECT when the host's addresses are all private, so that
 * no rule makes it reachable, unless such are allowed. No host is no failure.
 */
int sg_host_check(const struct sg_host *host, const struct sg_settings *settings, struct err *err);

/* Waits until the server can be reached: TIMEOUT after so many seconds, INTERRUPTED. */
int sg_rule_wait(const struct sg_host *host, const struct sg_settings *settings, double seconds,
	struct err *err);

/* --- --while -------------------------------------------------------------------------------- */

/*
 * Lets the address in, waits for the host (NULL: not) and runs the command, a file and its
 * arguments; whatever happens, the rule is put back. *ret_status is the command's exit status.
 * Fails with INTERRUPTED when a signal ended the command or was sent to this program, with what
 * sg_rule_update, sg_rule_wait and sg_rule_restore fail with; the latter only after a command that
 * succeeded, otherwise its error is printed.
 */
int sg_rule_while(struct sg_job *job, const struct sg_host *host, double wait_seconds,
	const char *file, const struct strlist *words, int *ret_status, struct err *err);

#endif

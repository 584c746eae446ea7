/*
 * What db-doctor finds: the way to a server step by step, and the health of a database. Findings of
 * both have stable ids.
 */
#ifndef APP_DOCTOR_H
#define APP_DOCTOR_H

#include "app/context.h"
#include "app/doctor_ignore.h"
#include "pg/conn_failure.h"

#include <jansson.h>

/* Days before its end from which on a certificate, or a password, is a finding. */
#define DOCTOR_EXPIRY_DAYS 30

/* Findings of one check that are shown without -v. */
#define DOCTOR_SHOWN 10

enum doctor_status { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_FAILED, DOCTOR_SKIPPED };

struct doctor_step {
	const char *name;
	enum doctor_status status;
	int64_t us;    /* how long it took; -1: nothing was done */
	char *text;    /* lines */
	json_t *facts; /* an object; NULL: none */
};

enum doctor_severity { DOCTOR_INFO, DOCTOR_WARN, DOCTOR_ERROR };

struct doctor_finding {
	const char *id;
	enum doctor_severity severity;
	char *object;
	char *message; /* a phrase whose subject is the object */
	char *fix;     /* SQL to be run as it is in this database; NULL: none */
	char *note;    /* sentences: what to do where no command does it, or before; NULL: none */
};

/* A check that was not made, or saw less than there may be. */
struct doctor_gap {
	const char *id;
	char *reason;
};

struct doctor {
	struct context *context;
	const char *target; /* the word that names it */
	const struct strlist *only;
	struct ignore_rules ignore;
	/* Told of each step when it is done. */
	void (*tell)(const struct doctor_step *step);

	struct doctor_step *steps;
	size_t step_count;
	struct doctor_finding *findings;
	size_t finding_count;
	struct doctor_gap *gaps;
	size_t gap_count;
	size_t checks;  /* how many were made */
	size_t ignored; /* findings that rules left out */
	int64_t begun, health_us;
	const char *cause; /* why the connection failed; NULL: it did not */
};

#define DOCTOR_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}

/* True for the id of a check, of the connection or of the health. */
bool doctor_knows(const char *id);

/* True for the id of a check of the health. */
bool doctor_is_of_health(const char *id);

/* All ids, with commas; the caller owns the text. */
char *doctor_ids(void);

const char *doctor_status_name(enum doctor_status status);
const char *doctor_severity_name(enum doctor_severity severity);

/* True when the check is wanted: --only names it, or nothing. */
bool doctor_wants(const struct doctor *doctor, const char *id);

/* Adds a step and tells of it; text and facts are taken over. us < 0: nothing was done. */
void doctor_step(struct doctor *doctor, const char *name, enum doctor_status status, int64_t us,
	char *text, json_t *facts);

/* Adds a finding, unless it is ignored or not wanted. message, fix and note are taken over; the
 * last two may be NULL. */
void doctor_find(struct doctor *doctor, const char *id, enum doctor_severity severity,
	const char *object, char *message, char *fix, char *note);

/* Adds a gap; reason is taken over. */
void doctor_miss(struct doctor *doctor, const char *id, char *reason);

size_t doctor_count(const struct doctor *doctor, enum doctor_severity severity);

/*
 * Goes the way to the target's database, each step told as it is done, up to *ret_conn, the
 * caller's. Where it ends early, err is what db-sessions and the like would say there: CONNECT,
 * TIMEOUT, …
 */
int doctor_way(struct doctor *doctor, struct conn **ret_conn, struct err *err);

/*
 * Adds the step of a target that could not be resolved, whose failure is err. Nothing is told of
 * it: there is no way to go.
 */
void doctor_no_target(struct doctor *doctor, const struct err *err);

/* Makes the checks of the database's health. Fails when the connection is lost, or INTERRUPTED. */
int doctor_health(struct doctor *doctor, struct conn *conn, struct err *err);

/* On stdout: a step; the findings with a summary; all of it as one JSON object (failure: NULL,
 * none). */
void doctor_print_step(const struct doctor_step *step);
void doctor_print_findings(const struct doctor *doctor, bool with_health);
void doctor_print_json(const struct doctor *doctor, const struct err *failure);

/* Usable as a CLEANUP handler. */
void doctor_release(struct doctor *doctor);

#endif

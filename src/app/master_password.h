/* The new master password of an instance: where it comes from. */
#ifndef APP_MASTER_PASSWORD_H
#define APP_MASTER_PASSWORD_H

#include "app/context.h"
#include "base/secret.h"

extern const struct variable master_password_variables[];

/* For struct command's secret_words. */
#define MASTER_PASSWORD_WORDS                                                                      \
	"A password is typed at the question, comes through a pipe (rds-password) or from "        \
	"DB_MASTER_PASSWORD. One given as an argument now stands in the shell's history: choose "  \
	"another."

/*
 * Takes DB_MASTER_PASSWORD out of the process environment, so that no program we start gets it; not
 * set when it is not there or empty. One that stands in .env is warned of and not taken: that file
 * would go on holding it, and would set it again.
 */
void master_password_from_environment(const struct env *env, struct secret *ret_password);

/* One line, or all there is, from stdin. Fails with USAGE. */
int master_password_from_stdin(struct secret *ret_password, struct err *err);

/* Asks at the terminal, twice. Fails as prompt_new_secret does. */
int master_password_ask(const char *id, struct secret *ret_password, struct err *err);

/* What RDS would refuse fails with USAGE; the message holds nothing of it. */
int master_password_check(const struct secret *password, struct err *err);

#endif

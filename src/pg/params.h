/*
 * Connection parameters: libpq's keywords and their values. URLs are parsed by libpq and by nothing
 * else; what libpq would misread, or would answer by quoting the password, is refused before.
 */
#ifndef PG_PARAMS_H
#define PG_PARAMS_H

#include "base/err.h"

struct param {
	char *keyword;
	char *value;
};

/*
 * Where the password comes from when it is made anew for each connection, as IAM tokens are.
 * *ret_password is borrowed until the next call; it never reaches a message. Fails like any
 * library function, without a word about the connection that was wanted.
 */
struct password_source {
	int (*fetch)(struct password_source *source, const char **ret_password, struct err *err);
};

struct params {
	struct param *items;
	size_t count;
	/* Asked before each connection; "password" then means nothing. Borrowed; NULL: none. */
	struct password_source *source;
};

#define PARAMS_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}

/*
 * Parses a connection URL or a keyword=value string. variable names where it was found, for
 * messages. Fails with USAGE; neither message, detail nor hint holds any part of a password.
 */
int params_parse(struct params *params, const char *variable, const char *text, struct err *err);

/* NULL when not set or empty. */
const char *params_get(const struct params *params, const char *keyword);

/* Sets or replaces; a NULL value removes. */
void params_set(struct params *params, const char *keyword, const char *value);

/* Sets or replaces all that from has, its password source too. */
void params_copy(struct params *to, const struct params *from);

/*
 * "user@host:port/database" for messages, without password; what is not set is left out; a socket
 * is named behind it. The caller owns the text.
 */
char *params_describe(const struct params *params, const char *database);

/*
 * The connection URL that params_parse would make these of, with database (NULL: none) in place of
 * dbname, and without the password and whatever else libpq counts as a secret. The caller owns it.
 */
char *params_url(const struct params *params, const char *database);

/* Wipes and frees; usable as a CLEANUP handler. */
void params_release(struct params *params);

#endif

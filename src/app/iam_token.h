/* The password of a target with NAME_AUTH=iam: a token that rds-token makes for each connection. */
#ifndef APP_IAM_TOKEN_H
#define APP_IAM_TOKEN_H

#include "base/secret.h"
#include "pg/params.h"

struct context;

struct iam_token {
	struct password_source source; /* the first member: it is what fetch is given */
	const struct context *context;
	struct secret token;
	bool failed; /* the last error was that no token could be had */
};

/* Makes the token the password of the context's target; both must stay where they are. */
void iam_token_use(struct iam_token *token, struct context *context);

/* Wipes. */
void iam_token_release(struct iam_token *token);

#endif

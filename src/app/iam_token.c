#include "app/iam_token.h"

#include "app/companion.h"
#include "app/context.h"
#include "base/mem.h"
#include "term/out.h"

#include <string.h>

/* Credentials may come from a service, or from a program that asks the user. */
#define TOKEN_TIMEOUT_MS 75000

/* A session token makes it some KiB long. */
#define TOKEN_MAX ((size_t)16 << 10)

/* One word, and nothing that could not stand in a password message. */
static bool is_token(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return length > 0 && length <= TOKEN_MAX;
}

static int make(struct iam_token *token, struct err *err)
{
	const struct params *params = &token->context->target.params;
	const char *host = params_get(params, "host");
	const char *port = params_get(params, "port");
	const char *user = params_get(params, "user");
	CLEANUP(strlist_release) struct strlist arguments = STRLIST_INIT;
	CLEANUP(companion_answer_release) struct companion_answer answer = COMPANION_ANSWER_INIT;
	size_t length;

	strlist_add(&arguments, "-q");
	/* The signature is over the name without the root's dot. */
	length = strlen(host);
	strlist_addf(&arguments, "--host=%.*s", (int)(length - (host[length - 1] == '.')), host);
	strlist_addf(&arguments, "--port=%s", port ? port : "5432");
	strlist_addf(&arguments, "--user=%s", user);
	if (companion_run(token->context, "rds-token", &arguments, TOKEN_TIMEOUT_MS, &answer, err))
		return -1;
	if (answer.status != 0)
		return companion_failed(&answer, "rds-token", err,
			"could not get an IAM token for user \"%s\" of %s", user, host);
	if (answer.errors.length > 0)
		out_detail("%s", answer.errors.data);
	length = strcspn(answer.output.data, "\n");
	if (!is_token(answer.output.data, length) || length + 1 < answer.output.length)
		return err_set(err, ERR_FAILED,
			"could not get an IAM token for user \"%s\" of %s: what rds-token printed "
			"is none",
			user, host);
	secret_set(&token->token, answer.output.data, length);
	return 0;
}

static int fetch(struct password_source *source, const char **ret_password, struct err *err)
{
	struct iam_token *token = (struct iam_token *)source;

	token->failed = make(token, err) != 0;
	if (token->failed)
		return -1;
	*ret_password = secret_reveal(&token->token);
	return 0;
}

void iam_token_use(struct iam_token *token, struct context *context)
{
	*token = (struct iam_token){ .source.fetch = fetch, .context = context };
	context->target.params.source = &token->source;
}

void iam_token_release(struct iam_token *token)
{
	secret_release(&token->token);
}

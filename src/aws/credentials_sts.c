#include "aws/credentials.h"

#include "base/mem.h"

#include <string.h>

/* A name for the session that CloudTrail will show. */
static void add_role(struct query *query, const struct credentials_role *role, struct aws *aws)
{
	query_add(query, role->arn, "RoleArn");
	if (role->session_name) {
		query_add(query, role->session_name, "RoleSessionName");
	} else {
		CLEANUP(mem_cleanup)
		char *name = mem_printf("dbrig-%lld", (long long)aws_now(aws));

		query_add(query, name, "RoleSessionName");
	}
}

/* The tree's texts hold keys, and freeing it does not wipe them. */
static void wipe_texts(struct xml *node)
{
	for (; node; node = node->next) {
		if (node->text)
			mem_wipe(node->text, strlen(node->text));
		wipe_texts(node->first);
	}
}

static void reply_cleanup(struct aws_reply *reply)
{
	wipe_texts(reply->document);
	aws_reply_release(reply);
}

static int read_reply(struct aws *aws, const struct credentials_role *role, const char *action,
	const struct aws_reply *reply, struct credentials *credentials, struct err *err)
{
	CLEANUP(mem_cleanup)
	char *source = mem_printf("role %s of profile \"%s\"", role->arn, role->profile);
	const struct xml *answer = xml_search(reply->document, "Credentials");
	const char *key = answer ? xml_text(answer, "AccessKeyId") : NULL;
	const char *secret = answer ? xml_text(answer, "SecretAccessKey") : NULL;
	const char *token = answer ? xml_text(answer, "SessionToken") : NULL;
	const char *expiry = answer ? xml_text(answer, "Expiration") : NULL;

	if (!key || !*key || !secret || !*secret || !token || !*token || !expiry)
		return err_set(err, ERR_FAILED, "the answer to %s holds no credentials", action);
	if (credentials_set(credentials, source, key, secret, token, err) != 0) {
		err->kind = ERR_FAILED;
		return -1;
	}
	return credentials_set_expiry(credentials, aws, expiry, err);
}

static int call(struct aws *aws, const struct credentials_role *role,
	const struct aws_request *request, struct credentials *credentials, struct err *err)
{
	CLEANUP(reply_cleanup) struct aws_reply reply = AWS_REPLY_INIT;

	if (aws_call(aws, request, &reply, err) != 0) {
		if (err->kind != ERR_INTERRUPTED)
			err_detail_line(err, "The call was for role %s of profile \"%s\".",
				role->arn, role->profile);
		return -1;
	}
	return read_reply(aws, role, request->action, &reply, credentials, err);
}

int credentials_assume_role(struct aws *aws, const struct credentials_role *role,
	const struct credentials *source, struct credentials *credentials, struct err *err)
{
	CLEANUP(query_release) struct query query = QUERY_INIT;
	const struct aws_request request = {
		.service = "sts",
		.action = "AssumeRole",
		.query = &query,
		.credentials = source,
	};

	add_role(&query, role, aws);
	if (role->external_id)
		query_add(&query, role->external_id, "ExternalId");
	if (role->duration_seconds)
		query_add_int(&query, role->duration_seconds, "DurationSeconds");
	return call(aws, role, &request, credentials, err);
}

int credentials_assume_role_with_web_identity(struct aws *aws, const struct credentials_role *role,
	const char *token_file, struct credentials *credentials, struct err *err)
{
	CLEANUP(query_release) struct query query = QUERY_INIT;
	CLEANUP(secret_release) struct secret token = SECRET_INIT;
	const struct aws_request request = {
		.service = "sts",
		.action = "AssumeRoleWithWebIdentity",
		.query = &query,
		.is_unsigned = true,
	};

	if (credentials_read_token(token_file, "web identity token", &token, err) != 0)
		return -1;
	add_role(&query, role, aws);
	query_add(&query, secret_reveal(&token), "WebIdentityToken");
	return call(aws, role, &request, credentials, err);
}

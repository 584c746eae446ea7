/*
 * Between the files that look for credentials. A provider that has none returns 0 and leaves
 * credentials->access_key NULL; one that is meant but cannot give any fails.
 */
#ifndef AWS_CREDENTIALS_H
#define AWS_CREDENTIALS_H

#include "aws/aws.h"

/*
 * Fills credentials. source is what messages call them; the caller's copy of the texts stays its
 * own to wipe; session_token may be NULL. Fails with USAGE when one of the texts holds what no key
 * holds: a blank, a control character, a byte that is not ASCII.
 */
int credentials_set(struct credentials *credentials, const char *source, const char *access_key,
	const char *secret_key, const char *session_token, struct err *err);

/* Parses "2030-01-02T03:04:05Z", with a fraction and with an offset for Z. */
bool credentials_parse_time(const char *text, time_t *ret_time);

/*
 * Sets when they expire. Fails with FAILED when that is no time, or is over already by aws_now.
 */
int credentials_set_expiry(
	struct credentials *credentials, struct aws *aws, const char *text, struct err *err);

/* What the JSON of a provider is like. */
struct credentials_json {
	const char *source;
	const char *token_name; /* "Token", "SessionToken" */
	bool needs_token;
	bool has_version; /* "Version": 1 is there */
};

/*
 * Reads a provider's JSON object. Nothing of it gets into an error, and the parser's memory is
 * wiped. Fails with FAILED.
 */
int credentials_read_json(const struct credentials_json *what, const struct strbuf *text,
	struct aws *aws, struct credentials *credentials, struct err *err);

/* A text member of a JSON object, for people; the caller owns it. NULL: none. */
char *credentials_json_text(const struct strbuf *text, const char *name);

/* Reads a file with a token in it, without the line's end. Fails with USAGE. */
int credentials_read_token(
	const char *path, const char *what, struct secret *ret_token, struct err *err);

/* --- the providers -------------------------------------------------------------------------- */

int credentials_from_environment(struct aws *aws, struct credentials *credentials, struct err *err);

/* The profile's role, when it has one with source_profile or credential_source. */
int credentials_from_role(
	struct aws *aws, const char *profile, struct credentials *credentials, struct err *err);

/*
 * What a profile has besides that: web identity, keys, credential_process. use_environment:
 * AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN and AWS_ROLE_SESSION_NAME go before its own settings.
 */
int credentials_from_profile(struct aws *aws, const char *profile, bool use_environment,
	struct credentials *credentials, struct err *err);

int credentials_from_process(struct aws *aws, const char *profile, const char *command,
	struct credentials *credentials, struct err *err);

int credentials_from_container(struct aws *aws, struct credentials *credentials, struct err *err);

/* *ret_why: why there are none, a phrase the caller owns; NULL when nothing is known. */
int credentials_from_instance(
	struct aws *aws, struct credentials *credentials, char **ret_why, struct err *err);

/* AWS_EC2_METADATA_DISABLED=true. */
bool credentials_instance_disabled(struct aws *aws);

/* --- STS ------------------------------------------------------------------------------------ */

struct credentials_role {
	const char *profile; /* for messages */
	const char *arn;
	const char *session_name; /* NULL: one of our own */
	const char *external_id;  /* NULL: none */
	int duration_seconds;     /* 0: AWS's default */
};

/* AssumeRole, signed with source. */
int credentials_assume_role(struct aws *aws, const struct credentials_role *role,
	const struct credentials *source, struct credentials *credentials, struct err *err);

/* AssumeRoleWithWebIdentity, unsigned. */
int credentials_assume_role_with_web_identity(struct aws *aws, const struct credentials_role *role,
	const char *token_file, struct credentials *credentials, struct err *err);

#endif

/*
 * Access to AWS: configuration, region, credentials and calls of the Query protocol (EC2, RDS,
 * STS).
 */
#ifndef AWS_AWS_H
#define AWS_AWS_H

#include "aws/config.h"
#include "aws/http.h"
#include "aws/query.h"
#include "aws/sign.h"
#include "aws/xml.h"

struct aws_options {
	/* AWS_* variables, also from .env where config_variable lets it; must outlive the object.
	 */
	const struct env *env;
	const char *profile;    /* --profile; NULL: AWS_PROFILE, AWS_DEFAULT_PROFILE, "default" */
	const char *region;     /* --region; NULL: AWS_REGION, AWS_DEFAULT_REGION, the profile's */
	double timeout_seconds; /* for each call with its retries; 0: 45 */
	/* A line per request for -v: method, host, action, status, request id, attempt. */
	void (*trace)(const char *line);
	void (*warn)(const char *line); /* clock skew, a credentials file others can read */
};

struct aws;

/* Reads the configuration and settles profile and region; nothing is connected. Fails with USAGE.
 */
int aws_open(const struct aws_options *options, struct aws **ret_aws, struct err *err);
void aws_cleanup(struct aws **pointer);

/*
 * The region; fails with USAGE when none is known (the instance's own, from its metadata, counts
 * when the credentials came from there) or when it is no region's name.
 */
int aws_region(struct aws *aws, const char **ret_region, struct err *err);

/*
 * The credentials, found once, and again when they have less than five minutes left: environment,
 * profile with a role, web identity, static profile, credential_process, container, instance
 * metadata. An explicit options.profile goes before the environment. Fails with USAGE when there
 * are none (the message lists where it looked) or what there is cannot be used, CONNECT, FAILED.
 */
int aws_credentials(struct aws *aws, const struct credentials **ret_credentials, struct err *err);

/* --- for aws/ itself ------------------------------------------------------------------------ */

/* credentials.c: what aws_credentials does, without keeping. */
int credentials_find(struct aws *aws, struct credentials *credentials, struct err *err);

/* The source of credentials from the instance metadata begins with this. */
#define CREDENTIALS_FROM_METADATA "EC2 instance metadata"

/*
 * The region of the instance this machine is, from its metadata service; the caller owns it. Fails
 * with CONNECT, FAILED.
 */
int credentials_metadata_region(struct aws *aws, char **ret_region, struct err *err);

struct http *aws_http(struct aws *aws);
const struct aws_options *aws_options(const struct aws *aws);
const struct config *aws_config(const struct aws *aws);
const char *aws_profile(const struct aws *aws);
/* AWS_CA_BUNDLE or the profile's ca_bundle, SSL_CERT_FILE, CURL_CA_BUNDLE; NULL: the system's. */
const char *aws_ca_bundle(const struct aws *aws);
/* Seconds since 1970 by AWS's clock, as far as its answers have told. */
time_t aws_now(const struct aws *aws);
/* From now on aws_now goes by this clock, which shows server_now. */
void aws_set_clock(struct aws *aws, time_t server_now);

/*
 * The value of an environment variable, else of the profile's setting (either may be NULL);
 * borrowed, NULL: none. A text that is not empty.
 */
const char *aws_setting(const struct aws *aws, const char *variable, const char *name);
/* True when that value is "true". */
bool aws_setting_is_true(const struct aws *aws, const char *variable, const char *name);

/* A name like "eu-central-1", which may become part of a host's name. */
bool aws_is_region(const char *text);

/*
 * The endpoint of "ec2", "rds", "sts" in the region, without a final slash; the caller owns it.
 * AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's services and endpoint_url (not with
 * AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true), else built from partition, AWS_USE_FIPS_ENDPOINT and
 * AWS_USE_DUALSTACK_ENDPOINT. Fails with USAGE for one that http_refuses.
 */
int aws_endpoint(
	struct aws *aws, const char *service, const char *region, char **ret_url, struct err *err);

/* --- calls ---------------------------------------------------------------------------------- */

struct aws_request {
	const char *service;       /* "ec2", "rds", "sts" */
	const char *action;        /* "DescribeSecurityGroupRules" */
	const struct query *query; /* without Action and Version */
	bool is_unsigned;          /* AssumeRoleWithWebIdentity */
	bool counts_attempts;      /* each request sent is one of reply->attempts */
	/* For a call that finds the credentials: sign with these; NULL: aws_credentials. */
	const struct credentials *credentials;
};

struct aws_reply {
	long status;
	struct xml *document; /* <ACTIONResponse>; NULL when the call failed */
	char *code;           /* AWS's error code, "InvalidPermission.Duplicate"; NULL: none */
	char *message;        /* AWS's own, terminal-unsafe, without its encoded part */
	char *request_id;     /* may be NULL */
	int attempts;         /* how often the call was tried */
};

#define AWS_REPLY_INIT                                                                             \
	{                                                                                          \
		0                                                                                  \
	}

/* Usable as a CLEANUP handler. */
void aws_reply_release(struct aws_reply *reply);

/*
 * POSTs the request, signed, and retries as the SDKs' standard mode: AWS_MAX_ATTEMPTS (3) attempts,
 * rand(0,1) * min(2^(n-1), 20) seconds apart, for what may pass (5xx, throttling, connection). A
 * clock that is more than four minutes off is corrected once. Only 200 with well-formed XML whose
 * root is ACTIONResponse is success. Errors: FAILED with AWS's code, message, region and request id
 * (reply keeps them), and a hint for credentials and permissions; CONNECT when no answer came or
 * the time ran out, USAGE for configuration, INTERRUPTED.
 */
int aws_call(struct aws *aws, const struct aws_request *request, struct aws_reply *reply,
	struct err *err);

/*
 * A call failed so that nobody knows whether it was carried out: no answer came, or none that could
 * be understood, or one of something between us and the service.
 */
bool aws_is_unclear(const struct aws_reply *reply, const struct err *err);

/* The code is one of credentials that do not hold; or of a missing permission. */
bool aws_code_is_credentials(const char *code);
bool aws_code_is_permission(const char *code);

#endif

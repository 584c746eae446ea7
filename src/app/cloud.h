/* What the rds-* commands share: options, and AWS access by them. */
#ifndef APP_CLOUD_H
#define APP_CLOUD_H

#include "app/context.h"
#include "aws/aws.h"

/* --profile, --region, --timeout */
extern const struct option cloud_options[];

/* The AWS_* variables that are honoured, for the man pages. */
extern const struct variable cloud_variables[];

/* --instance ID, and the variables that name an instance. */
extern const struct option instance_options[];
extern const struct variable instance_variables[];

/* What --instance says; NULL: it was not given. */
const char *cloud_instance_option(void);

/*
 * aws_open with these options, the environment and .env; its warnings and traces go to the
 * terminal. Signals are caught from here on (base/interrupt.h). context was opened with
 * context_open_project and must outlive *ret_aws.
 */
int cloud_open(struct context *context, struct aws **ret_aws, struct err *err);

/*
 * " --profile P --region R" for the end of a command line that is shown to be typed, as far as they
 * are known; quoted for a shell. The caller owns it.
 */
char *cloud_where(struct aws *aws);

/* --profile, for a command line that is shown to be typed; NULL: not given. */
const char *cloud_profile(void);

/*
 * Which instance a command is about: --instance; with a target on the command line the one whose
 * endpoint that target's URL names; DB_INSTANCE_ID; else the one of the target prod's URL. (A word
 * on the command line goes before DB_INSTANCE_ID, so that `rds-stop staging` never stops another.)
 * *ret_id is the caller's, *ret_region too; NULL unless it comes from an endpoint. Fails with
 * USAGE; the message says what to set.
 */
int cloud_instance(struct context *context, const struct run *run, char **ret_id, char **ret_region,
	struct err *err);

/*
 * cloud_instance and cloud_open in one, in the region that the endpoint's name holds unless
 * --region names another.
 */
int cloud_open_instance(struct context *context, const struct run *run, struct aws **ret_aws,
	char **ret_id, struct err *err);

#endif

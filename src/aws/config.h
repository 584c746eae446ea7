/* The AWS configuration: ~/.aws/config, ~/.aws/credentials and the AWS_* variables. */
#ifndef AWS_CONFIG_H
#define AWS_CONFIG_H

#include "base/env.h"

/*
 * The value of an AWS_* variable; NULL: not set, or empty. A project's .env counts only for keys,
 * region, profile and how often is tried: a project that was just cloned must not say which program
 * gives credentials, which files hold them, or where they and passwords are sent.
 */
const char *config_variable(const struct env *env, const char *name);

/* The next variable that stands in .env and does not count there, from *index on; NULL: no more. */
const char *config_ignored(const struct env *env, size_t *index);

struct config; /* the two files, as sections of names and values */

/*
 * Reads AWS_CONFIG_FILE (~/.aws/config) and AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials); a
 * missing one is empty, as is one in its default place that may not be read. Grammar as botocore's:
 * sections in [ ], # and ; begin comment lines, names end at the first = or :, nothing inside a
 * value is a comment, lines indented more than the setting above continue its value, or are nested
 * in it when it is empty; names of settings are caseless, lines have no limit. A section or a
 * setting that comes twice is an error. Fails with USAGE and file:line, never with a value.
 */
int config_read(const struct env *env, struct config **ret_config, struct err *err);
void config_cleanup(struct config **config);

/* A path like "~/.aws/credentials", for messages; borrowed. */
const char *config_path(const struct config *config);
const char *config_credentials_path(const struct config *config);

/* The credentials file can be read by others than its owner. */
bool config_credentials_exposed(const struct config *config);

/* True when either file has that profile. */
bool config_has_profile(const struct config *config, const char *profile);

/*
 * A value of a profile, borrowed; NULL: none or empty. *ret_path (may be NULL) is the file it is
 * from. The credentials file wins, as in botocore.
 */
const char *config_get(
	const struct config *config, const char *profile, const char *name, const char **ret_path);

enum config_file { CONFIG_FILE_CREDENTIALS, CONFIG_FILE_CONFIG };

/* The same from one of the files: keys that belong together come from one place. */
const char *config_get_from(
	const struct config *config, enum config_file file, const char *profile, const char *name);

/* endpoint_url of a service in the [services] section that the profile names; NULL: none. */
const char *config_service_endpoint(
	const struct config *config, const char *profile, const char *service);

#endif

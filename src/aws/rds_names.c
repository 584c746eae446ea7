#include "aws/rds.h"
#include "base/mem.h"

#include <string.h>
#include <strings.h>

#define INSTANCE_ID_MAX 63
#define IDENTIFIER_MAX 63
#define PASSWORD_MIN 8
#define PASSWORD_MAX 128

/* The locale has no say in what AWS calls a letter. */
static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool rds_is_instance_id(const char *text)
{
	size_t length = strlen(text);

	if (length < 1 || length > INSTANCE_ID_MAX || !is_letter(text[0]) ||
		text[length - 1] == '-' || strstr(text, "--"))
		return false;
	for (const char *c = text; *c; c++)
		if (!is_letter(*c) && !is_digit(*c) && *c != '-')
			return false;
	return true;
}

/* "db.", a family, a size: db.t4g.micro, db.m6gd.12xlarge, db.r6i.32xlarge.tpc2.mem4x. */
bool rds_is_class(const char *text)
{
	size_t parts = 1;

	if (strncmp(text, "db.", 3) != 0)
		return false;
	for (const char *c = text; *c; c++) {
		if (*c == '.') {
			if (c[1] == '.' || !c[1])
				return false;
			parts++;
		} else if (!(*c >= 'a' && *c <= 'z') && !is_digit(*c) && *c != '-') {
			return false;
		}
	}
	return parts >= 3 && strlen(text) <= 60;
}

/* 16, 16.3, 9.6.24, also with a suffix of RDS's own: 11.22-rds.20240418. */
bool rds_is_engine_version(const char *text)
{
	if (!is_digit(text[0]) || strlen(text) > 40)
		return false;
	for (const char *c = text; *c; c++)
		if (!is_digit(*c) && !is_letter(*c) && *c != '.' && *c != '-')
			return false;
	return true;
}

static bool is_identifier(const char *text, const char **ret_why)
{
	if (!is_letter(text[0])) {
		*ret_why = "does not begin with a letter";
		return false;
	}
	if (strlen(text) > IDENTIFIER_MAX) {
		*ret_why = "is longer than 63 characters";
		return false;
	}
	for (const char *c = text; *c; c++) {
		if (!is_letter(*c) && !is_digit(*c) && *c != '_') {
			*ret_why = "holds something other than letters, digits and _";
			return false;
		}
	}
	return true;
}

static bool is_listed(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (strcasecmp(text, *list) == 0)
			return true;
	return false;
}

bool rds_is_database(const char *text, const char **ret_why)
{
	static const char *const reserved[] = { "rdsadmin", "template0", "template1", "db", NULL };

	if (!is_identifier(text, ret_why))
		return false;
	if (is_listed(text, reserved)) {
		*ret_why = "is reserved";
		return false;
	}
	return true;
}

bool rds_is_user(const char *text, const char **ret_why)
{
	static const char *const reserved[] = { "admin", "rdsadmin", "rdsrepladmin",
		"rds_superuser", "rds_replication", "rds_password", "rds_iam", "rds_ad", "public",
		"none", "user", "current_user", "session_user", NULL };

	if (!is_identifier(text, ret_why))
		return false;
	if (is_listed(text, reserved) || strncasecmp(text, "pg_", 3) == 0) {
		*ret_why = "is reserved";
		return false;
	}
	return true;
}

bool rds_is_password(const struct secret *password, const char **ret_why)
{
	size_t length = secret_length(password);
	const char *text = secret_reveal(password);

	if (length < PASSWORD_MIN) {
		*ret_why = "has fewer than 8 characters";
		return false;
	}
	if (length > PASSWORD_MAX) {
		*ret_why = "has more than 128 characters";
		return false;
	}
	for (size_t i = 0; i < length; i++) {
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '/' || text[i] == '@' ||
			text[i] == '"') {
			*ret_why = "holds a character that RDS refuses: only printable ASCII "
				   "without /, @, \" and blanks is taken";
			return false;
		}
	}
	return true;
}

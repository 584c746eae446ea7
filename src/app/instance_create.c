#include "app/instance_create.h"

#include "aws/ec2.h"
#include "base/mem.h"

#include <string.h>
#include <strings.h>

/* The bounds of gp3 for PostgreSQL, and of automated backups. */
#define STORAGE_MIN 20
#define STORAGE_MAX 65536
#define BACKUP_DAYS_MAX 35

/* ASCII, as AWS takes it. */
static bool is_subnet_group(const char *text)
{
	size_t length = strlen(text);

	return length > 0 && length <= 255 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._ -") ==
		       length;
}

static int check_names(const struct rds_wanted *wanted, struct err *err)
{
	const char *why;

	if (wanted->database && !rds_is_database(wanted->database, &why))
		return err_set(err, ERR_USAGE, "the database name \"%s\" is not allowed: it %s",
			wanted->database, why);
	if (!rds_is_user(wanted->user, &why))
		return err_set(err, ERR_USAGE, "the master user \"%s\" is not allowed: it %s",
			wanted->user, why);
	if (wanted->subnet_group && !is_subnet_group(wanted->subnet_group))
		return err_set(err, ERR_USAGE, "\"%s\" is not the name of a subnet group",
			wanted->subnet_group);
	if (wanted->group && !ec2_is_group_id(wanted->group))
		return err_set(err, ERR_USAGE,
			"\"%s\" is not the id of a security group (like sg-0123456789abcdef0)",
			wanted->group);
	return 0;
}

int instance_check_wanted(const struct rds_wanted *wanted, struct err *err)
{
	if (!rds_is_class(wanted->class))
		return err_set(err, ERR_USAGE,
			"\"%s\" is not a class of instances (like db.t4g.micro)", wanted->class);
	if (wanted->engine_version && !rds_is_engine_version(wanted->engine_version))
		return err_set(err, ERR_USAGE, "\"%s\" is not a version of PostgreSQL (like 16.3)",
			wanted->engine_version);
	if (wanted->storage_gb < STORAGE_MIN || wanted->storage_gb > STORAGE_MAX)
		return err_set(err, ERR_USAGE, "a storage of %d GB is not possible: %d to %d is",
			wanted->storage_gb, STORAGE_MIN, STORAGE_MAX);
	if (wanted->backup_days < 0 || wanted->backup_days > BACKUP_DAYS_MAX)
		return err_set(err, ERR_USAGE,
			"keeping backups for %d days is not possible: 0 to %d is",
			wanted->backup_days, BACKUP_DAYS_MAX);
	return check_names(wanted, err);
}

void instance_describe_wanted(const struct rds_wanted *wanted, struct strlist *lines)
{
	strlist_addf(lines, "class:      %s, billed by the hour while it runs", wanted->class);
	strlist_addf(lines, "storage:    %d GB gp3, encrypted, billed also while it is stopped",
		wanted->storage_gb);
	strlist_addf(lines, "multi-AZ:   %s",
		wanted->multi_az ? "yes: a standby, which doubles class and storage" : "no");
	if (wanted->backup_days > 0)
		strlist_addf(lines,
			"backups:    kept for %d days; what exceeds the storage's size is billed",
			wanted->backup_days);
	else
		strlist_add(lines, "backups:    none");
	strlist_addf(lines, "address:    %s",
		wanted->is_public ? "public IPv4, billed by the hour"
				  : "private: reachable from its VPC only");
	strlist_addf(lines, "password:   %s",
		wanted->password
			? "the one given"
			: "made, kept and changed by AWS in Secrets Manager, billed by the month");
	strlist_addf(lines, "protection: %s",
		wanted->deletion_protection ? "cannot be deleted until that is lifted" : "none");
}

/* --- one that exists ------------------------------------------------------------------------- */

static void compare_text(
	struct strlist *differences, const char *what, const char *is, const char *wanted)
{
	if (wanted && strcasecmp(is ? is : "", wanted) != 0)
		strlist_addf(
			differences, "%s is %s, not %s", what, is && *is ? is : "none", wanted);
}

static void compare_bool(struct strlist *differences, const char *what, bool is, bool wanted)
{
	if (is != wanted)
		strlist_addf(differences, "%s is %s", what, is ? "on" : "off");
}

/* 16 stands for each of 16.1, 16.3, …. */
static bool is_version(const char *is, const char *wanted)
{
	size_t length = strlen(wanted);

	return strncmp(is, wanted, length) == 0 && (is[length] == '\0' || is[length] == '.');
}

/* A word in a list separated by blanks. */
static bool holds_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = strstr(list, word); at; at = strstr(at + 1, word))
		if ((at == list || at[-1] == ' ') && (at[length] == '\0' || at[length] == ' '))
			return true;
	return false;
}

void instance_differences(const struct rds_instance *instance, const struct rds_wanted *wanted,
	struct strlist *differences)
{
	if (strcmp(instance->engine, "postgres") != 0)
		strlist_addf(differences, "the engine is %s, not postgres", instance->engine);
	if (wanted->engine_version && !is_version(instance->engine_version, wanted->engine_version))
		strlist_addf(differences, "the version is %s, not %s", instance->engine_version,
			wanted->engine_version);
	compare_text(differences, "the class", instance->class, wanted->class);
	if (wanted->storage_gb > 0 && instance->storage_gb != wanted->storage_gb)
		strlist_addf(differences, "the storage is %d GB, not %d GB", instance->storage_gb,
			wanted->storage_gb);
	compare_text(differences, "the database", instance->database, wanted->database);
	compare_text(differences, "the master user", instance->master_user, wanted->user);
	if (wanted->group && !holds_word(instance->groups, wanted->group))
		strlist_addf(differences, "the security group is %s, not %s",
			*instance->groups ? instance->groups : "none", wanted->group);
	if (wanted->backup_days >= 0 && instance->backup_days != wanted->backup_days)
		strlist_addf(differences, "backups are kept for %d days, not %d",
			instance->backup_days, wanted->backup_days);
	compare_bool(differences, "encryption", instance->encrypted, true);
	compare_bool(differences, "the public address", instance->is_public, wanted->is_public);
	compare_bool(differences, "multi-AZ", instance->multi_az, wanted->multi_az);
	compare_bool(differences, "deletion protection", instance->deletion_protection,
		wanted->deletion_protection);
	compare_bool(differences, "IAM authentication", instance->iam_authentication,
		wanted->iam_authentication);
}

/* --- what is sent ----------------------------------------------------------------------------- */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void add_decoded(struct strbuf *line, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		int high = text[i] == '%' && i + 2 < length ? digit(text[i + 1]) : -1;
		int low = high >= 0 ? digit(text[i + 2]) : -1;

		if (low < 0) {
			strbuf_addc(line, text[i]);
		} else {
			strbuf_addc(line, (char)(high * 16 + low));
			i += 2;
		}
	}
}

void instance_list_query(const struct query *query, struct strlist *lines)
{
	static const char secret[] = "MasterUserPassword=";
	const char *at = query->body.data;

	while (*at) {
		CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
		size_t length = strcspn(at, "&");

		if (strncmp(at, secret, strlen(secret)) == 0)
			strbuf_addf(&line, "%s****", secret);
		else
			add_decoded(&line, at, length);
		strlist_add(lines, line.data);
		at += length;
		if (*at)
			at++;
	}
}

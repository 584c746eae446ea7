/* A new instance: what it shall be, in words, and how far one that is there differs. */
#ifndef APP_INSTANCE_CREATE_H
#define APP_INSTANCE_CREATE_H

#include "aws/rds.h"
#include "base/strlist.h"

/* Refuses with USAGE what AWS would refuse, as far as that can be known here. */
int instance_check_wanted(const struct rds_wanted *wanted, struct err *err);

/* The settings that cost money, and those that decide who can get at the data, a line each. */
void instance_describe_wanted(const struct rds_wanted *wanted, struct strlist *lines);

/*
 * What an instance that exists has otherwise than wanted, a phrase each. Texts that are NULL, a
 * storage_gb of 0 and backup_days below 0 in wanted were not asked for.
 */
void instance_differences(const struct rds_instance *instance, const struct rds_wanted *wanted,
	struct strlist *differences);

/*
 * The parameters of a query, NAME=VALUE decoded, a line each; the value of a password is shown as
 * asterisks.
 */
void instance_list_query(const struct query *query, struct strlist *lines);

#endif

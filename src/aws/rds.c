#include "aws/rds.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* 100 instances a page: far more than a region's quota. */
#define PAGES_MAX 100

static void instance_release(struct rds_instance *instance)
{
	mem_free(instance->id);
	mem_free(instance->status);
	mem_free(instance->engine);
	mem_free(instance->engine_version);
	mem_free(instance->class);
	mem_free(instance->host);
	mem_free(instance->database);
	mem_free(instance->master_user);
	mem_free(instance->storage_type);
	mem_free(instance->ca);
	mem_free(instance->secret_arn);
	mem_free(instance->zone);
	mem_free(instance->restart);
	mem_free(instance->restorable);
	mem_free(instance->cluster);
	mem_free(instance->groups);
}

void rds_instances_release(struct rds_instances *instances)
{
	for (size_t i = 0; i < instances->count; i++)
		instance_release(&instances->items[i]);
	mem_free(instances->items);
	*instances = (struct rds_instances)RDS_INSTANCES_INIT;
}

/* --- reading answers -------------------------------------------------------------------------- */

/* NULL for an element that is missing or empty. */
static char *copy_text(const struct xml *node, const char *path)
{
	const char *text = xml_text(node, path);

	return text && *text ? mem_strdup(text) : NULL;
}

static char *copy_text_or_empty(const struct xml *node, const char *path)
{
	const char *text = xml_text(node, path);

	return mem_strdup(text ? text : "");
}

static bool read_bool(const struct xml *node, const char *path)
{
	const char *text = xml_text(node, path);

	return text && strcmp(text, "true") == 0;
}

/* AWS's numbers are small; what is none, or out of all bounds, is 0. */
static int read_int(const struct xml *node, const char *path)
{
	const char *text = xml_text(node, path);
	char *end;
	long number;

	if (!text || !*text)
		return 0;
	number = strtol(text, &end, 10);
	return *end || number < 0 || number > 1000000000 ? 0 : (int)number;
}

static char *read_groups(const struct xml *node)
{
	const struct xml *list = xml_find(node, "VpcSecurityGroups");
	struct strbuf ids = STRBUF_INIT;

	for (const struct xml *group = list ? list->first : NULL; group; group = group->next) {
		const char *id = xml_text(group, "VpcSecurityGroupId");

		if (id && *id)
			strbuf_addf(&ids, "%s%s", ids.length > 0 ? " " : "", id);
	}
	return strbuf_detach(&ids);
}

static void read_instance(const struct xml *node, struct rds_instance *instance)
{
	*instance = (struct rds_instance){
		.id = copy_text_or_empty(node, "DBInstanceIdentifier"),
		.status = copy_text_or_empty(node, "DBInstanceStatus"),
		.engine = copy_text_or_empty(node, "Engine"),
		.engine_version = copy_text_or_empty(node, "EngineVersion"),
		.class = copy_text_or_empty(node, "DBInstanceClass"),
		.host = copy_text(node, "Endpoint/Address"),
		.port = read_int(node, "Endpoint/Port"),
		.database = copy_text(node, "DBName"),
		.master_user = copy_text_or_empty(node, "MasterUsername"),
		.storage_type = copy_text_or_empty(node, "StorageType"),
		.storage_gb = read_int(node, "AllocatedStorage"),
		.encrypted = read_bool(node, "StorageEncrypted"),
		.is_public = read_bool(node, "PubliclyAccessible"),
		.multi_az = read_bool(node, "MultiAZ"),
		.deletion_protection = read_bool(node, "DeletionProtection"),
		.iam_authentication = read_bool(node, "IAMDatabaseAuthenticationEnabled"),
		.backup_days = read_int(node, "BackupRetentionPeriod"),
		.ca = copy_text_or_empty(node, "CACertificateIdentifier"),
		.secret_arn = copy_text(node, "MasterUserSecret/SecretArn"),
		.zone = copy_text(node, "AvailabilityZone"),
		.restart = copy_text(node, "AutomaticRestartTime"),
		.restorable = copy_text(node, "LatestRestorableTime"),
		.cluster = copy_text(node, "DBClusterIdentifier"),
		.groups = read_groups(node),
		.password_pending =
			xml_find(node, "PendingModifiedValues/MasterUserPassword") != NULL,
	};
}

static void add_instance(struct rds_instances *instances, const struct xml *node)
{
	instances->items =
		mem_resize(instances->items, instances->count + 1, sizeof(*instances->items));
	read_instance(node, &instances->items[instances->count++]);
}

/* --- calls ------------------------------------------------------------------------------------ */

static int call(struct aws *aws, const char *action, const struct query *query,
	struct aws_reply *reply, struct err *err)
{
	/* Whether an instance is there already, or by the first of two requests, is not the same.
	 */
	const struct aws_request request = { .service = "rds",
		.action = action,
		.query = query,
		.counts_attempts = strcmp(action, "CreateDBInstance") == 0 };

	aws_reply_release(reply);
	*reply = (struct aws_reply)AWS_REPLY_INIT;
	return aws_call(aws, &request, reply, err);
}

/* A Describe: what it asks for, and what is done with each item of its answer. */
struct listing {
	const char *action, *id_name;
	const char *id;    /* NULL: all */
	const char *items; /* the path of the list in the answer */
	const char *item;  /* the name of its elements */
	void (*take)(void *context, const struct xml *node);
	void *context;
};

/* One page; *ret_marker is where the next one begins, borrowed from the reply; NULL: the last. */
static int describe_page(struct aws *aws, const struct listing *listing, const char *marker,
	struct aws_reply *reply, const char **ret_marker, struct err *err)
{
	CLEANUP(query_release) struct query query = QUERY_INIT;
	CLEANUP(mem_cleanup) char *path = mem_printf("%sResult", listing->action);
	const struct xml *result, *list;

	if (listing->id)
		query_add(&query, listing->id, "%s", listing->id_name);
	if (marker)
		query_add(&query, marker, "Marker");
	if (call(aws, listing->action, &query, reply, err) != 0)
		return -1;
	result = xml_find(reply->document, path);
	list = result ? xml_find(result, listing->items) : NULL;
	if (!list)
		return err_set(
			err, ERR_FAILED, "%s failed: AWS's answer has no list", listing->action);
	for (const struct xml *node = list->first; node; node = node->next)
		if (strcmp(node->name, listing->item) == 0)
			listing->take(listing->context, node);
	*ret_marker = xml_text(result, "Marker");
	return 0;
}

static int describe(
	struct aws *aws, const struct listing *listing, struct aws_reply *reply, struct err *err)
{
	CLEANUP(mem_cleanup) char *marker = NULL;
	const char *next = NULL;

	for (size_t page = 0;; page++) {
		if (page >= PAGES_MAX)
			return err_set(err, ERR_FAILED, "%s failed: AWS's list does not end",
				listing->action);
		if (describe_page(aws, listing, marker, reply, &next, err) != 0)
			return -1;
		if (!next || !*next)
			return 0;
		mem_free(marker);
		marker = mem_strdup(next);
	}
}

static void take_instance(void *context, const struct xml *node)
{
	add_instance(context, node);
}

int rds_describe(struct aws *aws, const char *id, struct rds_instances *ret_instances,
	struct aws_reply *reply, struct err *err)
{
	CLEANUP(rds_instances_release) struct rds_instances instances = RDS_INSTANCES_INIT;
	const struct listing listing = {
		.action = "DescribeDBInstances",
		.id_name = "DBInstanceIdentifier",
		.id = id,
		.items = "DBInstances",
		.item = "DBInstance",
		.take = take_instance,
		.context = &instances,
	};

	if (describe(aws, &listing, reply, err) != 0)
		return -1;
	/* Asked for one that does not exist, AWS answers with an error, not with none. */
	if (id && instances.count != 1)
		return err_set(err, ERR_FAILED,
			"DescribeDBInstances failed: AWS's answer holds %zu instances, not one",
			instances.count);
	*ret_instances = instances;
	instances = (struct rds_instances)RDS_INSTANCES_INIT;
	return 0;
}

/* --- snapshots -------------------------------------------------------------------------------- */

void rds_snapshot_release(struct rds_snapshot *snapshot)
{
	mem_free(snapshot->id);
	mem_free(snapshot->type);
	mem_free(snapshot->created);
	*snapshot = (struct rds_snapshot)RDS_SNAPSHOT_INIT;
}

/* Keeps the newest. AWS's times sort as text; the list has no order that is promised. */
static void keep_newest(struct rds_snapshot *newest, const struct xml *node, const char *id_name)
{
	const char *id = xml_text(node, id_name), *status = xml_text(node, "Status");
	const char *created = xml_text(node, "SnapshotCreateTime");

	if (!id || !*id || !created || !*created || !status || strcmp(status, "available") != 0 ||
		(newest->id && strcmp(created, newest->created) <= 0))
		return;
	rds_snapshot_release(newest);
	newest->id = mem_strdup(id);
	newest->type = copy_text_or_empty(node, "SnapshotType");
	newest->created = mem_strdup(created);
}

static void take_snapshot(void *context, const struct xml *node)
{
	keep_newest(context, node, "DBSnapshotIdentifier");
}

static void take_cluster_snapshot(void *context, const struct xml *node)
{
	keep_newest(context, node, "DBClusterSnapshotIdentifier");
}

int rds_last_snapshot(struct aws *aws, const struct rds_instance *instance,
	struct rds_snapshot *ret_snapshot, struct aws_reply *reply, struct err *err)
{
	CLEANUP(rds_snapshot_release) struct rds_snapshot newest = RDS_SNAPSHOT_INIT;
	const struct listing of_instance = {
		.action = "DescribeDBSnapshots",
		.id_name = "DBInstanceIdentifier",
		.id = instance->id,
		.items = "DBSnapshots",
		.item = "DBSnapshot",
		.take = take_snapshot,
		.context = &newest,
	};
	const struct listing of_cluster = {
		.action = "DescribeDBClusterSnapshots",
		.id_name = "DBClusterIdentifier",
		.id = instance->cluster,
		.items = "DBClusterSnapshots",
		.item = "DBClusterSnapshot",
		.take = take_cluster_snapshot,
		.context = &newest,
	};

	if (describe(aws, instance->cluster ? &of_cluster : &of_instance, reply, err) != 0)
		return -1;
	*ret_snapshot = newest;
	newest = (struct rds_snapshot)RDS_SNAPSHOT_INIT;
	return 0;
}

static void take_restorable(void *context, const struct xml *node)
{
	char **time = context;

	mem_free(*time);
	*time = copy_text(node, "LatestRestorableTime");
}

int rds_restorable(struct aws *aws, const struct rds_instance *instance, char **ret_time,
	struct aws_reply *reply, struct err *err)
{
	CLEANUP(mem_cleanup) char *time = NULL;
	const struct listing cluster = {
		.action = "DescribeDBClusters",
		.id_name = "DBClusterIdentifier",
		.id = instance->cluster,
		.items = "DBClusters",
		.item = "DBCluster",
		.take = take_restorable,
		.context = &time,
	};

	if (!instance->cluster)
		time = mem_strdup(instance->restorable);
	else if (describe(aws, &cluster, reply, err) != 0)
		return -1;
	*ret_time = take_ptr(time);
	return 0;
}

/* --- writes ----------------------------------------------------------------------------------- */

/* A write, whose answer is the instance. */
static int change(struct aws *aws, const char *action, const struct query *query,
	struct rds_instances *ret_instances, struct aws_reply *reply, struct err *err)
{
	CLEANUP(mem_cleanup) char *path = mem_printf("%sResult/DBInstance", action);
	const struct xml *node;

	if (call(aws, action, query, reply, err) != 0)
		return -1;
	node = xml_find(reply->document, path);
	if (!node)
		return err_set(err, ERR_FAILED, "%s: AWS's answer has no instance", action);
	*ret_instances = (struct rds_instances)RDS_INSTANCES_INIT;
	add_instance(ret_instances, node);
	return 0;
}

void rds_create_query(const struct rds_wanted *wanted, struct query *query)
{
	query_add(query, wanted->id, "DBInstanceIdentifier");
	query_add(query, wanted->class, "DBInstanceClass");
	query_add(query, "postgres", "Engine");
	if (wanted->engine_version)
		query_add(query, wanted->engine_version, "EngineVersion");
	if (wanted->database)
		query_add(query, wanted->database, "DBName");
	query_add(query, wanted->user, "MasterUsername");
	if (wanted->password)
		query_add(query, secret_reveal(wanted->password), "MasterUserPassword");
	else
		query_add_bool(query, true, "ManageMasterUserPassword");
	query_add(query, "gp3", "StorageType");
	query_add_int(query, wanted->storage_gb, "AllocatedStorage");
	query_add_bool(query, true, "StorageEncrypted");
	query_add_bool(query, wanted->is_public, "PubliclyAccessible");
	query_add_bool(query, wanted->multi_az, "MultiAZ");
	query_add_bool(query, wanted->deletion_protection, "DeletionProtection");
	query_add_int(query, wanted->backup_days, "BackupRetentionPeriod");
	query_add_bool(query, true, "CopyTagsToSnapshot");
	query_add_bool(query, true, "AutoMinorVersionUpgrade");
	query_add_bool(query, wanted->iam_authentication, "EnableIAMDatabaseAuthentication");
	if (wanted->subnet_group)
		query_add(query, wanted->subnet_group, "DBSubnetGroupName");
	if (wanted->group)
		query_add(query, wanted->group, "VpcSecurityGroupIds.VpcSecurityGroupId.1");
}

int rds_create(struct aws *aws, const struct rds_wanted *wanted,
	struct rds_instances *ret_instances, struct aws_reply *reply, struct err *err)
{
	CLEANUP(query_release) struct query query = QUERY_INIT;

	rds_create_query(wanted, &query);
	return change(aws, "CreateDBInstance", &query, ret_instances, reply, err);
}

int rds_start(struct aws *aws, const char *id, struct rds_instances *ret_instances,
	struct aws_reply *reply, struct err *err)
{
	CLEANUP(query_release) struct query query = QUERY_INIT;

	query_add(&query, id, "DBInstanceIdentifier");
	return change(aws, "StartDBInstance", &query, ret_instances, reply, err);
}

int rds_stop(struct aws *aws, const char *id, struct rds_instances *ret_instances,
	struct aws_reply *reply, struct err *err)
{
	CLEANUP(query_release) struct query query = QUERY_INIT;

	query_add(&query, id, "DBInstanceIdentifier");
	return change(aws, "StopDBInstance", &query, ret_instances, reply, err);
}

int rds_set_password(struct aws *aws, const char *id, const struct secret *password,
	struct rds_instances *ret_instances, struct aws_reply *reply, struct err *err)
{
	CLEANUP(query_release) struct query query = QUERY_INIT;

	query_add(&query, id, "DBInstanceIdentifier");
	query_add(&query, secret_reveal(password), "MasterUserPassword");
	query_add_bool(&query, true, "ApplyImmediately");
	return change(aws, "ModifyDBInstance", &query, ret_instances, reply, err);
}

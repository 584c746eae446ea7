/* Database instances, through the RDS API of 2014-10-31. */
#ifndef AWS_RDS_H
#define AWS_RDS_H

#include "aws/aws.h"
#include "base/secret.h"

struct rds_instance {
	char *id;     /* DBInstanceIdentifier */
	char *status; /* "available", "stopped", "resetting-master-credentials", … */
	char *engine, *engine_version;
	char *class;    /* db.t4g.micro */
	char *host;     /* endpoint; NULL while there is none */
	int port;       /* 0 while there is none */
	char *database; /* the initial one; NULL: none */
	char *master_user;
	char *storage_type; /* gp3 */
	int storage_gb;
	bool encrypted, is_public, multi_az, deletion_protection, iam_authentication;
	int backup_days;
	char *ca;              /* rds-ca-rsa2048-g1 */
	char *secret_arn;      /* of a master password that AWS manages; NULL: not managed */
	char *zone;            /* eu-central-1a; NULL */
	char *restart;         /* AutomaticRestartTime of a stopped one; NULL */
	char *restorable;      /* LatestRestorableTime; NULL: none, or a cluster's matter */
	char *cluster;         /* DBClusterIdentifier (Aurora, Multi-AZ clusters); NULL */
	char *groups;          /* ids of its security groups, separated by blanks; "" */
	bool password_pending; /* a new master password was accepted and is not in force yet */
};

struct rds_instances {
	struct rds_instance *items;
	size_t count;
};

#define RDS_INSTANCES_INIT                                                                         \
	{                                                                                          \
		0                                                                                  \
	}

void rds_instances_release(struct rds_instances *instances);

/*
 * One instance by its identifier, or all (id NULL), all pages. An unknown one: fails with the code
 * DBInstanceNotFound in reply.
 */
int rds_describe(struct aws *aws, const char *id, struct rds_instances *ret_instances,
	struct aws_reply *reply, struct err *err);

struct rds_snapshot {
	char *id;      /* NULL: there is none */
	char *type;    /* "automated", "manual" */
	char *created; /* as AWS writes times: 2026-11-21T05:10:00.000Z */
};

#define RDS_SNAPSHOT_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}

/* Usable as a CLEANUP handler. */
void rds_snapshot_release(struct rds_snapshot *snapshot);

/*
 * The newest snapshot that can be restored, automated or manual; of an instance that belongs to a
 * cluster the cluster's. None is no failure.
 */
int rds_last_snapshot(struct aws *aws, const struct rds_instance *instance,
	struct rds_snapshot *ret_snapshot, struct aws_reply *reply, struct err *err);

/*
 * Up to when the instance, or the cluster it belongs to, can be restored to a point in time; NULL:
 * not at all. AWS is asked only about a cluster. The caller owns the text.
 */
int rds_restorable(struct aws *aws, const struct rds_instance *instance, char **ret_time,
	struct aws_reply *reply, struct err *err);

/* What an instance shall be. Texts are borrowed. */
struct rds_wanted {
	const char *id;
	const char *class;
	const char *engine_version; /* "16", "16.3"; NULL: AWS's default */
	const char *database;       /* created with it; NULL: none but postgres */
	const char *user;
	const char *subnet_group;      /* NULL: the default VPC's */
	const char *group;             /* security group; NULL: the VPC's default one */
	const struct secret *password; /* NULL: AWS makes one and keeps it in Secrets Manager */
	int storage_gb, backup_days;
	bool is_public, multi_az, deletion_protection, iam_authentication;
};

/*
 * The parameters of CreateDBInstance for that: engine postgres, storage gp3 and encrypted, tags
 * copied to snapshots, minor versions upgraded by AWS. With a password the query is a secret.
 */
void rds_create_query(const struct rds_wanted *wanted, struct query *query);

/*
 * The writes. *ret_instances holds the one instance as AWS describes it in its answer; the reply
 * keeps AWS's code: DBInstanceAlreadyExists, DBInstanceNotFound, InvalidDBInstanceState, ….
 */
int rds_create(struct aws *aws, const struct rds_wanted *wanted,
	struct rds_instances *ret_instances, struct aws_reply *reply, struct err *err);
int rds_start(struct aws *aws, const char *id, struct rds_instances *ret_instances,
	struct aws_reply *reply, struct err *err);
int rds_stop(struct aws *aws, const char *id, struct rds_instances *ret_instances,
	struct aws_reply *reply, struct err *err);
/* Applied at once, not in the maintenance window; that still takes AWS some seconds. */
int rds_set_password(struct aws *aws, const char *id, const struct secret *password,
	struct rds_instances *ret_instances, struct aws_reply *reply, struct err *err);

/* 1 to 63 letters, digits and single hyphens, beginning with a letter, not ending with a hyphen. */
bool rds_is_instance_id(const char *text);

/*
 * What RDS takes for PostgreSQL, as far as that can be known without asking it. Where there is
 * ret_why, it is a phrase that completes "… is not allowed: it", never with the value in it.
 */
bool rds_is_class(const char *text);
bool rds_is_engine_version(const char *text);
bool rds_is_database(const char *text, const char **ret_why);
bool rds_is_user(const char *text, const char **ret_why);
bool rds_is_password(const struct secret *password, const char **ret_why);

#endif

/*
 * What a failed connection to an RDS host most likely comes from, and what to type. Pure: the facts
 * are gathered by app/rds_host.h.
 */
#ifndef APP_RDS_FAILURE_H
#define APP_RDS_FAILURE_H

#include "base/address.h"
#include "base/err.h"

enum rds_cause {
	RDS_CAUSE_OTHER,        /* nothing that RDS has a part in */
	RDS_CAUSE_NO_ANSWER,    /* packets are dropped: a security group, a stopped instance */
	RDS_CAUSE_SILENT,       /* something accepts connections, and no server answers */
	RDS_CAUSE_REFUSED,      /* there is an address, and nothing listens */
	RDS_CAUSE_NO_NETWORK,   /* no route */
	RDS_CAUSE_UNKNOWN_HOST, /* the name does not exist, or no name server knows it */
	RDS_CAUSE_NO_TLS,       /* the server wants TLS */
	RDS_CAUSE_CERTIFICATE,  /* not signed by an authority of the bundle */
	RDS_CAUSE_OTHER_NAME,   /* a certificate for another name */
	RDS_CAUSE_NO_BUNDLE,    /* libpq's own root.crt is not there */
	RDS_CAUSE_TOKEN,        /* IAM says no */
	RDS_CAUSE_PASSWORD,
	RDS_CAUSE_NO_PASSWORD, /* the server wants one, and there is none */
};

struct rds_facts {
	const char *host;     /* the endpoint */
	const char *id;       /* of the instance; NULL: the endpoint is of a cluster or a proxy */
	const char *region;   /* the instance's; not NULL where id is not */
	const char *port;     /* NULL: 5432 */
	const char *user;     /* NULL: not known */
	const char *variable; /* "PROD_AUTH" */
	/* The file of CA certificates that somebody named, and where: "PGSSLROOTCERT"; NULL: none.
	 */
	const char *root, *root_origin;
	bool is_iam;
	/* What host, or hostaddr, stands for; count 0: not known. */
	const struct address *addresses;
	size_t address_count;
	const char *status; /* of the instance, as AWS says it: "stopped"; NULL: not known */
};

enum rds_cause rds_failure_cause(const struct err *err);

/* The server was not reached: addresses and status can tell more. */
bool rds_cause_is_unreached(enum rds_cause cause);

/*
 * Puts the hint for that cause into err, which keeps its own when there is nothing to say, and what
 * the facts are into its detail.
 */
void rds_failure_explain(enum rds_cause cause, const struct rds_facts *facts, struct err *err);

#endif

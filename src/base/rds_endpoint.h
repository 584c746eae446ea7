/* The names of Amazon RDS endpoints: the one list of their forms. */
#ifndef BASE_RDS_ENDPOINT_H
#define BASE_RDS_ENDPOINT_H

#include "base/base.h"

/*
 * True for a name in a domain of RDS, also one that rds_parse_host cannot take apart. The root's
 * dot at its end does not matter; length: of host, which need not end there.
 */
bool rds_is_host(const char *host, size_t length);

/*
 * The parts of an endpoint's name: mydb.abc123.eu-central-1.rds.amazonaws.com, and in China
 * mydb.abc123.rds.cn-north-1.amazonaws.com.cn. False when host is no such name. The caller owns
 * both texts, which are in lower case; *ret_id is NULL for the endpoints of clusters
 * (….cluster-abc….) and proxies (….proxy-abc….).
 */
bool rds_parse_host(const char *host, char **ret_id, char **ret_region);

#endif

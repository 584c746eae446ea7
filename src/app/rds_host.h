/* A connection to an RDS host has failed: finds out why, as far as that can be known from here. */
#ifndef APP_RDS_HOST_H
#define APP_RDS_HOST_H

#include "app/context.h"

/*
 * Adds the likely cause and what to type to the error of a connection to the context's target; does
 * nothing for other hosts and other errors. When the server was not reached it looks the host up
 * and asks rds-status, if that has credentials, for up to three seconds.
 */
void rds_host_explain(const struct context *context, struct err *err);

#endif

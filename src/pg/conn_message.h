/* What libpq says of a connection that could not be made, which may be of several tries. Pure. */
#ifndef PG_CONN_MESSAGE_H
#define PG_CONN_MESSAGE_H

/*
 * libpq's message made fit for a detail: SQLSTATE and LOCATION of the verbose form taken out, a
 * line that is there already left out (libpq tries with TLS and without, and may be told the same
 * twice), no newline at the end. The SQLSTATE of the line that weighs most by conn_failure_weight,
 * the first of equals, is stored in sqlstate unless that is NULL; empty: no line has one. The
 * caller owns the text.
 */
char *conn_message_clean(const char *message, char sqlstate[6]);

/* conn_failure_weight of the line that weighs most. */
int conn_message_weight(const char *message);

#endif

/* What the files of db-doctor's way to the server share among themselves. */
#ifndef APP_DOCTOR_INTERNAL_H
#define APP_DOCTOR_INTERNAL_H

#include "app/doctor.h"
#include "pg/probe.h"

/*
 * The steps that libpq goes: TLS, the server's first answer, authentication, the database. probe:
 * where the server has been found.
 */
int doctor_session(
	struct doctor *doctor, const struct probe *probe, struct conn **ret_conn, struct err *err);

/* The steps after it: what the role may do, how the server is set. */
int doctor_facts(
	struct doctor *doctor, const struct probe *probe, struct conn *conn, struct err *err);

/*
 * Adds the failed step, remembers the cause and says in err, of kind CONNECT, what is known of it.
 * Returns -1.
 */
int doctor_fail(struct doctor *doctor, const char *step, int64_t us, enum conn_cause cause,
	struct err *err);

/* "2027-01-31" of seconds since 1970, and the days from now until then; buffer of 16 bytes. */
char *doctor_date(int64_t seconds, char *buffer);
int64_t doctor_days(int64_t seconds);

/* True for an address of this machine or of a private network, and for a socket. */
bool doctor_is_near(const struct probe *probe, const struct probe_address *address);

#endif

/* The checks of a database's health, run one after the other. */
#include "app/doctor.h"
#include "base/clock.h"
#include "base/mem.h"
#include "pg/health.h"

#include <string.h>

static enum doctor_severity severity_of(const char *name)
{
	if (strcmp(name, "error") == 0)
		return DOCTOR_ERROR;
	return strcmp(name, "warning") == 0 ? DOCTOR_WARN : DOCTOR_INFO;
}

static void take_rows(struct doctor *doctor, const char *id, const PGresult *result)
{
	for (int i = 0; i < PQntuples(result); i++) {
		struct health_row row = health_row(result, i);

		if (strcmp(row.severity, "unseen") == 0)
			doctor_miss(doctor, id, mem_strdup(row.message));
		else
			doctor_find(doctor, id, severity_of(row.severity), row.object,
				mem_strdup(row.message), mem_strdup(row.fix), mem_strdup(row.note));
	}
}

/* A check that cannot be done is a gap; only what ends the connection, or us, ends the run. */
static int check_one(
	struct doctor *doctor, struct conn *conn, const struct health_check *check, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (conn_server_version(conn) < check->since) {
		doctor_miss(doctor, check->id, mem_strdup(check->before));
		return 0;
	}
	if (health_run(conn, check, doctor->target, &result, err) == 0) {
		doctor->checks++;
		take_rows(doctor, check->id, result);
		return 0;
	}
	if (err->kind != ERR_FAILED)
		return -1;
	doctor_miss(doctor, check->id, mem_printf("could not be made: %s", err->message));
	err_release(err);
	if (conn_exec(conn, "ROLLBACK", err) != 0)
		return -1;
	return health_begin(conn, err);
}

int doctor_health(struct doctor *doctor, struct conn *conn, struct err *err)
{
	const int64_t begun = clock_us();

	if (health_begin(conn, err) != 0)
		return -1;
	for (const struct health_check *check = health_checks; check->id; check++)
		if (doctor_wants(doctor, check->id) && check_one(doctor, conn, check, err) != 0)
			return -1;
	doctor->health_us = clock_us() - begun;
	return conn_exec(conn, "COMMIT", err);
}

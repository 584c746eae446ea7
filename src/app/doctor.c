#include "app/doctor.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "pg/health.h"

#include <string.h>

/* Those of the connection; those of the health are health_checks. */
static const char *const way_ids[] = { "address-unreachable", "not-encrypted", "tls-unverified",
	"certificate-expiry", "password-expiry", "standby", "read-only", "client-encoding" };

static const char *const status_names[] = { "ok", "warning", "failed", "skipped" };
static const char *const severity_names[] = { "info", "warning", "error" };

/* The id as the tables have it, which lives as long as the program; NULL: there is none. */
static const char *find_id(const char *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(way_ids); i++)
		if (strcmp(way_ids[i], id) == 0)
			return way_ids[i];
	for (const struct health_check *check = health_checks; check->id; check++)
		if (strcmp(check->id, id) == 0)
			return check->id;
	return NULL;
}

bool doctor_knows(const char *id)
{
	return find_id(id) != NULL;
}

bool doctor_is_of_health(const char *id)
{
	for (const struct health_check *check = health_checks; check->id; check++)
		if (strcmp(check->id, id) == 0)
			return true;
	return false;
}

char *doctor_ids(void)
{
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(way_ids); i++)
		strbuf_addf(&text, "%s%s", i ? ", " : "", way_ids[i]);
	for (const struct health_check *check = health_checks; check->id; check++)
		strbuf_addf(&text, ", %s", check->id);
	return strbuf_detach(&text);
}

const char *doctor_status_name(enum doctor_status status)
{
	return status_names[status];
}

const char *doctor_severity_name(enum doctor_severity severity)
{
	return severity_names[severity];
}

bool doctor_wants(const struct doctor *doctor, const char *id)
{
	for (size_t i = 0; i < doctor->only->count; i++)
		if (strcmp(doctor->only->items[i], id) == 0)
			return true;
	return doctor->only->count == 0;
}

void doctor_step(struct doctor *doctor, const char *name, enum doctor_status status, int64_t us,
	char *text, json_t *facts)
{
	struct doctor_step *step;

	doctor->steps = mem_resize(doctor->steps, doctor->step_count + 1, sizeof(*doctor->steps));
	step = &doctor->steps[doctor->step_count++];
	*step = (struct doctor_step){
		.name = name,
		.status = status,
		.us = us,
		.text = text,
		.facts = facts,
	};
	if (doctor->tell)
		doctor->tell(step);
}

void doctor_find(struct doctor *doctor, const char *id, enum doctor_severity severity,
	const char *object, char *message, char *fix, char *note)
{
	if (!doctor_wants(doctor, id) || ignore_matches(&doctor->ignore, id, object)) {
		doctor->ignored += doctor_wants(doctor, id);
		mem_free(message);
		mem_free(fix);
		mem_free(note);
		return;
	}
	doctor->findings =
		mem_resize(doctor->findings, doctor->finding_count + 1, sizeof(*doctor->findings));
	doctor->findings[doctor->finding_count++] = (struct doctor_finding){
		.id = find_id(id),
		.severity = severity,
		.object = mem_strdup(object),
		.message = message,
		.fix = fix,
		.note = note,
	};
}

void doctor_miss(struct doctor *doctor, const char *id, char *reason)
{
	doctor->gaps = mem_resize(doctor->gaps, doctor->gap_count + 1, sizeof(*doctor->gaps));
	doctor->gaps[doctor->gap_count++] =
		(struct doctor_gap){ .id = find_id(id), .reason = reason };
}

size_t doctor_count(const struct doctor *doctor, enum doctor_severity severity)
{
	size_t count = 0;

	for (size_t i = 0; i < doctor->finding_count; i++)
		count += doctor->findings[i].severity == severity;
	return count;
}

void doctor_release(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->step_count; i++) {
		mem_free(doctor->steps[i].text);
		json_decref(doctor->steps[i].facts);
	}
	for (size_t i = 0; i < doctor->finding_count; i++) {
		mem_free(doctor->findings[i].object);
		mem_free(doctor->findings[i].message);
		mem_free(doctor->findings[i].fix);
		mem_free(doctor->findings[i].note);
	}
	for (size_t i = 0; i < doctor->gap_count; i++)
		mem_free(doctor->gaps[i].reason);
	mem_free(doctor->steps);
	mem_free(doctor->findings);
	mem_free(doctor->gaps);
	ignore_release(&doctor->ignore);
	*doctor = (struct doctor)DOCTOR_INIT;
}

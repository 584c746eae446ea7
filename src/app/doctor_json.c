/* All that db-doctor found, as one JSON object. */
#include "app/doctor.h"
#include "base/clock.h"
#include "term/json.h"

static json_t *milliseconds(int64_t us)
{
	return us < 0 ? json_null() : json_real((double)us / 1000);
}

static json_t *steps(const struct doctor *doctor)
{
	json_t *array = json_array();

	for (size_t i = 0; i < doctor->step_count; i++) {
		const struct doctor_step *step = &doctor->steps[i];
		json_t *object = json_object();

		json_object_set_new(object, "step", json_string(step->name));
		json_object_set_new(
			object, "status", json_string(doctor_status_name(step->status)));
		json_object_set_new(object, "ms", milliseconds(step->us));
		json_object_set_new(object, "text", out_json_text(step->text));
		json_object_set(object, "facts", step->facts ? step->facts : json_null());
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *findings(const struct doctor *doctor)
{
	json_t *array = json_array();

	for (size_t i = 0; i < doctor->finding_count; i++) {
		const struct doctor_finding *finding = &doctor->findings[i];
		json_t *object = json_object();

		json_object_set_new(object, "id", json_string(finding->id));
		json_object_set_new(
			object, "severity", json_string(doctor_severity_name(finding->severity)));
		json_object_set_new(object, "object", out_json_text(finding->object));
		json_object_set_new(object, "message", out_json_text(finding->message));
		json_object_set_new(object, "fix", out_json_text(finding->fix));
		json_object_set_new(object, "note", out_json_text(finding->note));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *gaps(const struct doctor *doctor)
{
	json_t *array = json_array();

	for (size_t i = 0; i < doctor->gap_count; i++) {
		json_t *object = json_object();

		json_object_set_new(object, "id", json_string(doctor->gaps[i].id));
		json_object_set_new(object, "reason", out_json_text(doctor->gaps[i].reason));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *failure_object(const struct doctor *doctor, const struct err *failure)
{
	json_t *object;

	if (!failure)
		return json_null();
	object = json_object();
	json_object_set_new(object, "cause", out_json_text(doctor->cause));
	json_object_set_new(object, "message", out_json_text(failure->message));
	json_object_set_new(object, "detail", out_json_text(failure->detail));
	json_object_set_new(object, "hint", out_json_text(failure->hint));
	json_object_set_new(object, "sqlstate",
		failure->sqlstate[0] ? out_json_text(failure->sqlstate) : json_null());
	return object;
}

static json_t *summary(const struct doctor *doctor)
{
	json_t *object = json_object();
	const char *const names[] = { "infos", "warnings", "errors" };

	for (int i = DOCTOR_ERROR; i >= DOCTOR_INFO; i--)
		json_object_set_new(object, names[i],
			json_integer((json_int_t)doctor_count(doctor, (enum doctor_severity)i)));
	json_object_set_new(object, "ignored", json_integer((json_int_t)doctor->ignored));
	json_object_set_new(object, "checks", json_integer((json_int_t)doctor->checks));
	json_object_set_new(object, "not_seen", json_integer((json_int_t)doctor->gap_count));
	json_object_set_new(object, "ms", milliseconds(clock_us() - doctor->begun));
	return object;
}

void doctor_print_json(const struct doctor *doctor, const struct err *failure)
{
	const struct target *target = &doctor->context->target;
	json_t *object = json_object();

	json_object_set_new(object, "target", out_json_text(doctor->target));
	json_object_set_new(object, "origin",
		target->is_private ? json_string("private server") : out_json_text(target->origin));
	json_object_set_new(object, "connected", json_boolean(!doctor->cause && !failure));
	json_object_set_new(object, "failure", failure_object(doctor, failure));
	json_object_set_new(object, "steps", steps(doctor));
	json_object_set_new(object, "findings", findings(doctor));
	json_object_set_new(object, "not_seen", gaps(doctor));
	json_object_set_new(object, "summary", summary(doctor));
	out_json(object);
}

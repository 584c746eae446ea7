/* What db-doctor found, for people: a row for a step, a few lines for a finding. */
#include "app/doctor.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "term/out.h"
#include "term/safe.h"

#include <stdio.h>
#include <string.h>

#define WIDTH 80
#define NARROWEST 20
#define STEP_INDENT 32
#define FINDING_INDENT 9

#define GREEN "\033[32m"
#define YELLOW "\033[1;33m"
#define RED "\033[1;31m"
#define BOLD "\033[1m"
#define DIM "\033[2m"
#define OFF "\033[0m"

static void add_colored(struct strbuf *line, const char *color, const char *text)
{
	const bool colors = out_colored_stdout();

	strbuf_addf(line, "%s%s%s", colors ? color : "", text, colors ? OFF : "");
}

/* Safe text, broken at blanks; what has none is longer than the line. at: columns used already. */
static void add_wrapped(struct strbuf *out, const char *text, size_t at, size_t indent)
{
	const size_t full = out_width(WIDTH);
	const size_t width = full > indent + NARROWEST ? full : indent + NARROWEST;
	bool first = true;

	while (*text) {
		size_t length = strcspn(text, " ");
		size_t columns = safe_width(text, length);

		if (!first && at + 1 + columns > width) {
			strbuf_addf(out, "\n%*s", (int)indent, "");
			at = indent;
			first = true;
		}
		if (!first)
			strbuf_addc(out, ' ');
		at += columns + !first;
		strbuf_add(out, text, length);
		first = false;
		text += length;
		text += strspn(text, " ");
	}
	strbuf_addc(out, '\n');
}

/* --- steps ------------------------------------------------------------------------------------ */

static const struct {
	const char *mark, *color;
} marks[] = {
	[DOCTOR_OK] = { "ok", GREEN },
	[DOCTOR_WARNING] = { "warning", YELLOW },
	[DOCTOR_FAILED] = { "FAILED", RED },
	[DOCTOR_SKIPPED] = { "-", DIM },
};

void doctor_print_step(const struct doctor_step *step)
{
	CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT_UNBOUNDED;
	const char *mark = marks[step->status].mark;
	const char *text = step->text;
	char duration[32] = "";
	bool first = true;

	if (out_quiet() && (step->status == DOCTOR_OK || step->status == DOCTOR_SKIPPED))
		return;
	if (step->us >= 0)
		snprintf(duration, sizeof(duration), "%.*f ms", step->us < 10000 ? 1 : 0,
			(double)step->us / 1000);
	add_colored(&line, marks[step->status].color, mark);
	strbuf_addf(&line, "%*s%-14s %8s", (int)(8 - strlen(mark)), "", step->name, duration);
	do {
		size_t length = strcspn(text, "\n");
		CLEANUP(mem_cleanup) char *part = mem_strndup(text, length);
		CLEANUP(mem_cleanup) char *safe = safe_text(part, SAFE_LINE);

		strbuf_addf(&line, "%*s", first ? 1 : STEP_INDENT, "");
		add_wrapped(&line, safe, STEP_INDENT, STEP_INDENT);
		text += length;
		first = false;
	} while (*text && *++text);
	out_raw(line.data, line.length);
}

/* --- findings --------------------------------------------------------------------------------- */

static const char *const severity_colors[] = { "", YELLOW, RED };

static void print_finding(const struct doctor_finding *finding)
{
	CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT_UNBOUNDED;
	CLEANUP(mem_cleanup) char *object = safe_text(finding->object, SAFE_LINE);
	CLEANUP(mem_cleanup) char *message = safe_text(finding->message, SAFE_LINE);
	CLEANUP(mem_cleanup) char *fix = safe_text(finding->fix, SAFE_LINE);
	CLEANUP(mem_cleanup) char *note = safe_text(finding->note, SAFE_LINE);
	const char *severity = doctor_severity_name(finding->severity);

	add_colored(&out, severity_colors[finding->severity], severity);
	strbuf_addf(&out, "%*s%s  ", (int)(FINDING_INDENT - strlen(severity)), "", finding->id);
	add_colored(&out, BOLD, object);
	strbuf_addf(&out, "\n%*s", FINDING_INDENT, "");
	add_wrapped(&out, message, FINDING_INDENT, FINDING_INDENT);
	if (note) {
		strbuf_addf(&out, "%*s", FINDING_INDENT, "");
		add_wrapped(&out, note, FINDING_INDENT, FINDING_INDENT);
	}
	/* In one line, to be copied. */
	if (fix)
		strbuf_addf(&out, "%*s> %s\n", FINDING_INDENT, "", fix);
	out_raw(out.data, out.length);
}

/* How many findings of the same check and severity there are, and the how manieth this is. */
static void place_of(const struct doctor *doctor, size_t index, size_t *ret_before, size_t *ret_all)
{
	const struct doctor_finding *own = &doctor->findings[index];

	*ret_before = *ret_all = 0;
	for (size_t i = 0; i < doctor->finding_count; i++) {
		const struct doctor_finding *other = &doctor->findings[i];

		if (other->id != own->id || other->severity != own->severity)
			continue;
		*ret_before += i < index;
		(*ret_all)++;
	}
}

static void print_severity(const struct doctor *doctor, enum doctor_severity severity)
{
	for (size_t i = 0; i < doctor->finding_count; i++) {
		size_t before, all;

		if (doctor->findings[i].severity != severity)
			continue;
		place_of(doctor, i, &before, &all);
		if (out_verbose() > 0 || doctor->only->count > 0 || before < DOCTOR_SHOWN)
			print_finding(&doctor->findings[i]);
		else if (before == DOCTOR_SHOWN)
			out_data("%*s… and %zu more: --only %s shows them all\n", FINDING_INDENT,
				"", all - before, doctor->findings[i].id);
	}
}

static void print_gaps(const struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->gap_count; i++) {
		CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT_UNBOUNDED;
		CLEANUP(mem_cleanup) char *reason = safe_text(doctor->gaps[i].reason, SAFE_LINE);

		add_colored(&out, DIM, "not seen");
		strbuf_addf(&out, " %s\n%*s", doctor->gaps[i].id, FINDING_INDENT, "");
		add_wrapped(&out, reason, FINDING_INDENT, FINDING_INDENT);
		out_raw(out.data, out.length);
	}
}

static void add_count(struct strbuf *text, size_t count, const char *what)
{
	strbuf_addf(
		text, "%s%zu %s%s", text->length ? ", " : "", count, what, count == 1 ? "" : "s");
}

static void print_summary(const struct doctor *doctor, bool with_health)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	char duration[32];

	if (doctor->finding_count == 0)
		strbuf_adds(&text, "nothing found");
	else {
		add_count(&text, doctor_count(doctor, DOCTOR_ERROR), "error");
		add_count(&text, doctor_count(doctor, DOCTOR_WARN), "warning");
		strbuf_addf(&text, ", %zu info", doctor_count(doctor, DOCTOR_INFO));
	}
	if (doctor->ignored)
		strbuf_addf(&text, ", %zu ignored", doctor->ignored);
	if (with_health)
		strbuf_addf(&text, " (%zu check%s of the database in %s)", doctor->checks,
			doctor->checks == 1 ? "" : "s",
			clock_format(doctor->health_us, duration, sizeof(duration)));
	out_data("\n%s\n", text.data);
}

void doctor_print_findings(const struct doctor *doctor, bool with_health)
{
	if (!out_quiet() && (doctor->finding_count || doctor->gap_count))
		out_data("\n");
	print_severity(doctor, DOCTOR_ERROR);
	print_severity(doctor, DOCTOR_WARN);
	if (out_quiet())
		return;
	print_severity(doctor, DOCTOR_INFO);
	print_gaps(doctor);
	print_summary(doctor, with_health);
}

#include "sql/script_internal.h"

#include "base/mem.h"

#include <string.h>

static struct branch *top_branch(struct frame *frame)
{
	return frame->branch_count > 0 ? &frame->branches[frame->branch_count - 1] : NULL;
}

static void set_state(struct script *script, struct branch *branch, enum branch_state state)
{
	if (branch->state >= BRANCH_UNCERTAIN)
		script->uncertain--;
	if (state >= BRANCH_UNCERTAIN)
		script->uncertain++;
	branch->state = state;
}

/* psql joins all words that are left with blanks between them. */
static int gather(struct script *script, bool active, struct strbuf *out, struct err *err)
{
	CLEANUP(slash_argument_release) struct slash_argument argument = SLASH_ARGUMENT_INIT;
	struct slash_line *line = script_reader_arguments(script_top(script)->reader);
	int more;

	while ((more = slash_next(line, SLASH_NORMAL, false, active ? &script->lookup : NULL,
			&argument, err)) > 0) {
		if (out->length > 0)
			strbuf_addc(out, ' ');
		if (strbuf_grow(out, argument.text.length))
			strbuf_add(out, argument.text.data, argument.text.length);
	}
	return more;
}

static int evaluate(struct script *script, struct branch *branch, const char *name, struct err *err)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	const size_t lookups = script->lookups;
	bool value = false;

	set_state(script, branch, BRANCH_FALSE);
	if (gather(script, true, &text, err) < 0)
		return -1;
	if (variables_parse_bool(text.data, &value)) {
		/* It may be another one in the run, and the branch that is not read be taken. */
		if (script->unknown && script->lookups != lookups)
			script_obstacle(script, "condition that a query may decide on");
		set_state(script, branch, value ? BRANCH_TRUE : BRANCH_FALSE);
		return 0;
	}
	if (script->unknown) {
		set_state(script, branch, BRANCH_UNCERTAIN);
		return 0;
	}
	err_set(err, ERR_SQL, "\\%s: \"%s\" is no boolean", name, text.data);
	err_hint(err, "Allowed are true, false, on, off, yes, no, 1 and 0.");
	return -1;
}

static void ignore(struct script *script)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	CLEANUP(err_release) struct err ignored = ERR_INIT;

	gather(script, false, &text, &ignored);
}

static int begin(struct script *script, struct frame *frame, const char *name, struct err *err)
{
	bool active = script_is_active(script);
	struct branch *branch;

	frame->branches =
		mem_resize(frame->branches, frame->branch_count + 1, sizeof(*frame->branches));
	branch = &frame->branches[frame->branch_count++];
	*branch = (struct branch){ .state = BRANCH_IGNORED,
		.mark = script_reader_mark(frame->reader) };
	script_reader_command_origin(frame->reader, &branch->origin);
	if (active)
		return evaluate(script, branch, name, err);
	ignore(script);
	return 0;
}

/* What follows is another branch: the text of this one stays, or goes. */
static void settle(struct frame *frame, struct branch *branch)
{
	switch (branch->state) {
	case BRANCH_FALSE:
	case BRANCH_IGNORED:
	case BRANCH_ELSE_FALSE:
		script_reader_back(frame->reader, &branch->mark);
		break;
	default:
		branch->mark = script_reader_mark(frame->reader);
	}
}

static int elif (struct script *script, struct branch *branch, const char *name, struct err *err)
{
	switch (branch->state) {
	case BRANCH_FALSE:
		return evaluate(script, branch, name, err);
	case BRANCH_UNCERTAIN:
		break;
	default:
		set_state(script, branch, BRANCH_IGNORED);
	}
	ignore(script);
	return 0;
}

static void take_else(struct script *script, struct branch *branch)
{
	switch (branch->state) {
	case BRANCH_FALSE:
		set_state(script, branch, BRANCH_ELSE_TRUE);
		break;
	case BRANCH_UNCERTAIN:
		set_state(script, branch, BRANCH_ELSE_UNCERTAIN);
		break;
	default:
		set_state(script, branch, BRANCH_ELSE_FALSE);
	}
}

static bool is_else(const struct branch *branch)
{
	return branch->state == BRANCH_ELSE_TRUE || branch->state == BRANCH_ELSE_FALSE ||
	       branch->state == BRANCH_ELSE_UNCERTAIN;
}

int script_branch(struct script *script, const char *name, struct err *err)
{
	struct frame *frame = script_top(script);
	struct branch *branch = top_branch(frame);

	if (strcmp(name, "if") == 0)
		return begin(script, frame, name, err);
	if (!branch)
		return err_set(err, ERR_SQL, "\\%s without \\if", name);
	if (strcmp(name, "endif") != 0 && is_else(branch))
		return err_set(err, ERR_SQL, "\\%s behind \\else", name);
	settle(frame, branch);
	if (strcmp(name, "elif") == 0)
		return elif (script, branch, name, err);
	if (strcmp(name, "else") == 0) {
		take_else(script, branch);
		return 0;
	}
	set_state(script, branch, BRANCH_TRUE);
	frame->branch_count--;
	return 0;
}

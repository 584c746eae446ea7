#include "sql/script_internal.h"

#include "base/file.h"
#include "base/mem.h"
#include "sql/classify.h"
#include "sql/parts.h"

#include <string.h>

struct frame *script_top(struct script *script)
{
	return &script->frames[script->count - 1];
}

/* --- files ----------------------------------------------------------------------------------- */

/* A file that somebody writes meanwhile would be run half old, half new. */
static int check_unchanged(struct frame *frame, const char *name, struct err *err)
{
	struct stat now;

	if (!frame->regular || (fstat(frame->fd, &now) == 0 && stamp_equal(&now, &frame->opened)))
		return 0;
	err_set(err, ERR_SQL, "file \"%s\" changed while it was read", name);
	err_hint(err, "Run it again when nobody is writing to it.");
	return -1;
}

static ssize_t read_frame(void *context, char *buffer, size_t size, struct err *err)
{
	struct frame *frame = context;
	const char *name = script_reader_name(frame->reader);
	ssize_t got = input_read(frame->fd, name, buffer, size, err);

	if (got == 0 && check_unchanged(frame, name, err) != 0)
		return -1;
	return got;
}

static const char *keep_name(struct script *script, const char *name)
{
	strlist_add(&script->names, name);
	return script->names.items[script->names.count - 1];
}

static void push_reader(struct script *script, const char *name, struct script_source source)
{
	struct frame *frame = &script->frames[script->count++];

	frame->reader = script_reader_new(keep_name(script, name), source);
	script_reader_set_variables(frame->reader, &script->lookup);
	script_reader_set_standard_strings(frame->reader, script->standard_strings);
	script_reader_set_encoding(frame->reader, script->encoding);
}

/* What \gset or a file written by the script decides may well be another file in the run. */
static int check_stamp(struct script *script, const char *path, const char *name,
	const struct stat *state, struct err *err)
{
	struct stamps *stamps = script->options.stamps;

	if (!stamps)
		return 0;
	if (script->options.dry) {
		if (!script->unknown)
			stamps_add(stamps, path, state);
		return 0;
	}
	if (stamps_match(stamps, path, state))
		return 0;
	err_set(err, ERR_SQL, "file \"%s\" changed after it was checked", name);
	err_hint(err, "Run it again when nobody is writing to it.");
	return -1;
}

void script_obstacle(struct script *script, const char *what)
{
	if (script->options.inputs && script->count > 0)
		script_inputs_obstacle(
			script->options.inputs, script_file(script), script_line(script), what);
}

static void note_input(
	struct script *script, const char *path, const char *name, const struct stat *state)
{
	enum script_input_kind kind =
		script->count == 0 ? SCRIPT_INPUT_SCRIPT : SCRIPT_INPUT_INCLUDE;

	if (!script->options.inputs)
		return;
	if (script->uncertain > 0)
		script_obstacle(script, "include in a branch that a query decides on");
	script_inputs_file(script->options.inputs, kind, path, name, state);
}

int script_push(struct script *script, const char *path, const char *name, struct err *err)
{
	struct frame *frame = &script->frames[script->count];
	CLEANUP(fd_cleanup) int fd = -1;

	if (script->count > SCRIPT_DEPTH)
		return err_set(err, ERR_SQL, "includes are nested more than %d deep", SCRIPT_DEPTH);
	if (input_open(path, name, &fd, err) != 0)
		return -1;
	*frame = (struct frame){ .fd = -1 };
	if (fstat(fd, &frame->opened) == 0)
		frame->regular = S_ISREG(frame->opened.st_mode);
	if (frame->regular && check_stamp(script, path, name, &frame->opened, err) != 0)
		return -1;
	note_input(script, path, name, &frame->opened);
	frame->fd = take_fd(&fd);
	frame->path = keep_name(script, path);
	push_reader(script, name, (struct script_source){ .read = read_frame, .context = frame });
	return 0;
}

static void pop(struct script *script)
{
	struct frame *frame = script_top(script);

	script->bytes += script_reader_bytes(frame->reader);
	script_reader_free(frame->reader);
	mem_free(frame->branches);
	fd_cleanup(&frame->fd);
	*frame = (struct frame){ .fd = -1 };
	script->count--;
}

static int leave_file(struct script *script, struct err *err)
{
	struct frame *frame = script_top(script);

	if (frame->branch_count > 0 && !frame->quit) {
		struct script_origin origin = frame->branches[frame->branch_count - 1].origin;

		err_set(err, ERR_SQL, "\\if without \\endif");
		origin_place(&origin, "\\if", 3, 0, err);
		return -1;
	}
	for (size_t i = 0; i < frame->branch_count; i++)
		if (frame->branches[i].state >= BRANCH_UNCERTAIN)
			script->uncertain--;
	pop(script);
	return 0;
}

/* --- life ------------------------------------------------------------------------------------ */

static struct script *make(const struct script_options *options, const struct script_host *host)
{
	struct script *script = mem_calloc(1, sizeof(*script));

	script->options = *options;
	if (host)
		script->host = *host;
	script->standard_strings = script->session_strings = true;
	script->lookup = (struct slash_variables){ .get = script_lookup, .context = script };
	strbuf_init(&script->text, 2 * SCRIPT_STATEMENT_CEILING);
	strbuf_init(&script->sql, SCRIPT_STATEMENT_CEILING);
	strbuf_init(&script->command, SCRIPT_STATEMENT_CEILING);
	script_variables_init(script);
	return script;
}

int script_open(const char *path, const char *name, const struct script_options *options,
	const struct script_host *host, struct script **ret_script, struct err *err)
{
	CLEANUP(script_cleanup) struct script *script = make(options, host);

	if (script_push(script, path, name, err) != 0)
		return -1;
	*ret_script = take_ptr(script);
	return 0;
}

struct script *script_new(const char *name, struct script_source source,
	const struct script_options *options, const struct script_host *host)
{
	struct script *script = make(options, host);

	script->frames[0] = (struct frame){ .fd = -1, .path = "-" };
	push_reader(script, name, source);
	return script;
}

void script_free(struct script *script)
{
	if (!script)
		return;
	while (script->count > 0)
		pop(script);
	for (size_t i = 0; i < ARRAY_SIZE(script->words); i++)
		mem_free(script->words[i]);
	variables_release(&script->variables);
	strlist_release(&script->names);
	strbuf_release(&script->text);
	strbuf_release(&script->sql);
	strbuf_release(&script->command);
	origin_detail_free(script->place);
	mem_free(script->restrict_key);
	mem_free(script->warning);
	mem_free(script->include_path);
	mem_free(script->include_name);
	mem_free(script);
}

void script_cleanup(struct script **script)
{
	script_free(*script);
	*script = NULL;
}

/* --- reading --------------------------------------------------------------------------------- */

bool script_is_active(const struct script *script)
{
	const struct frame *frame = &script->frames[script->count - 1];

	if (frame->branch_count == 0)
		return true;
	switch (frame->branches[frame->branch_count - 1].state) {
	case BRANCH_FALSE:
	case BRANCH_IGNORED:
	case BRANCH_ELSE_FALSE:
		return false;
	default:
		return true;
	}
}

/* Psql warns of what it does not look at; "-- comment" behind an \endif is the usual case. */
static int eat_rest(struct script *script, const char *name, struct err *err)
{
	CLEANUP(slash_argument_release) struct slash_argument argument = SLASH_ARGUMENT_INIT;
	struct slash_line *line = script_reader_arguments(script_top(script)->reader);
	bool active = script_is_active(script);
	int more;

	while ((more = slash_next(line, SLASH_NORMAL, false, NULL, &argument, err)) > 0) {
		if (!active || script->warning)
			continue;
		script->warning = mem_printf("%s:%zu: \\%s: extra argument \"%s\" ignored\n",
			script_file(script), script_line(script), name, argument.text.data);
	}
	slash_end(line);
	if (more < 0 && !active) {
		err_release(err);
		return 0;
	}
	return more;
}

static int pass_over_include(struct script *script, const char *name)
{
	script_obstacle(script, "include that is not looked into");
	script->unknown = true;
	if (!script->warning)
		script->warning = mem_printf("%s:%zu: include of \"%s\" is not looked into\n",
			script_file(script), script_line(script), name);
	return 0;
}

static int include(struct script *script, struct err *err)
{
	CLEANUP(mem_cleanup) char *path = take_ptr(script->include_path);
	CLEANUP(mem_cleanup) char *name = take_ptr(script->include_name);

	if (!path)
		return 0;
	/* What a pipe gives is gone once it has been read, and with it what the run would read. */
	if (script->options.dry && (strcmp(path, "-") == 0 || path_is_pipe(path)))
		return pass_over_include(script, name);
	if (script_push(script, path, name, err) == 0)
		return 0;
	if (err->kind == ERR_INTERRUPTED)
		return -1;
	/* It may be made, or its name be known, only when the script is run. */
	if (script->options.dry && (script->unknown || script->uncertain > 0)) {
		err_release(err);
		return pass_over_include(script, name);
	}
	err->kind = ERR_SQL;
	err_hint(err, "\\i is relative to the current directory, \\ir to the file it stands in.");
	return -1;
}

static int run_meta(struct script *script, struct script_action *action, struct err *err)
{
	struct script_reader *reader = script_top(script)->reader;
	const char *name = script_reader_command(reader);
	struct slash_line *line = script_reader_arguments(reader);
	struct script_origin origin;
	int result;

	script_reader_command_origin(reader, &origin);
	result = script_meta(script, name, action, err);
	if (result >= 0 && eat_rest(script, name, err) < 0)
		result = -1;
	script_reader_set_active(reader, script_is_active(script));
	if (script->discard)
		script_reader_discard(reader);
	script->discard = false;
	if (script_top(script)->quit)
		script_reader_quit(reader);
	if (result >= 0 && include(script, err) != 0)
		result = -1;
	if (result < 0) {
		CLEANUP(mem_cleanup) char *shown = mem_printf("\\%s", name);

		line->at = line->length;
		script->can_go_on = err->kind == ERR_SQL || err->kind == ERR_FAILED;
		if (!err->place.file)
			origin_place(&origin, shown, strlen(shown), 0, err);
	}
	return result;
}

/* SET LOCAL holds to the end of the transaction: the script's, or that of the whole run. */
static void follow_strings(struct script *script, const struct script_statement *statement)
{
	const char *name = statement->class_name;
	bool on, local;

	if (classify_standard_strings(statement->text, statement->length, &on, &local)) {
		script_set_standard_strings(script, on);
		if (!local)
			script->session_strings = on;
	} else if (statement->class == SCRIPT_CLASS_TRANSACTION) {
		if (strcmp(name, "BEGIN") != 0 && strcmp(name, "START TRANSACTION") != 0)
			script_set_standard_strings(script, script->session_strings);
	}
}

/* In a dry run nobody tells what the server made of a statement. */
static void follow(struct script *script, const struct script_statement *statement)
{
	CLEANUP(mem_cleanup) char *encoding = NULL;

	if (statement->changes_reading || statement->class == SCRIPT_CLASS_TRANSACTION)
		follow_strings(script, statement);
	if (statement->changes_reading &&
		classify_encoding(statement->text, statement->length, &encoding))
		script_set_encoding(script, encoding);
}

int script_next(struct script *script, struct script_action *action, struct err *err)
{
	*action = (struct script_action){ .kind = SCRIPT_END };
	script->can_go_on = false;
	while (script->count > 0) {
		struct frame *frame = script_top(script);
		int result;

		if (script->warning) {
			strbuf_reset(&script->text);
			strbuf_adds(&script->text, script->warning);
			mem_free(take_ptr(script->warning));
			action->kind = SCRIPT_WARN;
			action->text = script->text.data;
			action->text_length = script->text.length;
			return 0;
		}
		result = script_reader_next(frame->reader, &action->statement, err);
		if (result < 0)
			return -1;
		if (result == 1) {
			action->kind = SCRIPT_STATEMENT;
			if (script->options.dry)
				follow(script, &action->statement);
			return 0;
		}
		if (result == 0) {
			if (leave_file(script, err) != 0)
				return -1;
			continue;
		}
		result = run_meta(script, action, err);
		if (result != 0)
			return result < 0 ? -1 : 0;
	}
	return 0;
}

bool script_can_go_on(const struct script *script)
{
	return script->can_go_on;
}

/* --- COPY data ------------------------------------------------------------------------------- */

int script_copy_begin(struct script *script, struct err *err)
{
	return script_reader_copy_begin(script_top(script)->reader, err);
}

int script_copy_data(
	struct script *script, const char **ret_data, size_t *ret_length, struct err *err)
{
	return script_reader_copy_data(script_top(script)->reader, ret_data, ret_length, err);
}

size_t script_copy_line(const struct script *script)
{
	return script->count > 0 ? script_reader_copy_line(script->frames[script->count - 1].reader)
				 : 0;
}

/* --- what the server says -------------------------------------------------------------------- */

bool script_has_standard_strings(const struct script *script)
{
	return script->standard_strings;
}

bool script_has_safe_encoding(const struct script *script)
{
	return script->encoding == ENCODING_SAFE;
}

void script_classify(const struct script *script, struct script_statement *statement)
{
	parts_classify(statement, script->standard_strings, script->encoding);
}

void script_set_standard_strings(struct script *script, bool on)
{
	if (on == script->standard_strings)
		return;
	script->standard_strings = on;
	for (size_t i = 0; i < script->count; i++)
		script_reader_set_standard_strings(script->frames[i].reader, on);
}

void script_set_encoding(struct script *script, const char *client_encoding)
{
	script->encoding = encoding_by_name(client_encoding);
	for (size_t i = 0; i < script->count; i++)
		script_reader_set_encoding(script->frames[i].reader, script->encoding);
}

void script_assume_unknown(struct script *script)
{
	script->unknown = true;
}

bool script_is_uncertain(const struct script *script)
{
	return script->uncertain > 0;
}

/* --- where it is ----------------------------------------------------------------------------- */

uint64_t script_bytes(const struct script *script)
{
	uint64_t bytes = script->bytes;

	for (size_t i = 0; i < script->count; i++)
		bytes += script_reader_bytes(script->frames[i].reader);
	return bytes;
}

const char *script_file(const struct script *script)
{
	return script->count > 0 ? script_reader_name(script->frames[script->count - 1].reader)
				 : "";
}

size_t script_line(const struct script *script)
{
	return script->count > 0
		       ? script_reader_line_number(script->frames[script->count - 1].reader)
		       : 0;
}

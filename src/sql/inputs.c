#include "sql/inputs_internal.h"

#include "base/file.h"
#include "base/mem.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define READ_SIZE ((size_t)1 << 20)

/* Changes with what is hashed and how. */
#define KEY_VERSION "dbrig scripts 1"

struct script_input_open {
	enum script_input_kind kind;
	size_t file;
};

void script_inputs_release(struct script_inputs *inputs)
{
	for (size_t i = 0; i < inputs->file_count; i++) {
		mem_free(inputs->files[i].path);
		mem_free(inputs->files[i].name);
	}
	mem_free(inputs->files);
	mem_free(inputs->opens);
	mem_free(inputs->obstacle);
	strlist_release(&inputs->names);
	strlist_release(&inputs->varying);
	words_free(inputs->words);
	*inputs = (struct script_inputs)SCRIPT_INPUTS_INIT;
}

static char *place_of(const char *file, size_t line, const char *what)
{
	if (!file)
		return mem_strdup(what);
	return line > 0 ? mem_printf("%s:%zu: %s", file, line, what)
			: mem_printf("%s: %s", file, what);
}

void script_inputs_obstacle(
	struct script_inputs *inputs, const char *file, size_t line, const char *what)
{
	if (!inputs->obstacle)
		inputs->obstacle = place_of(file, line, what);
}

void inputs_note(struct strlist *list, const char *file, size_t line, const char *what)
{
	CLEANUP(mem_cleanup) char *text = NULL;

	if (list->count >= SCRIPT_INPUTS_VARYING)
		return;
	text = place_of(file, line, what);
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return;
	strlist_add(list, text);
}

void script_inputs_varies(
	struct script_inputs *inputs, const char *file, size_t line, const char *what)
{
	inputs_note(&inputs->varying, file, line, what);
}

/* --- files ----------------------------------------------------------------------------------- */

/* Seen from the end: a file that is included over and over was met before long. */
static size_t find_file(const struct script_inputs *inputs, const char *path)
{
	size_t at = inputs->file_count;

	while (at > 0 && strcmp(inputs->files[at - 1].path, path) != 0)
		at--;
	return at;
}

static bool same_state(const struct stat *one, const struct stat *other)
{
	return stamp_equal(one, other) && one->st_ctim.tv_sec == other->st_ctim.tv_sec &&
	       one->st_ctim.tv_nsec == other->st_ctim.tv_nsec;
}

static size_t add_file(
	struct script_inputs *inputs, const char *path, const char *name, const struct stat *state)
{
	if (inputs->file_count == inputs->file_capacity) {
		inputs->file_capacity = inputs->file_capacity ? 2 * inputs->file_capacity : 16;
		inputs->files =
			mem_resize(inputs->files, inputs->file_capacity, sizeof(*inputs->files));
	}
	inputs->files[inputs->file_count++] = (struct script_input_file){
		.path = mem_strdup(path), .name = mem_strdup(name), .state = *state
	};
	return inputs->file_count;
}

void script_inputs_file(struct script_inputs *inputs, enum script_input_kind kind, const char *path,
	const char *name, const struct stat *state)
{
	size_t found;

	if (!S_ISREG(state->st_mode)) {
		script_inputs_obstacle(inputs, name, 0, "not a regular file");
		return;
	}
	found = find_file(inputs, path);
	if (found > 0 && !same_state(&inputs->files[found - 1].state, state))
		script_inputs_obstacle(inputs, name, 0, "changed while it was read");
	if (found == 0)
		found = add_file(inputs, path, name, state);
	if (inputs->open_count == inputs->open_capacity) {
		inputs->open_capacity = inputs->open_capacity ? 2 * inputs->open_capacity : 16;
		inputs->opens =
			mem_resize(inputs->opens, inputs->open_capacity, sizeof(*inputs->opens));
	}
	inputs->opens[inputs->open_count++] =
		(struct script_input_open){ .kind = kind, .file = found - 1 };
}

/* --- the key --------------------------------------------------------------------------------- */

static int check_state(int fd, const struct script_input_file *file, struct err *err)
{
	struct stat now;

	if (fstat(fd, &now) == 0 && same_state(&now, &file->state))
		return 0;
	err_set(err, ERR_SQL, "file \"%s\" changed after it was checked", file->name);
	err_hint(err, "Run it again when nobody is writing to it.");
	return -1;
}

static int digest_file(
	const struct script_input_file *file, char *buffer, char *ret_hex, struct err *err)
{
	CLEANUP(fd_cleanup) int fd = -1;
	CLEANUP(digest_release) struct digest digest = DIGEST_INIT;
	ssize_t got;

	if (input_open(file->path, file->name, &fd, err) != 0 || check_state(fd, file, err) != 0)
		return -1;
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	while ((got = input_read(fd, file->name, buffer, READ_SIZE, err)) > 0)
		digest_add(&digest, buffer, (size_t)got);
	if (got < 0 || check_state(fd, file, err) != 0)
		return -1;
	digest_end(&digest, ret_hex);
	return 0;
}

static void add_settings(struct digest *digest, const struct script_inputs_settings *settings)
{
	const struct variables *variables = settings->variables;
	const char *name, *value;

	digest_add_text(digest, KEY_VERSION);
	digest_add_text(digest, settings->allow_connect ? "connect" : NULL);
	digest_add_text(digest, settings->keep_going ? "keep going" : NULL);
	digest_add_text(digest, settings->transaction ? "transaction" : NULL);
	digest_add_text(digest, settings->insists ? "insists" : NULL);
	for (size_t i = 0; variables && (name = variables_at(variables, i, &value)); i++) {
		digest_add_text(digest, name);
		digest_add_text(digest, value);
	}
	digest_add_text(digest, NULL);
}

static void take_words(struct script_inputs *inputs)
{
	const struct script_words *words = inputs->words;
	bool definitions =
		inputs->definitions_run || words->undone || (words->temporary && words->has_run);

	words_list(words, definitions, &inputs->names);
	for (size_t i = 0; definitions && i < words->varying.count; i++)
		if (inputs->varying.count < SCRIPT_INPUTS_VARYING)
			strlist_add(&inputs->varying, words->varying.items[i]);
}

/* A file that is opened more than once is read once: its own digest stands for its contents. */
int script_inputs_digest(struct script_inputs *inputs,
	const struct script_inputs_settings *settings, struct err *err)
{
	static const char *const kinds[] = { "script", "include", "data" };
	CLEANUP(mem_cleanup) char *buffer = mem_calloc(READ_SIZE, 1);
	CLEANUP(mem_cleanup)
	char *digests = mem_calloc(inputs->file_count + 1, DIGEST_HEX_SIZE);
	CLEANUP(digest_release) struct digest digest = DIGEST_INIT;

	for (size_t i = 0; i < inputs->file_count; i++)
		if (digest_file(&inputs->files[i], buffer, digests + i * DIGEST_HEX_SIZE, err) != 0)
			return -1;
	add_settings(&digest, settings);
	for (size_t i = 0; i < inputs->open_count; i++) {
		digest_add_text(&digest, kinds[inputs->opens[i].kind]);
		digest_add_text(&digest, digests + inputs->opens[i].file * DIGEST_HEX_SIZE);
	}
	digest_end(&digest, inputs->key);
	if (inputs->words)
		take_words(inputs);
	words_free(take_ptr(inputs->words));
	inputs->names_known = true;
	return 0;
}

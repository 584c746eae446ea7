#include "app/inputs_cache.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/private_file.h"
#include "base/project.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT "dbrig inputs 2"
#define PREFIX "inputs-"
#define RECORD_MOST ((size_t)64 << 20)

/* How old a file's times have to be for a later change to show in them. */
#define SETTLED_SECONDS 2

#define KEPT_SECONDS ((time_t)30 * 24 * 3600)
#define TOUCH_SECONDS ((time_t)24 * 3600)

/* --- where it is ----------------------------------------------------------------------------- */

static void add_number(struct digest *digest, bool number)
{
	digest_add_text(digest, number ? "1" : "0");
}

/* Everything that decides what is read and how; includes are relative to the current directory. */
static char *make_id(const struct scripts *scripts, const char *cwd)
{
	CLEANUP(digest_release) struct digest digest = DIGEST_INIT;
	const char *name, *value;
	char hex[DIGEST_HEX_SIZE];

	digest_add_text(&digest, cwd);
	digest_add_text(&digest, getenv("HOME"));
	add_number(&digest, scripts->keep_going);
	add_number(&digest, scripts->transaction);
	add_number(&digest, scripts->insists != NULL);
	add_number(&digest, scripts->allow_connect);
	for (size_t i = 0; i < scripts->count; i++) {
		digest_add_text(&digest, scripts->files[i].path);
		digest_add_text(&digest, scripts->files[i].name);
	}
	digest_add_text(&digest, NULL);
	for (size_t i = 0; (name = variables_at(&scripts->variables, i, &value)); i++) {
		digest_add_text(&digest, name);
		digest_add_text(&digest, value);
	}
	digest_end(&digest, hex);
	return mem_strdup(hex);
}

void inputs_cache_open(struct inputs_cache *cache, const struct scripts *scripts)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	CLEANUP(mem_cleanup) char *place = private_directory("XDG_CACHE_HOME", ".cache", true);
	CLEANUP(mem_cleanup) char *cwd = place ? project_cwd(&ignored) : NULL;

	clock_gettime(CLOCK_REALTIME, &cache->began);
	if (!cwd)
		return;
	cache->id = make_id(scripts, cwd);
	cache->path = mem_printf("%s/" PREFIX "%s", place, cache->id);
}

void inputs_cache_release(struct inputs_cache *cache)
{
	mem_free(cache->path);
	mem_free(cache->id);
	*cache = (struct inputs_cache)INPUTS_CACHE_INIT;
}

/* --- what a record holds: texts with their lengths, the digest of all of it at the end -------- */

static void put_text(struct strbuf *out, const char *text)
{
	strbuf_addf(out, "%zu:", strlen(text));
	strbuf_adds(out, text);
	strbuf_addc(out, '\n');
}

static void put_number(struct strbuf *out, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, number);
	put_text(out, text);
}

static void put_list(struct strbuf *out, const struct strlist *list)
{
	put_number(out, (int64_t)list->count);
	for (size_t i = 0; i < list->count; i++)
		put_text(out, list->items[i]);
}

static void put_file(struct strbuf *out, const struct script_input_file *file)
{
	const struct stat *state = &file->state;

	put_text(out, file->path);
	put_text(out, file->name);
	put_number(out, (int64_t)state->st_dev);
	put_number(out, (int64_t)state->st_ino);
	put_number(out, (int64_t)state->st_size);
	put_number(out, (int64_t)state->st_mtim.tv_sec);
	put_number(out, (int64_t)state->st_mtim.tv_nsec);
	put_number(out, (int64_t)state->st_ctim.tv_sec);
	put_number(out, (int64_t)state->st_ctim.tv_nsec);
}

struct record {
	const char *at, *end;
	bool bad;
	char *text; /* the last that was taken */
};

static void record_release(struct record *record)
{
	mem_free(record->text);
}

static const char *take_text(struct record *record)
{
	size_t length = 0;

	mem_free(take_ptr(record->text));
	while (record->at < record->end && *record->at >= '0' && *record->at <= '9' &&
		length < RECORD_MOST)
		length = 10 * length + (size_t)(*record->at++ - '0');
	if (record->end - record->at < 2 || *record->at != ':' ||
		length > (size_t)(record->end - record->at) - 2 || record->at[length + 1] != '\n') {
		record->bad = true;
		record->at = record->end;
		return "";
	}
	record->text = mem_strndup(record->at + 1, length);
	record->at += length + 2;
	return record->text;
}

static int64_t take_number(struct record *record)
{
	return strtoll(take_text(record), NULL, 10);
}

static void take_expected(struct record *record, const char *expected)
{
	if (strcmp(take_text(record), expected) != 0)
		record->bad = true;
}

static void take_list(struct record *record, struct strlist *list)
{
	for (int64_t count = take_number(record); count > 0 && !record->bad; count--)
		strlist_add(list, take_text(record));
}

/* --- whether it still holds ------------------------------------------------------------------ */

static bool is_settled(const struct timespec *time, int64_t seconds, int64_t nanoseconds)
{
	int64_t since = seconds - (int64_t)time->tv_sec - SETTLED_SECONDS;

	return since > 0 || (since == 0 && nanoseconds >= (int64_t)time->tv_nsec);
}

static bool is_same_time(struct record *record, const struct timespec *time, int64_t began,
	int64_t began_nanoseconds)
{
	return (int64_t)time->tv_sec == take_number(record) &&
	       (int64_t)time->tv_nsec == take_number(record) &&
	       is_settled(time, began, began_nanoseconds);
}

/* Takes one file, if it is as it was. */
static void take_file(struct record *record, struct script_inputs *inputs, int64_t began,
	int64_t began_nanoseconds)
{
	CLEANUP(mem_cleanup) char *path = mem_strdup(take_text(record));
	CLEANUP(mem_cleanup) char *name = mem_strdup(take_text(record));
	struct stat state;

	if (record->bad || stat(path, &state) != 0 || !S_ISREG(state.st_mode) ||
		(int64_t)state.st_dev != take_number(record) ||
		(int64_t)state.st_ino != take_number(record) ||
		(int64_t)state.st_size != take_number(record) ||
		!is_same_time(record, &state.st_mtim, began, began_nanoseconds) ||
		!is_same_time(record, &state.st_ctim, began, began_nanoseconds)) {
		record->bad = true;
		return;
	}
	script_inputs_file(inputs, SCRIPT_INPUT_SCRIPT, path, name, &state);
}

static bool take_record(struct record *record, const struct inputs_cache *cache,
	struct scripts *scripts, struct strlist *messages)
{
	struct script_inputs *inputs = &scripts->inputs;
	int64_t began, began_nanoseconds;

	take_expected(record, FORMAT);
	take_expected(record, DBRIG_VERSION);
	take_expected(record, cache->id);
	began = take_number(record);
	began_nanoseconds = take_number(record);
	if (strlen(take_text(record)) == DIGEST_HEX_SIZE - 1)
		memcpy(inputs->key, record->text, DIGEST_HEX_SIZE);
	else
		record->bad = true;
	inputs->wants_extensions = take_number(record) != 0;
	scripts->transaction = take_number(record) != 0;
	scripts->bytes = (uint64_t)take_number(record);
	take_list(record, &inputs->varying);
	take_list(record, messages);
	for (int64_t count = take_number(record); count > 0 && !record->bad; count--)
		take_file(record, inputs, began, began_nanoseconds);
	return !record->bad && record->at == record->end && !inputs->obstacle;
}

static void digest_of(const char *bytes, size_t length, char *ret_hex)
{
	CLEANUP(digest_release) struct digest digest = DIGEST_INIT;

	digest_add(&digest, bytes, length);
	digest_end(&digest, ret_hex);
}

bool inputs_cache_read(
	const struct inputs_cache *cache, struct scripts *scripts, struct strlist *messages)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT_CEILING(RECORD_MOST);
	CLEANUP(record_release) struct record record = { 0 };
	struct scripts before = *scripts;
	char hex[DIGEST_HEX_SIZE];
	time_t written;

	if (!cache->path || !private_read(cache->path, &text, &written) ||
		text.length < DIGEST_HEX_SIZE)
		return false;
	/* It is in use. */
	if (written + TOUCH_SECONDS < time(NULL))
		utimensat(AT_FDCWD, cache->path, NULL, AT_SYMLINK_NOFOLLOW);
	record.at = text.data;
	record.end = text.data + text.length - (DIGEST_HEX_SIZE - 1);
	digest_of(text.data, (size_t)(record.end - record.at), hex);
	if (memcmp(hex, record.end, DIGEST_HEX_SIZE - 1) != 0)
		return false;
	if (!take_record(&record, cache, scripts, messages)) {
		script_inputs_release(&scripts->inputs);
		strlist_release(messages);
		scripts->transaction = before.transaction;
		scripts->bytes = before.bytes;
		return false;
	}
	for (size_t i = 0; i < scripts->inputs.file_count; i++)
		stamps_add(&scripts->stamps, scripts->inputs.files[i].path,
			&scripts->inputs.files[i].state);
	return true;
}

/* --- writing --------------------------------------------------------------------------------- */

static void remove_old(const char *path)
{
	CLEANUP(mem_cleanup)
	char *place = mem_strndup(path, (size_t)(strrchr(path, '/') - path));
	const time_t oldest = time(NULL) - KEPT_SECONDS;
	struct dirent *entry;
	struct stat state;
	DIR *stream = opendir(place);

	if (!stream)
		return;
	while ((entry = readdir(stream)))
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0 &&
			fstatat(dirfd(stream), entry->d_name, &state, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(state.st_mode) && state.st_mtim.tv_sec < oldest)
			unlinkat(dirfd(stream), entry->d_name, 0);
	closedir(stream);
}

void inputs_cache_write(const struct inputs_cache *cache, const struct scripts *scripts,
	const struct strlist *messages)
{
	const struct script_inputs *inputs = &scripts->inputs;
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT_UNBOUNDED;
	char hex[DIGEST_HEX_SIZE];

	if (!cache->path || inputs->obstacle || scripts->reads_pipe)
		return;
	put_text(&text, FORMAT);
	put_text(&text, DBRIG_VERSION);
	put_text(&text, cache->id);
	put_number(&text, (int64_t)cache->began.tv_sec);
	put_number(&text, (int64_t)cache->began.tv_nsec);
	put_text(&text, inputs->key);
	put_number(&text, inputs->wants_extensions);
	put_number(&text, scripts->transaction);
	put_number(&text, (int64_t)scripts->bytes);
	put_list(&text, &inputs->varying);
	put_list(&text, messages);
	put_number(&text, (int64_t)inputs->file_count);
	for (size_t i = 0; i < inputs->file_count; i++)
		put_file(&text, &inputs->files[i]);
	if (text.length > RECORD_MOST - DIGEST_HEX_SIZE)
		return;
	digest_of(text.data, text.length, hex);
	strbuf_adds(&text, hex);
	private_write(cache->path, text.data, text.length);
	remove_old(cache->path);
}

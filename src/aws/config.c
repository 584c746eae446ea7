#include "aws/config.h"

#include "aws/words.h"
#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_FILE_CEILING ((size_t)1 << 20)
/* What file_read_all wants to have free at least. */
#define READ_AHEAD ((size_t)64 << 10)

enum section_kind { SECTION_OTHER, SECTION_PROFILE, SECTION_SERVICES };

/* A nested setting's name is "outer/inner". */
struct setting {
	char *name;
	char *value;
};

struct section {
	enum section_kind kind;
	char *header; /* what stands between the brackets */
	char *name;
	struct setting *settings;
	size_t count;
};

struct file {
	char *path; /* for messages */
	struct section *sections;
	size_t count;
	bool exposed;
};

struct config {
	struct file files[2]; /* by enum config_file */
};

/* --- reading -------------------------------------------------------------------------------- */

/* A file being read: section and setting are those that the next line may belong to. */
struct reader {
	struct file *file;
	enum config_file which;
	size_t line;
	struct section *section;
	struct setting *setting;
	size_t indent;   /* of setting's line */
	bool is_nesting; /* setting's value is empty: its continuation is settings of its own */
	struct strbuf value;
};

static void reader_cleanup(struct reader *reader)
{
	strbuf_release_secret(&reader->value);
}

static int fail(const struct reader *reader, struct err *err, const char *what)
{
	err_set(err, ERR_USAGE, "%s in line %zu of \"%s\"", what, reader->line, reader->file->path);
	return -1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* The bounds of a line or of a part of one, without blanks around. */
struct span {
	const char *at, *end;
};

static struct span trim(struct span span)
{
	while (span.at < span.end && is_blank(*span.at))
		span.at++;
	while (span.end > span.at && is_blank(span.end[-1]))
		span.end--;
	return span;
}

static char *span_copy(struct span span)
{
	return mem_strndup(span.at, (size_t)(span.end - span.at));
}

/* Puts the value together that came over several lines, without the empty ones at its end. */
static void finish_setting(struct reader *reader)
{
	struct strbuf *value = &reader->value;

	if (!reader->setting)
		return;
	while (value->length > 0 && value->data[value->length - 1] == '\n')
		strbuf_truncate(value, value->length - 1);
	mem_free_secret(reader->setting->value);
	reader->setting->value = mem_strdup(value->data);
	strbuf_reset(value);
	reader->setting = NULL;
}

static struct setting *add_setting(struct section *section, char *name)
{
	section->settings =
		mem_resize(section->settings, section->count + 1, sizeof(*section->settings));
	section->settings[section->count] =
		(struct setting){ .name = name, .value = mem_strdup("") };
	return &section->settings[section->count++];
}

static const char *find_setting(const struct section *section, const char *name)
{
	for (size_t i = 0; i < section->count; i++)
		if (strcasecmp(section->settings[i].name, name) == 0)
			return section->settings[i].value;
	return NULL;
}

/* What a header means in that file: the credentials file has plain profile names. */
static void name_section(struct section *section, enum config_file which)
{
	CLEANUP(strlist_release) struct strlist words = STRLIST_INIT;

	if (which == CONFIG_FILE_CREDENTIALS || strcmp(section->header, "default") == 0) {
		section->kind = SECTION_PROFILE;
		section->name = mem_strdup(section->header);
		return;
	}
	section->name = mem_strdup("");
	if (!words_split(section->header, &words) || words.count != 2)
		return;
	if (strcmp(words.items[0], "profile") == 0)
		section->kind = SECTION_PROFILE;
	else if (strcmp(words.items[0], "services") == 0)
		section->kind = SECTION_SERVICES;
	else
		return;
	mem_free(section->name);
	section->name = mem_strdup(words.items[1]);
}

static int read_header(struct reader *reader, struct span line, struct err *err)
{
	struct file *file = reader->file;
	struct section *section;
	const char *close = line.end;

	while (close > line.at && close[-1] != ']')
		close--;
	if (close - line.at < 3)
		return fail(reader, err, "section header without a name or without \"]\"");
	file->sections = mem_resize(file->sections, file->count + 1, sizeof(*file->sections));
	section = &file->sections[file->count++];
	*section = (struct section){ .header = span_copy((struct span){ line.at + 1, close - 1 }) };
	name_section(section, reader->which);
	for (size_t i = 0; i + 1 < file->count; i++)
		if (strcmp(file->sections[i].header, section->header) == 0)
			return fail(reader, err, "a section that was there before");
	reader->section = section;
	return 0;
}

static int read_nested(struct reader *reader, struct span line, struct err *err)
{
	const char *equals = memchr(line.at, '=', (size_t)(line.end - line.at));
	CLEANUP(mem_cleanup) char *inner = NULL;
	CLEANUP(mem_cleanup) char *outer = NULL;
	struct setting *setting;

	if (!equals || equals == line.at)
		return fail(reader, err, "expected NAME = value");
	inner = span_copy(trim((struct span){ line.at, equals }));
	outer = mem_strdup(reader->setting->name);
	/* The setting may move. */
	finish_setting(reader);
	setting = add_setting(reader->section, mem_printf("%s/%s", outer, inner));
	mem_free_secret(setting->value);
	setting->value = span_copy(trim((struct span){ equals + 1, line.end }));
	for (size_t i = 0; i < reader->section->count; i++)
		if (strcmp(reader->section->settings[i].name, outer) == 0)
			reader->setting = &reader->section->settings[i];
	return 0;
}

static int read_setting(struct reader *reader, struct span line, struct err *err)
{
	CLEANUP(mem_cleanup) char *name = NULL;
	const char *separator = line.at;
	struct span value;

	while (separator < line.end && *separator != '=' && *separator != ':')
		separator++;
	if (!reader->section)
		return fail(reader, err, "a setting before any [section]");
	if (separator == line.end || separator == line.at)
		return fail(reader, err, "expected NAME = value");
	name = span_copy(trim((struct span){ line.at, separator }));
	if (find_setting(reader->section, name))
		return fail(reader, err, "a setting that was there before");
	reader->setting = add_setting(reader->section, take_ptr(name));
	value = trim((struct span){ separator + 1, line.end });
	strbuf_add(&reader->value, value.at, (size_t)(value.end - value.at));
	reader->is_nesting = value.at == value.end;
	return 0;
}

static int read_line(struct reader *reader, struct span line, struct err *err)
{
	struct span text = trim(line);
	size_t indent = (size_t)(text.at - line.at);

	if (text.at < text.end && (*text.at == '#' || *text.at == ';'))
		return 0;
	if (text.at == text.end) {
		if (reader->setting && !reader->is_nesting)
			strbuf_addc(&reader->value, '\n');
		return 0;
	}
	if (reader->setting && indent > reader->indent) {
		if (reader->is_nesting)
			return read_nested(reader, text, err);
		strbuf_addc(&reader->value, '\n');
		strbuf_add(&reader->value, text.at, (size_t)(text.end - text.at));
		return 0;
	}
	finish_setting(reader);
	reader->indent = indent;
	if (*text.at == '[')
		return read_header(reader, text, err);
	return read_setting(reader, text, err);
}

static int parse_file(
	struct file *file, enum config_file which, const struct strbuf *text, struct err *err)
{
	CLEANUP(reader_cleanup)
	struct reader reader = { .file = file, .which = which, .value = STRBUF_INIT };
	const char *at = text->data;
	const char *end = text->data + text->length;

	if (memchr(at, '\0', text->length))
		return err_set(err, ERR_USAGE, "\"%s\" is not a text file", file->path);
	if (text->length >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0)
		at += 3;
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		struct span line = { at, newline ? newline : end };

		reader.line++;
		if (read_line(&reader, line, err) != 0)
			return -1;
		at = newline ? newline + 1 : end;
	}
	finish_setting(&reader);
	return 0;
}

/* The file at its default place is not there, or is another account's (a HOME that is not ours). */
static bool may_be_left_out(const char *path, bool is_default)
{
	struct stat info;

	if (stat(path, &info) != 0)
		return errno == ENOENT || errno == ENOTDIR || (is_default && errno == EACCES);
	return is_default && access(path, R_OK) != 0 && errno == EACCES;
}

/* --- variables ------------------------------------------------------------------------------ */

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

const char *config_variable(const struct env *env, const char *name)
{
	static const char *const harmless[] = { "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
		"AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CREDENTIAL_EXPIRATION",
		"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
		"AWS_MAX_ATTEMPTS", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT",
		"AWS_EC2_METADATA_DISABLED" };
	const char *file;
	const char *value = env_get(env, name, &file);

	return value && file && !is_one_of(name, harmless, ARRAY_SIZE(harmless)) ? NULL : value;
}

const char *config_ignored(const struct env *env, size_t *index)
{
	static const char *const names[] = { "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
		"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL_RDS",
		"AWS_ENDPOINT_URL_STS", "AWS_CA_BUNDLE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME",
		"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_EC2_METADATA_SERVICE_ENDPOINT" };

	while (*index < ARRAY_SIZE(names)) {
		const char *name = names[(*index)++];

		if (env_get(env, name, NULL) && !config_variable(env, name))
			return name;
	}
	return NULL;
}

/* --- files ----------------------------------------------------------------------------------- */

static int read_file(struct file *file, enum config_file which, const struct env *env,
	const char *variable, const char *standard, struct err *err)
{
	CLEANUP(strbuf_release_secret)
	struct strbuf text = STRBUF_INIT_CEILING(CONFIG_FILE_CEILING);
	CLEANUP(mem_cleanup) char *path = NULL;
	const char *chosen = config_variable(env, variable);
	struct stat info;

	file->path = mem_strdup(chosen ? chosen : standard);
	path = path_expand_home(mem_strdup(file->path));
	if (may_be_left_out(path, !chosen))
		return 0;
	if (stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
		file->exposed = (info.st_mode & (S_IRGRP | S_IROTH)) != 0;
		size_t room = (size_t)info.st_size + READ_AHEAD;

		/* All at once: where the buffer was while it grew, a copy would stay behind. */
		strbuf_grow(&text, room < CONFIG_FILE_CEILING ? room : CONFIG_FILE_CEILING);
	}
	if (file_read_all(path, &text, err) != 0) {
		if (err->kind == ERR_FAILED)
			err->kind = ERR_USAGE;
		return -1;
	}
	return parse_file(file, which, &text, err);
}

int config_read(const struct env *env, struct config **ret_config, struct err *err)
{
	CLEANUP(config_cleanup) struct config *config = mem_calloc(1, sizeof(*config));

	if (read_file(&config->files[CONFIG_FILE_CREDENTIALS], CONFIG_FILE_CREDENTIALS, env,
		    "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials", err) != 0 ||
		read_file(&config->files[CONFIG_FILE_CONFIG], CONFIG_FILE_CONFIG, env,
			"AWS_CONFIG_FILE", "~/.aws/config", err) != 0)
		return -1;
	*ret_config = take_ptr(config);
	return 0;
}

static void release_section(struct section *section)
{
	for (size_t i = 0; i < section->count; i++) {
		mem_free(section->settings[i].name);
		mem_free_secret(section->settings[i].value);
	}
	mem_free(section->settings);
	mem_free(section->header);
	mem_free(section->name);
}

void config_cleanup(struct config **config)
{
	if (!*config)
		return;
	for (size_t i = 0; i < ARRAY_SIZE((*config)->files); i++) {
		struct file *file = &(*config)->files[i];

		for (size_t j = 0; j < file->count; j++)
			release_section(&file->sections[j]);
		mem_free(file->sections);
		mem_free(file->path);
	}
	mem_free(*config);
	*config = NULL;
}

/* --- looking up ----------------------------------------------------------------------------- */

const char *config_path(const struct config *config)
{
	return config->files[CONFIG_FILE_CONFIG].path;
}

const char *config_credentials_path(const struct config *config)
{
	return config->files[CONFIG_FILE_CREDENTIALS].path;
}

bool config_credentials_exposed(const struct config *config)
{
	return config->files[CONFIG_FILE_CREDENTIALS].exposed;
}

/* [profile default] goes before [default]. */
static const struct section *find_section(
	const struct file *file, enum section_kind kind, const char *name)
{
	const struct section *found = NULL;

	for (size_t i = 0; i < file->count; i++) {
		const struct section *section = &file->sections[i];

		if (section->kind == kind && strcmp(section->name, name) == 0 &&
			(!found || strcmp(found->header, "default") == 0))
			found = section;
	}
	return found;
}

bool config_has_profile(const struct config *config, const char *profile)
{
	for (size_t i = 0; i < ARRAY_SIZE(config->files); i++)
		if (find_section(&config->files[i], SECTION_PROFILE, profile))
			return true;
	return false;
}

const char *config_get_from(
	const struct config *config, enum config_file file, const char *profile, const char *name)
{
	const struct section *section =
		find_section(&config->files[file], SECTION_PROFILE, profile);
	const char *value = section ? find_setting(section, name) : NULL;

	return value && *value ? value : NULL;
}

const char *config_get(
	const struct config *config, const char *profile, const char *name, const char **ret_path)
{
	for (size_t i = 0; i < ARRAY_SIZE(config->files); i++) {
		const char *value = config_get_from(config, (enum config_file)i, profile, name);

		if (value) {
			if (ret_path)
				*ret_path = config->files[i].path;
			return value;
		}
	}
	return NULL;
}

const char *config_service_endpoint(
	const struct config *config, const char *profile, const char *service)
{
	const char *services = config_get(config, profile, "services", NULL);
	CLEANUP(mem_cleanup) char *name = mem_printf("%s/endpoint_url", service);
	const struct section *section;
	const char *value;

	if (!services)
		return NULL;
	section = find_section(&config->files[CONFIG_FILE_CONFIG], SECTION_SERVICES, services);
	value = section ? find_setting(section, name) : NULL;
	return value && *value ? value : NULL;
}

#include "app/companion.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_SIZE 4096

void companion_answer_release(struct companion_answer *answer)
{
	strbuf_release_secret(&answer->output);
	strbuf_release_secret(&answer->errors);
}

/*
 * Where PATH has it. Not in the current directory, which an empty entry would name too, nor in any
 * other that depends on it: the caller may stand in somebody else's. The caller owns it.
 */
static char *find_in_path(const char *name)
{
	const char *path = getenv("PATH");

	while (path && *path) {
		size_t length = strcspn(path, ":");
		CLEANUP(mem_cleanup) char *directory = mem_strndup(path, length);
		CLEANUP(mem_cleanup) char *file = path_join(directory, name);

		if (path[0] == '/' && access(file, X_OK) == 0)
			return take_ptr(file);
		path += length + (path[length] == ':');
	}
	return path_join("/nowhere", name);
}

/* The one beside our own executable; the caller owns the path. */
static char *find(const char *name)
{
	CLEANUP(mem_cleanup) char *self = mem_calloc(1, PATH_SIZE);
	ssize_t length = readlink("/proc/self/exe", self, PATH_SIZE - 1);
	char *slash = length > 0 ? strrchr(self, '/') : NULL;

	if (!slash)
		return find_in_path(name);
	*slash = '\0';
	/* Another one, of who knows whom, is not asked when ours is missing. */
	return path_join(self, name);
}

/* The file that we read: another directory's would be another environment. */
static void add_env_file(const struct context *context, struct strlist *argv)
{
	const char *file = context->env.file;

	if (!file)
		strlist_add(argv, "--no-env-file");
	else if (file[0] == '/')
		strlist_addf(argv, "--env-file=%s", file);
	else
		strlist_addf(argv, "--env-file=%s/%s", context->cwd, file);
}

int companion_run(const struct context *context, const char *name, const struct strlist *arguments,
	int64_t timeout_ms, struct companion_answer *answer, struct err *err)
{
	CLEANUP(strlist_release) struct strlist argv = STRLIST_INIT;
	CLEANUP(mem_cleanup) char *path = find(name);
	struct process_spec spec = {
		.as_caller = true, .ends_at_ceiling = true, .errors = &answer->errors
	};
	int status;

	strlist_add(&argv, path);
	for (size_t i = 0; i < arguments->count; i++)
		strlist_add(&argv, arguments->items[i]);
	add_env_file(context, &argv);
	spec.argv = (const char *const *)argv.items;
	spec.environment = (const char *const *)environ;
	strbuf_grow(&answer->output, COMPANION_CEILING);
	strbuf_grow(&answer->errors, COMPANION_CEILING);
	if (process_run(&spec, timeout_ms, &answer->output, &status, err) != 0) {
		if (err->kind == ERR_FAILED && answer->output.length < COMPANION_CEILING)
			err_hint(err, "%s belongs to dbrig: install it beside %s.", name,
				context->program);
		return -1;
	}
	answer->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return 0;
}

static enum err_kind kind_of(int status)
{
	for (enum err_kind kind = ERR_FAILED; kind < ERR_INTERRUPTED; kind++)
		if (err_exit_status(kind) == status)
			return kind;
	return ERR_FAILED;
}

/* The text behind the label when the line begins with it; NULL: it does not. */
static const char *behind(const char *line, const char *label)
{
	size_t length = strlen(label);

	if (strncmp(line, label, length) != 0)
		return NULL;
	line += length;
	return line + strspn(line, " ");
}

int companion_failed(const struct companion_answer *answer, const char *name, struct err *err,
	const char *format, ...)
{
	CLEANUP(mem_cleanup) char *text = mem_strdup(answer->errors.data);
	CLEANUP(mem_cleanup) char *own = mem_printf("%s: error:", name);
	CLEANUP(mem_cleanup) char *message = NULL;
	char *at = text, *line;
	va_list list;

	va_start(list, format);
	message = mem_vprintf(format, list);
	va_end(list);
	err_set(err, kind_of(answer->status), "%s", message);
	while ((line = strsep(&at, "\n")) != NULL) {
		const char *said = behind(line, own), *hint = behind(line, "hint:");

		if (!said)
			said = behind(line, "detail:");
		/* An annotation would be one of ours then, twice. */
		if (hint)
			err_hint(err, "%s", hint);
		else if (*line && strncmp(line, "::", 2) != 0)
			err_detail_line(err, "%s", said ? said : line);
	}
	if (!err->detail)
		err_detail_line(
			err, "%s ended with status %d and said nothing.", name, answer->status);
	return -1;
}

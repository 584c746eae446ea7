/* What the tests of targets share: files for them, and resolving a target in a given environment.
 */
#ifndef UNIT_TARGET_FIXTURE_H
#define UNIT_TARGET_FIXTURE_H

#include "unit.h"

#include "base/file.h"
#include "base/mem.h"
#include "params_text.h"
#include "pg/target.h"

#include <stdio.h>

#define URL(host) "=postgresql://me@" host "/db"
#define SERVICE "PGSERVICEFILE=~/service.conf|"

/* A directory for the files the cases name by "~": service.conf and bundle.pem. */
static char directory[] = "/tmp/dbrig-unit-XXXXXX";

static inline void write_file(const char *name, const char *text)
{
	CLEANUP(mem_cleanup) char *path = path_join(directory, name);
	CLEANUP(file_cleanup) FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) < 0)
		BUG("could not write a file for the test");
}

static inline int make_files(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	write_file("bundle.pem", "certificates\n");
	write_file("service.conf",
		"[one]\nhost=service-host\nport=7777\nuser=service-user\ndbname=service-db\n"
		"[bare]\nhost=bare-host\n"
		"[rds]\nhost=x.rds.amazonaws.com\ndbname=d\n"
		"[rds-require]\nhost=x.rds.amazonaws.com\ndbname=d\nsslmode=require\n"
		"[rds-root]\nhost=x.rds.amazonaws.com\ndbname=d\nsslrootcert=/service.pem\n");
	return 0;
}

static inline int remove_files(void **state)
{
	CLEANUP(mem_cleanup) char *bundle = path_join(directory, "bundle.pem");
	CLEANUP(mem_cleanup) char *service = path_join(directory, "service.conf");

	(void)state;
	unlink(bundle);
	unlink(service);
	return rmdir(directory);
}

/* The text with "~" replaced by the directory of the files. */
static inline char *expand(const char *text)
{
	struct strbuf out = STRBUF_INIT;

	for (; text && *text; text++) {
		if (*text == '~')
			strbuf_adds(&out, directory);
		else
			strbuf_addc(&out, *text);
	}
	return strbuf_detach(&out);
}

/* One resolved target, from "NAME=value|NAME=value" and the text of a .env file (NULL: none). */
struct resolved {
	struct env env;
	struct target target;
	struct err err;
	int result;
};

static inline void set_environment(const char *variables)
{
	CLEANUP(mem_cleanup) char *copy = expand(variables);
	static char *none[1];
	char *at = copy, *variable;

	environ = none;
	while ((variable = strsep(&at, "|")) != NULL) {
		char *equals = strchr(variable, '=');

		if (!equals)
			continue;
		*equals = '\0';
		setenv(variable, equals + 1, 1);
	}
}

static inline void resolve(
	struct resolved *r, const char *variables, const char *file, const char *name)
{
	CLEANUP(mem_cleanup) char *text = expand(file);

	set_environment(variables);
	if (file) {
		r->env.file = mem_strdup("the/.env");
		check_number(file, env_parse(&r->env, ".env", text, strlen(text), &r->err), 0);
	}
	r->result = target_resolve(&r->target, name, &r->env, NULL, &r->err);
}

static inline void resolved_release(struct resolved *r)
{
	target_release(&r->target);
	env_release(&r->env);
	err_release(&r->err);
}

#endif

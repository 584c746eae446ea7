#include "app/steps.h"

#include "base/clock.h"
#include "term/out.h"

int step_drop(struct conn *conn, const char *database, const struct database_state *known,
	bool force, struct err *err)
{
	int64_t start = clock_us();
	char elapsed[32];
	bool dropped;

	out_step("db-drop");
	if (database_drop(conn, database, known, force, &dropped, err) != 0)
		return -1;
	if (dropped)
		out_info("dropped database \"%s\" (%s)", database,
			clock_format(clock_us() - start, elapsed, sizeof(elapsed)));
	else
		out_info("database \"%s\" does not exist, nothing to drop", database);
	return 0;
}

int step_create(struct conn *conn, const char *database,
	const struct database_create_options *options, bool *ret_created, struct err *err)
{
	int64_t start = clock_us();
	char elapsed[32];

	out_step("db-create");
	if (database_create(conn, database, options, ret_created, err) != 0)
		return -1;
	if (*ret_created)
		out_info("created database \"%s\" (%s)", database,
			clock_format(clock_us() - start, elapsed, sizeof(elapsed)));
	else
		out_info("database \"%s\" already exists", database);
	return 0;
}

int step_scripts(struct conn *conn, const char *name, struct scripts *scripts, struct err *err)
{
	out_step("%s", name);
	return scripts_run(conn, scripts, err);
}

int step_list(const char *name, struct scripts *scripts, struct err *err)
{
	out_step("%s, dry run", name);
	if (scripts_check(scripts, err) != 0)
		return -1;
	return scripts_list(scripts, err);
}

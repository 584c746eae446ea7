#include "app/guard.h"

#include <string.h>

static const char *opt_confirm;

const struct option guard_options[] = {
	{ .name = "confirm",
		.type = OPTION_STRING,
		.value = &opt_confirm,
		.argument = "NAME",
		.help = "the database's name: needed to destroy data on the target prod" },
	{ 0 },
};

static int check_name(const struct target *target, const char *what, struct err *err)
{
	if (opt_confirm && strcmp(opt_confirm, target->database) != 0)
		return err_set(err, ERR_REFUSED,
			"refusing to %s database \"%s\": --confirm names \"%s\"", what,
			target->database, opt_confirm);
	return 0;
}

int guard_sessions(const struct target *target, bool force, const char *what, struct err *err)
{
	return force ? guard_destroy(target, what, err) : check_name(target, what, err);
}

int guard_destroy(const struct target *target, const char *what, struct err *err)
{
	if (check_name(target, what, err) != 0)
		return -1;
	if (!target_is_protected(target) || opt_confirm)
		return 0;
	err_set(err, ERR_REFUSED, "refusing to %s database \"%s\": the target \"%s\" is protected",
		what, target->database, target->name);
	err_hint(err, "Nothing was changed. If you mean it: --confirm %s.", target->database);
	return -1;
}

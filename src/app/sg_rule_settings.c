/* Options and environment of rds-update-sg-rule, checked before anything is asked of anybody. */
#include "app/sg_rule.h"
#include "base/mem.h"
#include "term/out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_DESCRIPTION "GITPOD"
#define DEFAULT_PORT 5432

/* An address service's error page in a variable shall not fill the screen. */
#define SHOWN_BYTES 60

/* The option's value, else the variable's; *ret_source names it for messages. */
static const char *look_up(const char *option, const char *option_name, const struct env *env,
	const char *variable, const char **ret_source)
{
	*ret_source = option ? option_name : variable;
	return option ? option : env_get(env, variable, NULL);
}

static int resolve_group(struct sg_settings *settings, const struct env *env, struct err *err)
{
	const char *source;

	settings->group = look_up(settings->options.group, "--group-id", env, "DB_SG_ID", &source);
	if (!settings->group) {
		err_set(err, ERR_USAGE,
			"DB_SG_ID is not set (security group id, like sg-0123456789abcdef0)");
		err_hint(err, "Set it in the environment or in .env, or pass --group-id.");
		return -1;
	}
	if (!ec2_is_group_id(settings->group))
		return err_set(err, ERR_USAGE,
			"\"%.*s\" (%s) is not the id of a security group, like "
			"sg-0123456789abcdef0",
			SHOWN_BYTES, settings->group, source);
	return 0;
}

static int resolve_port(struct sg_settings *settings, const struct env *env, struct err *err)
{
	const char *source, *end;
	const char *text = look_up(settings->options.port, "--port", env, "DB_SG_PORT", &source);
	long port = DEFAULT_PORT;

	if (text) {
		char *stop;

		errno = 0;
		port = strtol(text, &stop, 10);
		end = stop;
		if (errno || end == text || *end || strspn(text, "0123456789") != strlen(text) ||
			port < 1 || port > 65535)
			return err_set(err, ERR_USAGE, "\"%.*s\" (%s) is not a port (1 to 65535)",
				SHOWN_BYTES, text, source);
	}
	settings->port = (int)port;
	return 0;
}

static int resolve_description(struct sg_settings *settings, const struct env *env, struct err *err)
{
	const char *source, *why;
	const char *text = look_up(
		settings->options.description, "--description", env, "DB_SG_DESCRIPTION", &source);

	settings->described = text != NULL;
	settings->description = text ? text : DEFAULT_DESCRIPTION;
	if (!ec2_is_description(settings->description, &why)) {
		err_set(err, ERR_USAGE, "\"%.*s\" (%s) cannot be the description of a rule: %s",
			SHOWN_BYTES, text, source, why);
		return -1;
	}
	return 0;
}

static int resolve_tag(struct sg_settings *settings, struct err *err)
{
	const char *text = settings->options.tag;
	const char *equals = text ? strchr(text, '=') : NULL;

	if (!text)
		return 0;
	if (!equals || equals == text)
		return err_set(err, ERR_USAGE, "--tag: \"%s\" is not KEY=VALUE", text);
	if (equals - text > 128 || strlen(equals + 1) > 256 || strncmp(text, "aws:", 4) == 0)
		return err_set(err, ERR_USAGE,
			"--tag: a key has at most 128 characters and does not begin with aws:, a "
			"value has at most 256");
	settings->tag_key = mem_strndup(text, (size_t)(equals - text));
	settings->tag_value = equals + 1;
	return 0;
}

/* --- address and rule ----------------------------------------------------------------------- */

/*
 * A variable that is set and empty is what `GITPOD_IP=$(curl …)` leaves when curl failed: taken for
 * "not set", the address of this machine might go where another was meant.
 */
static int check_empty(struct err *err)
{
	const char *value = getenv("GITPOD_IP");

	if (!value || *value)
		return 0;
	err_set(err, ERR_USAGE, "GITPOD_IP is set but empty");
	err_hint(err,
		"Unset it or pass --ip auto to have the address found out, or pass --ip ADDRESS.");
	return -1;
}

/*
 * A project must not choose which address is let in, nor who is asked for it: of these variables
 * only the process environment's count.
 */
static const char *own_variable(const struct env *env, const char *name)
{
	const char *file;
	const char *value = env_get(env, name, &file);

	if (!file)
		return value;
	out_warning("%s in \"%s\" is ignored: it counts in the environment only", name, file);
	return NULL;
}

bool sg_address_is_usable(const struct address *address, const char **ret_why)
{
	static const struct {
		const char *cidr, *why;
	} refused[] = {
		{ "0.0.0.0/8", "unspecified" },
		{ "127.0.0.0/8", "loopback" },
		{ "169.254.0.0/16", "link-local" },
		{ "224.0.0.0/4", "multicast" },
		{ "240.0.0.0/4", "reserved" },
		{ "::/128", "unspecified" },
		{ "::1/128", "loopback" },
		{ "::ffff:0:0/96", "an IPv4 address in IPv6's clothes" },
		{ "fe80::/10", "link-local" },
		{ "ff00::/8", "multicast" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct cidr cidr;

		if (!cidr_parse(refused[i].cidr, &cidr))
			BUG("a malformed block of addresses");
		if (!cidr_covers(&cidr, address))
			continue;
		*ret_why = refused[i].why;
		return false;
	}
	return true;
}

static int refuse_unusable(const char *text, const char *source, const char *why, struct err *err)
{
	err_set(err, ERR_USAGE, "%s (%s) is not the address of a machine that could connect (%s)",
		text, source, why);
	err_hint(err, "Pass --ip ADDRESS, or --ip auto to have it found out.");
	return -1;
}

static int refuse_private(const char *text, const char *source, const char *why, struct err *err)
{
	err_set(err, ERR_USAGE, "%s (%s) is not a public address (%s)", text, source, why);
	err_hint(err, "Pass --ip ADDRESS, --ip auto to have it found out, or --allow-private when "
		      "the database is reached through a VPN or peering.");
	return -1;
}

static int resolve_address(struct sg_settings *settings, const struct env *env, struct err *err)
{
	const struct sg_options *options = &settings->options;
	const char *source = options->ip ? "--ip" : "GITPOD_IP", *why;
	const char *text = options->ip ? options->ip : own_variable(env, "GITPOD_IP");
	bool is_auto = options->ip && strcmp(options->ip, "auto") == 0;

	settings->family = options->ipv6 ? 6 : 4;
	if (!text || is_auto)
		settings->services = own_variable(env, "DB_SG_IP_URLS");
	if (!text)
		return check_empty(err);
	if (is_auto)
		return 0;
	if (!address_parse(text, strlen(text), &settings->address)) {
		err_set(err, ERR_USAGE, "\"%.*s\" (%s) is not an IP address", SHOWN_BYTES, text,
			source);
		err_hint(err, "Pass --ip ADDRESS, or --ip auto to have it found out.");
		return -1;
	}
	if (!address_is_global(&settings->address, &why) && !options->allow_private)
		return refuse_private(text, source, why, err);
	if (!sg_address_is_usable(&settings->address, &why))
		return refuse_unusable(text, source, why, err);
	settings->has_address = true;
	if ((options->ipv4 || options->ipv6) && settings->address.family != settings->family)
		return err_set(err, ERR_USAGE, "%s (%s) is an IPv%d address, but --ipv%d is given",
			text, source, settings->address.family, settings->family);
	settings->family = settings->address.family;
	return 0;
}

/* A rule is for one family, so there are two variables. */
static const char *rule_variable(const struct sg_settings *settings)
{
	return settings->family == 6 ? "DB_SG_RULE_ID_V6" : "DB_SG_RULE_ID";
}

static int resolve_rule(struct sg_settings *settings, const struct env *env, struct err *err)
{
	const struct sg_options *options = &settings->options;

	settings->rule = look_up(
		options->rule, "--rule-id", env, rule_variable(settings), &settings->rule_source);
	if (!settings->rule && settings->family == 6 && !options->ipv6 &&
		env_get(env, "DB_SG_RULE_ID", NULL)) {
		err_set(err, ERR_USAGE,
			"the address is an IPv6 one, but DB_SG_RULE_ID names a rule for IPv4");
		err_hint(err, "Set DB_SG_RULE_ID_V6 to a rule for IPv6, or pass --ipv6 to have "
			      "one found by its description.");
		return -1;
	}
	if (settings->rule && !ec2_is_rule_id(settings->rule))
		return err_set(err, ERR_USAGE,
			"\"%.*s\" (%s) is not the id of a rule, like sgr-0123456789abcdef0",
			SHOWN_BYTES, settings->rule, settings->rule_source);
	if (!settings->rule && !settings->tag_key && !*settings->description && !options->show)
		return err_set(err, ERR_USAGE,
			"a rule without description can only be named by --rule-id or --tag");
	return 0;
}

static int check_exclusions(const struct sg_options *options, struct err *err)
{
	if (options->create + options->remove + options->show > 1)
		return err_set(err, ERR_USAGE, "--create, --remove and --show exclude each other");
	if (options->ipv4 && options->ipv6) {
		err_set(err, ERR_USAGE, "--ipv4 and --ipv6 exclude each other");
		err_hint(err, "A rule is for one of them: run the command twice.");
		return -1;
	}
	if (options->run_command && (options->remove || options->show || options->dry_run))
		return err_set(err, ERR_USAGE,
			"--while and --remove, --show or --dry-run exclude each other");
	return 0;
}

bool sg_settings_need_address(const struct sg_settings *settings)
{
	return !settings->options.show && !(settings->options.remove && settings->rule);
}

int sg_settings_resolve(struct sg_settings *settings, const struct sg_options *options,
	const struct env *env, struct err *err)
{
	settings->options = *options;
	if (check_exclusions(options, err) != 0 || resolve_group(settings, env, err) != 0 ||
		resolve_port(settings, env, err) != 0 ||
		resolve_description(settings, env, err) != 0 || resolve_tag(settings, err) != 0)
		return -1;
	settings->family = options->ipv6 ? 6 : 4;
	if (options->show)
		return 0;
	/* A rule that is named is removed whatever it allows. */
	if (options->remove && !options->ip &&
		(options->rule || env_get(env, rule_variable(settings), NULL)))
		return resolve_rule(settings, env, err);
	if (resolve_address(settings, env, err) != 0)
		return -1;
	return resolve_rule(settings, env, err);
}

void sg_settings_release(struct sg_settings *settings)
{
	mem_free(settings->tag_key);
	*settings = (struct sg_settings)SG_SETTINGS_INIT;
}

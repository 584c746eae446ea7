#include "app/client_arguments.h"

#include "base/mem.h"
#include "pg/probe.h"

#include <libpq-fe.h>
#include <string.h>

/* --- psql's command line --------------------------------------------------------------------- */

/* psql's options with a value. */
static const char with_value[] = "cdfFhLoPpRTUv";

/* The long ones that have one, or that are looked for here, as letters. */
static const struct {
	const char *name;
	char letter;
} long_options[] = {
	{ "command", 'c' },
	{ "dbname", 'd' },
	{ "field-separator", 'F' },
	{ "file", 'f' },
	{ "host", 'h' },
	{ "log-file", 'L' },
	{ "no-password", 'w' },
	{ "no-psqlrc", 'X' },
	{ "output", 'o' },
	{ "password", 'W' },
	{ "port", 'p' },
	{ "pset", 'P' },
	{ "record-separator", 'R' },
	{ "set", 'v' },
	{ "table-attr", 'T' },
	{ "username", 'U' },
	{ "variable", 'v' },
};

/* An option, or a word that is none and belongs to none. */
struct word {
	char letter;       /* WORD_PLAIN, WORD_OTHER: a long option that is not in the table */
	const char *value; /* NULL: none */
};

enum { WORD_PLAIN = 0, WORD_OTHER = '-' };

/* On the way through the arguments; zero but for them at its beginning. */
struct walk {
	const struct strlist *arguments;
	size_t next;
	const char *letters; /* that are left of "-qAt"; NULL: none */
	bool options_ended;  /* by "--" */
};

static const char *next_argument(struct walk *walk)
{
	return walk->next < walk->arguments->count ? walk->arguments->items[walk->next++] : NULL;
}

static void take_letter(struct walk *walk, struct word *word)
{
	word->letter = *walk->letters++;
	if (strchr(with_value, word->letter)) {
		word->value = *walk->letters ? walk->letters : next_argument(walk);
		walk->letters = NULL;
	} else if (!*walk->letters) {
		walk->letters = NULL;
	}
}

/* name: behind the dashes; it may be cut where that leaves one meaning only. */
static void take_long(struct walk *walk, const char *name, struct word *word)
{
	const size_t length = strcspn(name, "=");

	word->letter = WORD_OTHER;
	for (size_t i = 0; i < ARRAY_SIZE(long_options) && word->letter == WORD_OTHER; i++)
		if (strncmp(name, long_options[i].name, length) == 0)
			word->letter = long_options[i].letter;
	if (name[length])
		word->value = name + length + 1;
	else if (word->letter != WORD_OTHER && strchr(with_value, word->letter))
		word->value = next_argument(walk);
}

static bool walk_next(struct walk *walk, struct word *word)
{
	const char *argument;

	*word = (struct word){ 0 };
	if (walk->letters) {
		take_letter(walk, word);
		return true;
	}
	argument = next_argument(walk);
	if (argument && !walk->options_ended && strcmp(argument, "--") == 0) {
		walk->options_ended = true;
		argument = next_argument(walk);
	}
	if (!argument)
		return false;
	if (walk->options_ended || argument[0] != '-' || !argument[1]) {
		word->value = argument;
	} else if (argument[1] == '-') {
		take_long(walk, argument + 2, word);
	} else {
		walk->letters = argument + 1;
		take_letter(walk, word);
	}
	return true;
}

/* --- what is looked for ---------------------------------------------------------------------- */

bool client_arguments_no_startup_file(const struct strlist *arguments)
{
	struct walk walk = { .arguments = arguments };
	struct word word;

	while (walk_next(&walk, &word))
		if (word.letter == 'X')
			return true;
	return false;
}

enum client_password_wish client_arguments_password(const struct strlist *arguments)
{
	struct walk walk = { .arguments = arguments };
	enum client_password_wish wish = CLIENT_PASSWORD_AS_NEEDED;
	struct word word;

	while (walk_next(&walk, &word))
		if (word.letter == 'W')
			wish = CLIENT_PASSWORD_ASK;
		else if (word.letter == 'w')
			wish = CLIENT_PASSWORD_NEVER;
	return wish;
}

/* "-qAWt" as "-qAt", and nothing where that leaves no letter. */
static void add_letters(struct strlist *list, const char *argument)
{
	CLEANUP(mem_cleanup) char *rest = mem_strdup(argument);
	char *to = rest + 1;

	for (const char *from = argument + 1; *from; from++) {
		if (*from != 'W')
			*to++ = *from;
		if (strchr(with_value, *from)) {
			memmove(to, from + 1, strlen(from + 1));
			to += strlen(from + 1);
			break;
		}
	}
	*to = '\0';
	if (rest[1])
		strlist_add(list, rest);
}

void client_arguments_drop_password(const struct strlist *arguments, struct strlist *ret_arguments)
{
	struct walk walk = { .arguments = arguments };
	struct word word;
	size_t done = 0;

	while (walk_next(&walk, &word)) {
		const char *first = arguments->items[done];

		/* More letters of the same argument follow. */
		if (walk.letters)
			continue;
		if (!walk.options_ended && first[0] == '-' && first[1] && first[1] != '-')
			add_letters(ret_arguments, first);
		else if (word.letter != 'W')
			strlist_add(ret_arguments, first);
		for (done++; done < walk.next; done++)
			strlist_add(ret_arguments, arguments->items[done]);
	}
	for (; done < arguments->count; done++)
		strlist_add(ret_arguments, arguments->items[done]);
}

/* "options" or "service" of a connection string; NULL: none, or it is no connection string. */
static const char *overruling(const char *text)
{
	PQconninfoOption *options = PQconninfoParse(text, NULL);
	const char *found = NULL;

	for (const PQconninfoOption *option = options; option && option->keyword; option++) {
		if (!option->val)
			continue;
		if (strcmp(option->keyword, "options") == 0)
			found = "options";
		else if (strcmp(option->keyword, "service") == 0 && !found)
			found = "service";
	}
	PQconninfoFree(options);
	return found;
}

static const char *overruled_in_psql(const struct strlist *arguments)
{
	struct walk walk = { .arguments = arguments };
	const char *found = NULL;
	struct word word;

	while (!found && walk_next(&walk, &word))
		if (word.value && (word.letter == 'd' || word.letter == WORD_PLAIN))
			found = overruling(word.value);
	return found;
}

const char *client_arguments_overrule(const struct strlist *arguments, bool is_psql)
{
	const char *found = NULL;

	if (is_psql)
		return overruled_in_psql(arguments);
	for (size_t i = 0; i < arguments->count && !found; i++) {
		const char *argument = arguments->items[i];
		const char *value = argument;

		if (argument[0] == '-' && argument[1] == '-')
			value = strchr(argument, '=') ? strchr(argument, '=') + 1 : argument;
		else if (argument[0] == '-' && argument[1] == 'd' && argument[2])
			value = argument + 2;
		found = overruling(value);
	}
	return found;
}

/* As libpq tells it from the name of a database. */
static bool is_connection_string(const char *text)
{
	return strchr(text, '=') || strncmp(text, "postgresql://", 13) == 0 ||
	       strncmp(text, "postgres://", 11) == 0;
}

/* --- where they lead ------------------------------------------------------------------------- */

/* What psql is told of a connection; borrowed. NULL: nothing, as an empty option says. */
struct named {
	const char *host, *address, *port, *user, *service, *password;
	const char *database; /* or a connection string */
};

static const char *unless_empty(const char *value)
{
	return value && *value ? value : NULL;
}

/* The last -d counts; without one the first plain word is the database, the next one the user. */
static void read_named(const struct strlist *arguments, struct named *named)
{
	struct walk walk = { .arguments = arguments };
	const char *words[2] = { NULL, NULL };
	const char *option = NULL, *user = NULL;
	size_t plain = 0;
	struct word word;

	while (walk_next(&walk, &word)) {
		if (word.letter == 'd')
			option = word.value;
		else if (word.letter == 'h')
			named->host = unless_empty(word.value);
		else if (word.letter == 'p')
			named->port = unless_empty(word.value);
		else if (word.letter == 'U')
			user = word.value;
		else if (word.letter == WORD_PLAIN && plain < ARRAY_SIZE(words))
			words[plain++] = word.value;
	}
	named->database = option ? option : words[0];
	named->user = unless_empty(user ? user : words[option ? 0 : 1]);
}

static bool differs(const struct params *params, const char *keyword, const char *value)
{
	CLEANUP(mem_cleanup) char *own = probe_param(params, keyword);

	return value && strcmp(value, own ? own : "") != 0;
}

static const char *option_of(
	const PQconninfoOption *options, const char *keyword, const char *otherwise)
{
	for (; options->keyword; options++)
		if (strcmp(options->keyword, keyword) == 0)
			return options->val ? options->val : otherwise;
	return otherwise;
}

/* What a connection string has counts before the options of the same, also where it is empty. */
static void read_options(const PQconninfoOption *options, struct named *named)
{
	named->host = option_of(options, "host", named->host);
	named->address = option_of(options, "hostaddr", NULL);
	named->port = option_of(options, "port", named->port);
	named->user = option_of(options, "user", named->user);
	named->service = option_of(options, "service", NULL);
	named->password = option_of(options, "password", NULL);
	named->database = option_of(options, "dbname", NULL);
}

void client_arguments_lead(
	const struct strlist *arguments, const struct params *params, struct client_lead *lead)
{
	struct named named = { 0 };
	PQconninfoOption *options = NULL;
	bool is_string;

	read_named(arguments, &named);
	lead->takes_place = named.database != NULL;
	is_string = named.database && is_connection_string(named.database);
	if (is_string)
		options = PQconninfoParse(named.database, NULL);
	if (options)
		read_options(options, &named);
	lead->other_server =
		(is_string && !options) || named.service || differs(params, "host", named.host) ||
		differs(params, "hostaddr", named.address) || differs(params, "port", named.port);
	lead->elsewhere = lead->other_server || differs(params, "user", named.user);
	/* The database of a connection string need not be there on the target's server. */
	if (!is_string || !lead->other_server)
		lead->database = mem_strdup(unless_empty(named.database));
	/* One that is empty there is none to libpq, which then takes the user's name. */
	if (is_string && !lead->other_server && named.database && !*named.database)
		lead->database = probe_param(params, "user");
	lead->password = mem_strdup(unless_empty(named.password));
	PQconninfoFree(options);
}

void client_lead_release(struct client_lead *lead)
{
	if (lead->password)
		mem_wipe(lead->password, strlen(lead->password));
	mem_free(lead->password);
	mem_free(lead->database);
	*lead = (struct client_lead){ 0 };
}

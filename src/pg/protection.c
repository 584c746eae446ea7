#include "pg/protection.h"

#include "base/mem.h"
#include "base/message.h"
#include "base/rds_endpoint.h"
#include "base/strbuf.h"
#include "base/utf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* --- the mark -------------------------------------------------------------------------------- */

static const char marked[] = PROTECTION_TOKEN "=";
static const char marked_by_hand[] = PROTECTION_TOKEN "]";
static const char lifted[] = "[dbrig:unprotected]";

#define TARGET_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* What follows the word, written as blanks and letters of any case go; NULL: it does not begin so.
 */
static const char *skip_word(const char *text, const char *word)
{
	while (isspace((unsigned char)*text))
		text++;
	return strncasecmp(text, word, strlen(word)) == 0 ? text + strlen(word) : NULL;
}

/* What begins as the mark does was meant to protect, whatever stands behind. */
static size_t by_hand_length(const char *text)
{
	static const char *const words[] = { "[", "dbrig", ":", "protected" };
	const char *at = text;
	size_t rest;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		at = skip_word(at, words[i]);
		if (!at)
			return 0;
	}
	rest = strcspn(at, "[]\n");
	if (at[rest] == ']')
		return (size_t)(at - text) + rest + 1;
	return (size_t)(at - text) + strcspn(at, " \t\r\n[");
}

/* The length of the mark that text begins with; 0: it begins with none. *ret_name: the length of
 * the target's; 0: there is none. */
static size_t mark_length(const char *text, enum protection_mark *ret_mark, size_t *ret_name)
{
	*ret_name = 0;
	if (*text != '[')
		return 0;
	if (strncmp(text, lifted, strlen(lifted)) == 0) {
		*ret_mark = PROTECTION_LIFTED;
		return strlen(lifted);
	}
	*ret_mark = PROTECTION_MARKED;
	if (strncmp(text, marked, strlen(marked)) == 0) {
		size_t name = strspn(text + strlen(marked), TARGET_CHARACTERS);

		if (name > 0 && text[strlen(marked) + name] == ']') {
			*ret_name = name;
			return strlen(marked) + name + 1;
		}
	}
	return by_hand_length(text);
}

enum protection_mark protection_read(const char *comment, char **ret_target)
{
	enum protection_mark found = PROTECTION_UNMARKED, mark;
	const char *target = NULL;
	size_t target_length = 0, name;

	for (const char *at = comment; at && (at = strchr(at, '[')); at++) {
		if (mark_length(at, &mark, &name) == 0)
			continue;
		if (found != PROTECTION_MARKED)
			found = mark;
		if (name > 0) {
			target = at + strlen(marked);
			target_length = name;
		}
	}
	if (target && ret_target)
		*ret_target = mem_strndup(target, target_length);
	return found;
}

/* What is left behind by taking one mark out may be another. */
static void take_marks_out(struct strbuf *text)
{
	enum protection_mark mark;
	size_t name;

	for (size_t i = 0; i < text->length;) {
		size_t length = mark_length(text->data + i, &mark, &name);

		if (length == 0) {
			i++;
			continue;
		}
		/* A blank beside it is the one that was put there with it. */
		if (i > 0 && text->data[i - 1] == ' ') {
			i--;
			length++;
		} else if (i == 0 && text->data[length] == ' ') {
			length++;
		}
		memmove(text->data + i, text->data + i + length, text->length - i - length + 1);
		text->length -= length;
		i = 0;
	}
}

char *protection_write(const char *comment, enum protection_mark mark, const char *target)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT_UNBOUNDED;

	strbuf_adds(&text, comment ? comment : "");
	take_marks_out(&text);
	if (mark != PROTECTION_UNMARKED && text.length > 0)
		strbuf_addc(&text, ' ');
	if (mark == PROTECTION_MARKED && target)
		strbuf_addf(&text, "%s%s]", marked, target);
	else if (mark == PROTECTION_MARKED)
		strbuf_adds(&text, marked_by_hand);
	else if (mark == PROTECTION_LIFTED)
		strbuf_adds(&text, lifted);
	return text.length > 0 ? strbuf_detach(&text) : NULL;
}

char *protection_carry(const char *to, const char *from)
{
	CLEANUP(mem_cleanup) char *target = NULL;
	enum protection_mark mark = protection_read(from, &target);

	return protection_write(to, mark, target);
}

/* --- the signs ------------------------------------------------------------------------------- */

static bool is_word(const char *text, size_t length, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(words[i]) == length && strncasecmp(text, words[i], length) == 0)
			return true;
	return false;
}

bool protection_is_name(const char *target)
{
	static const char *const names[] = { "prod", "production", "prd" };
	static const char *const denials[] = { "non", "not", "no", "pre", "un" };
	bool is_denied = false;

	for (const char *word = target; *word; word += strspn(word, "-_")) {
		const size_t length = strcspn(word, "-_");
		size_t letters = length;

		while (letters > 0 && isdigit((unsigned char)word[letters - 1]))
			letters--;
		if (!is_denied && is_word(word, letters, names, ARRAY_SIZE(names)))
			return true;
		is_denied = is_word(word, length, denials, ARRAY_SIZE(denials));
		word += length;
	}
	return false;
}

/* prod-eu and prod_eu are one target: their variable is the same. */
static bool is_same_name(const char *a, const char *b, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		const int x = a[i] == '-' ? '_' : tolower((unsigned char)a[i]);
		const int y = b[i] == '-' ? '_' : tolower((unsigned char)b[i]);

		if (x != y)
			return false;
	}
	return true;
}

bool protection_lists(const char *list, const char *target)
{
	while (list && *list) {
		size_t length;

		list += strspn(list, PROTECTION_SEPARATORS);
		length = strcspn(list, PROTECTION_SEPARATORS);
		if (length > 0 && length == strlen(target) && is_same_name(list, target, length))
			return true;
		list += length;
	}
	return false;
}

/* The domains under which services give out databases' names, as their documentation has them. */
static const struct {
	const char *domain;
	const char *service;
} services[] = {
	{ "postgres.database.azure.com", "Azure Database for PostgreSQL" },
	{ "postgres.database.usgovcloudapi.net", "Azure Database for PostgreSQL" },
	{ "postgres.database.chinacloudapi.cn", "Azure Database for PostgreSQL" },
	{ "postgres.cosmos.azure.com", "Azure Cosmos DB for PostgreSQL" },
	{ "sql.goog", "Google Cloud SQL" },
	{ "alloydb.goog", "Google AlloyDB" },
	{ "supabase.co", "Supabase" },
	{ "supabase.com", "Supabase" },
	{ "neon.tech", "Neon" },
	{ "neon.build", "Neon" },
	{ "aivencloud.com", "Aiven" },
	{ "db.ondigitalocean.com", "DigitalOcean" },
	{ "postgres.render.com", "Render" },
	{ "rlwy.net", "Railway" },
	{ "railway.app", "Railway" },
	{ "flycast", "Fly.io" },
	{ "fly.dev", "Fly.io" },
	{ "tsdb.cloud.timescale.com", "Timescale" },
	{ "postgresbridge.com", "Crunchy Bridge" },
	{ "psdb.cloud", "PlanetScale" },
	{ "dsql.amazonaws.com", "Amazon Aurora DSQL" },
	{ "compute.amazonaws.com", "Amazon EC2" },
	{ "compute-1.amazonaws.com", "Amazon EC2" },
};

/* host is domain or below it; the root's dot at its end does not matter. */
static bool is_below(const char *host, size_t length, const char *domain)
{
	size_t tail = strlen(domain);

	if (length < tail || strncasecmp(host + length - tail, domain, tail) != 0)
		return false;
	return length == tail || host[length - tail - 1] == '.';
}

const char *protection_service_role(const char *host)
{
	/* As the services' documentation has them. */
	static const char *const roles[][2] = {
		{ "Amazon RDS", "rdsadmin" },
		{ "Google Cloud SQL", "cloudsqlsuperuser" },
		{ "Azure Database for PostgreSQL", "azure_pg_admin" },
		{ "Supabase", "supabase_admin" },
	};
	const char *service = protection_service(host);

	for (size_t i = 0; service && i < ARRAY_SIZE(roles); i++)
		if (strcmp(service, roles[i][0]) == 0)
			return roles[i][1];
	return NULL;
}

const char *protection_service(const char *host)
{
	size_t length = strlen(host);

	/* The sockets of its proxy: /cloudsql/project:region:instance. */
	if (strncmp(host, "/cloudsql/", strlen("/cloudsql/")) == 0)
		return "Google Cloud SQL";
	if (host[0] == '/' || host[0] == '@')
		return NULL;
	if (rds_is_host(host, length))
		return "Amazon RDS";
	if (length > 0 && host[length - 1] == '.')
		length--;
	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		if (is_below(host, length, services[i].domain))
			return services[i].service;
	/* "dpg-abc.frankfurt-postgres.render.com" */
	if (is_below(host, length, "render.com") && length > strlen("-postgres.render.com") &&
		strncasecmp(host + length - strlen("-postgres.render.com"), "-postgres.", 10) == 0)
		return "Render";
	return NULL;
}

/* The first host of a list that belongs to a service; the caller owns it. NULL: none. */
static char *hosted_at(const char *hosts, const char **ret_service)
{
	while (hosts && *hosts) {
		size_t length = strcspn(hosts, ",");
		CLEANUP(mem_cleanup) char *host = mem_strndup(hosts, length);

		*ret_service = protection_service(host);
		if (*ret_service)
			return take_ptr(host);
		hosts += length + (hosts[length] == ',');
	}
	return NULL;
}

char *protection_reason(const struct protection_signs *signs)
{
	CLEANUP(mem_cleanup) char *host = NULL;
	const char *carrier = signs->carrier ? signs->carrier : "it", *service = NULL;

	if (protection_is_name(signs->target))
		return message_line("the target \"%s\" is production by its name", signs->target);
	if (signs->is_listed)
		return message_line(
			"the target \"%s\" is listed in DB_PROTECTED_TARGETS", signs->target);
	if (signs->mark == PROTECTION_MARKED && signs->marked_as)
		return message_line(
			"%s is marked as that of the target \"%s\"", carrier, signs->marked_as);
	if (signs->mark == PROTECTION_MARKED)
		return message_line("%s is marked by hand", carrier);
	if (signs->mark == PROTECTION_UNMARKED && signs->was_marked_as)
		return message_line(
			"it was marked as that of the target \"%s\", and its mark is gone",
			signs->was_marked_as);
	if (signs->twin)
		return message_line("%s leads to the same database", signs->twin);
	if (signs->mark == PROTECTION_LIFTED)
		return NULL;
	host = hosted_at(signs->host, &service);
	if (host)
		return message_line("its host %s is one of %s", host, service);
	if (signs->address)
		return message_line("its server %s is on the internet", signs->address);
	return NULL;
}

/* --- the decision ---------------------------------------------------------------------------- */

struct code_range {
	uint32_t first, last;
};

static bool is_in(uint32_t code, const struct code_range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

static bool is_letter(uint32_t code)
{
	/* By blocks: punctuation, symbols, private use, pictographs. */
	static const struct code_range others[] = { { 0x80, 0xBF }, { 0xD7, 0xD7 }, { 0xF7, 0xF7 },
		{ 0x2000, 0x2BFF }, { 0x2E00, 0x303F }, { 0xE000, 0xF8FF }, { 0xFE00, 0xFE6F },
		{ 0xFF00, 0xFF20 }, { 0x1F000, 0x1FFFF }, { 0xE0000, 0x10FFFF } };

	return code < 0x80 ? isalpha((int)code) != 0 : !is_in(code, others, ARRAY_SIZE(others));
}

/* Thai to Burmese, Khmer, Chinese and Japanese are written without blanks. */
static bool is_word_alone(uint32_t code)
{
	static const struct code_range scripts[] = { { 0xE00, 0xEFF }, { 0x1000, 0x109F },
		{ 0x1780, 0x17FF }, { 0x3041, 0x30FF }, { 0x3400, 0x9FFF }, { 0xF900, 0xFAFF },
		{ 0x20000, 0x3FFFF } };

	return is_in(code, scripts, ARRAY_SIZE(scripts));
}

bool protection_is_consent(const char *words)
{
	size_t left = words ? strlen(words) : 0, size, count = 0;
	bool in_word = false; /* one that was counted */

	for (; left > 0; words += size, left -= size) {
		uint32_t code;

		size = utf8_decode(words, left, &code);
		if (size == 0) {
			size = 1;
		} else if (code < 0x80 && isspace((int)code)) {
			in_word = false;
		} else if (is_letter(code) && (!in_word || is_word_alone(code))) {
			in_word = true;
			count++;
		}
	}
	return count >= 2;
}

enum protection_verdict protection_decide(const struct protection_case *request)
{
	if (request->confirm && strcmp(request->confirm, request->database) != 0)
		return PROTECTION_OTHER_CONFIRM;
	if (!request->is_protected)
		return PROTECTION_ALLOWED;
	if (request->is_agent && !protection_is_consent(request->consent))
		return PROTECTION_NO_CONSENT;
	if (request->confirm)
		return PROTECTION_ALLOWED;
	/* What answers a question there may be the agent itself. */
	if (request->is_agent || !request->has_terminal)
		return PROTECTION_UNCONFIRMED;
	if (!request->typed)
		return PROTECTION_ASK;
	return strcmp(request->typed, request->database) == 0 ? PROTECTION_ALLOWED
							      : PROTECTION_OTHER_TYPED;
}

/* --- agents ---------------------------------------------------------------------------------- */

/*
 * What they set for the commands they run, by their documentation or source (gathered in Prisma's
 * safety checkpoint, prisma/orm#29684, and @vercel/detect-agent). Not what an editor sets for a
 * person's terminal as well.
 */
const char *const protection_agent_variables[] = { "AI_AGENT", "AGENT", "CLAUDECODE", "CLAUDE_CODE",
	"CURSOR_AGENT", "GEMINI_CLI", "CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED",
	"CODEX_THREAD_ID", "CODEX_CI", "COPILOT_CLI", "OPENCODE", "OPENCODE_CLIENT", "QWEN_CODE",
	"CLINE_ACTIVE", "AUGMENT_AGENT", "ANTIGRAVITY_AGENT", "CRUSH", "GOOSE_TERMINAL",
	"AMP_CURRENT_THREAD_ID", NULL };

/* Where one runs everything, with nothing in the environment. */
#define DEVIN_FILE "/opt/.devin"

const char *protection_agent(void)
{
	const char *own = getenv("DBRIG_AGENT");
	const char *replit = getenv("REPLIT_SESSION");

	if (own && *own)
		return strcmp(own, "0") == 0 ? NULL : "DBRIG_AGENT";
	for (size_t i = 0; protection_agent_variables[i]; i++) {
		const char *value = getenv(protection_agent_variables[i]);

		if (value && *value)
			return protection_agent_variables[i];
	}
	/* A person's has another form. */
	if (replit && strncmp(replit, "agent-", strlen("agent-")) == 0)
		return "REPLIT_SESSION";
	return access(DEVIN_FILE, F_OK) == 0 ? DEVIN_FILE : NULL;
}

/* Only an = gives an option a value that looks like another. */
char *protection_confirm_option(const char *database)
{
	CLEANUP(mem_cleanup) char *word = message_shell_word(database);

	return mem_printf("--confirm%c%s", strncmp(database, "--", 2) == 0 ? '=' : ' ', word);
}

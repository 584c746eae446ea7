#include "unit.h"

#include "base/mem.h"
#include "params_text.h"

/* url: what params_url gives for the parameters of text; NULL: text itself. */
static const struct {
	const char *text, *url;
} cases[] = {
	{ "postgresql://me@h:12345/db", NULL },
	{ "postgresql://h/db", NULL },
	{ "postgresql://h", NULL },
	{ "postgresql://me@/db", NULL },
	{ "postgresql:///db", NULL },
	{ "postgresql://me@/", NULL },
	{ "postgresql://[::1]:12345/db", NULL },
	{ "postgresql://me@[fe80::1%25eth0]:1/d", NULL },
	{ "postgresql://m%40e@h/d%2Fb", NULL },
	{ "postgresql://h/d%22b%20%27%23%3F%C3%A9%25", NULL },
	{ "postgresql://me@/db?host=/path/to%20it&port=5433", NULL },
	{ "postgresql://h/db?options=-c%20a%3Db%26c", NULL },
	{ "postgresql://h/db?sslmode=verify-full&sslrootcert=/a%3F/b.pem", NULL },
	{ "postgresql://h/db?hostaddr=127.0.0.1", NULL },
	{ "postgresql:///db?hostaddr=127.0.0.1&port=7", NULL },
	{ "postgresql:///db?service=x", NULL },
	/* several hosts */
	{ "postgresql://me@a:1,b:2/db?target_session_attrs=any",
		"postgresql://me@/db?host=a%2Cb&port=1%2C2&target_session_attrs=any" },
	{ "postgresql://a,[::1]/db?port=7", "postgresql:///db?host=a%2C%3A%3A1&port=7" },
	{ "host=/a,b port=1, dbname=d", "postgresql:///d?host=/a%2Cb&port=1%2C" },
	{ "host='a b' dbname=d", "postgresql:///d?host=a%20b" },
	/* no secret */
	{ "postgresql://me:pw@h/db", "postgresql://me@h/db" },
	{ "postgresql://me@h/db?sslpassword=pw&sslkey=k", "postgresql://me@h/db?sslkey=k" },
};

/* What a URL must not have. */
static void remove_secrets(struct params *params)
{
	params_set(params, "password", NULL);
	params_set(params, "sslpassword", NULL);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct param *)a)->keyword, ((const struct param *)b)->keyword);
}

static char *sorted_text(struct params *params)
{
	qsort(params->items, params->count, sizeof(*params->items), compare);
	return params_text(params);
}

static void test_round_trip(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(params_release) struct params params = PARAMS_INIT;
		CLEANUP(params_release) struct params again = PARAMS_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;
		CLEANUP(mem_cleanup) char *url = NULL;
		CLEANUP(mem_cleanup) char *before = NULL;
		CLEANUP(mem_cleanup) char *after = NULL;

		check_number(cases[i].text, params_parse(&params, "URL", cases[i].text, &err), 0);
		url = params_url(&params, params_get(&params, "dbname"));
		check_text(cases[i].text, url, cases[i].url ? cases[i].url : cases[i].text);
		check_number(url, params_parse(&again, "URL", url, &err), 0);
		remove_secrets(&params);
		before = sorted_text(&params);
		after = sorted_text(&again);
		check_text(cases[i].text, after, before);
	}
}

/* Every byte a name can hold survives. */
static void test_bytes(void **state)
{
	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		const char name[] = { 'a', (char)byte, 'b', '\0' };
		CLEANUP(params_release) struct params params = PARAMS_INIT;
		CLEANUP(params_release) struct params again = PARAMS_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;
		CLEANUP(mem_cleanup) char *url = NULL;

		params_set(&params, "host", "h");
		params_set(&params, "user", name);
		params_set(&params, "application_name", name);
		url = params_url(&params, name);
		check_number(url, params_parse(&again, "URL", url, &err), 0);
		check_text(url, params_get(&again, "user"), name);
		check_text(url, params_get(&again, "dbname"), name);
		check_text(url, params_get(&again, "application_name"), name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_round_trip),
		UNIT_TEST(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

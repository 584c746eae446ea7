#include "web_services.h"

#include "aws/public_address.h"
#include "base/clock.h"
#include "base/interrupt.h"

/* --- what is made of their answers ----------------------------------------------------------- */

#define NO_ADDRESS "\" is not an IPv4 address"
#define FIFTY "20.1.1.120.1.1.120.1.1.120.1.1.120.1.1.120.1.1.120."

static const struct {
	const char *label;
	struct reply replies[MAX_SERVERS + 1];
	enum err_kind kind;
	const char *address; /* NULL: none */
	const char *message, *detail;
} cases[] = {
	{ "two agree", { SAYS("20.1.1.1"), SAYS("20.1.1.1\n") }, ERR_NONE, "20.1.1.1", NULL, NULL },
	{ "two of three agree", { SAYS("20.1.1.1"), SAYS("20.1.1.9"), SAYS("20.1.1.1") }, ERR_NONE,
		"20.1.1.1", NULL, NULL },
	{ "two agree, the others fail",
		{ REFUSES, SAYS("20.1.1.1"), FAILS("500 Internal Server Error"), SAYS("20.1.1.1") },
		ERR_NONE, "20.1.1.1", NULL, NULL },
	{ "two disagree", { SAYS("20.1.1.1"), SAYS("20.1.1.9") }, ERR_FAILED, NULL,
		"public address disputed: ", NULL },
	{ "three disagree", { SAYS("20.1.1.1"), SAYS("20.1.1.9"), SAYS("20.1.1.7") }, ERR_FAILED,
		NULL, " says 20.1.1.7", NULL },
	{ "a web page", { SAYS("20.1.1.1"), SAYS("<html>20.1.1.1</html>") }, ERR_FAILED, NULL,
		"could not find out the public IPv4 address: no two services of different "
		"operators said one",
		NO_ADDRESS },
	{ "nothing", { SAYS("20.1.1.1"), SAYS("") }, ERR_FAILED, NULL, "could not find",
		NO_ADDRESS },
	{ "65 bytes", { SAYS("20.1.1.1"), SAYS(FIFTY "20.1.1.120.1.1") }, ERR_FAILED, NULL,
		"could not find", "\" is longer than 64 bytes" },
	{ "64 bytes", { SAYS("20.1.1.1"), SAYS(FIFTY "20.1.1.120.1.") }, ERR_FAILED, NULL,
		"could not find", NO_ADDRESS },
	{ "two newlines", { SAYS("20.1.1.1"), SAYS("20.1.1.1\n\n") }, ERR_FAILED, NULL,
		"could not find", NO_ADDRESS },
	{ "a carriage return", { SAYS("20.1.1.1"), SAYS("20.1.1.1\r\n") }, ERR_FAILED, NULL,
		"could not find", NO_ADDRESS },
	{ "a list", { SAYS("20.1.1.1"), SAYS("20.1.1.1, 20.1.1.1") }, ERR_FAILED, NULL,
		"could not find", NO_ADDRESS },
	{ "a prefix", { SAYS("20.1.1.1"), SAYS("20.1.1.1/32") }, ERR_FAILED, NULL, "could not find",
		NO_ADDRESS },
	{ "a NUL", { SAYS("20.1.1.1"), SAYS("20.1.1.1\0") }, ERR_FAILED, NULL, "could not find",
		NO_ADDRESS },
	{ "the other family", { SAYS("20.1.1.1"), SAYS("2a01::1") }, ERR_FAILED, NULL,
		"could not find", NO_ADDRESS },
	{ "both of the other family", { SAYS("2a01::1"), SAYS("2a01::1") }, ERR_FAILED, NULL,
		"could not find", NO_ADDRESS },
	{ "the other family's form", { SAYS("::ffff:20.1.1.1"), SAYS("::ffff:20.1.1.1") },
		ERR_FAILED, NULL, "could not find", NO_ADDRESS },
	{ "status 500", { SAYS("20.1.1.1"), FAILS("500 Internal Server Error") }, ERR_FAILED, NULL,
		"could not find", "\" answered with status 500" },
	{ "status 204", { SAYS("20.1.1.1"), { "204 No Content", "", 0 } }, ERR_FAILED, NULL,
		"could not find", "\" answered with status 204" },
	{ "not global", { SAYS("10.0.0.1"), SAYS("10.0.0.1") }, ERR_FAILED, NULL,
		" say, is not a public address: a private network (RFC 1918)", NULL },
	{ "one not global", { SAYS("20.1.1.1"), SAYS("100.64.3.7") }, ERR_FAILED, NULL,
		" says 100.64.3.7", NULL },
	{ "only one reached", { SAYS("20.1.1.1"), REFUSES, REFUSES }, ERR_CONNECT, NULL,
		"could not find out the public IPv4 address: no two services of different "
		"operators said one",
		"\" says 20.1.1.1\ncould not connect to \"127.0.0.1:" },
	{ "none reached", { REFUSES, REFUSES }, ERR_CONNECT, NULL, "could not find",
		": connection refused\ncould not connect to \"127.0.0.1:" },
	{ "one hangs up", { SAYS("20.1.1.1"), HANGS_UP }, ERR_CONNECT, NULL, "could not find",
		"\" was lost" },
};

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(err_release) struct err err = ERR_INIT;
		struct servers servers;
		struct address address = { 0 };
		char buffer[ADDRESS_TEXT_SIZE];
		const char *label = cases[i].label;
		int result;

		start(&servers, 4, cases[i].replies);
		result = public_address_find(4, servers.urls, &address, &err);
		stop(&servers);
		check_number(label, result, cases[i].kind == ERR_NONE ? 0 : -1);
		check_number(label, err.kind, cases[i].kind);
		check_text(label, address.family ? address_format(&address, buffer) : NULL,
			cases[i].address);
		check_holds(label, err.message, cases[i].message);
		check_holds(label, err.detail, cases[i].detail);
		check_holds(label, err.hint, err.kind ? "--ip." : NULL);
	}
}

static void test_disagreement_names_who_said_what(void **state)
{
	static const struct reply replies[] = { SAYS("20.1.1.1"), FAILS("404 Not Found"),
		SAYS("20.1.1.9"), { 0 } };
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(mem_cleanup) char *expected = NULL;
	struct servers servers;
	struct address address;

	(void)state;
	start(&servers, 4, replies);
	check_number("result", public_address_find(4, servers.urls, &address, &err), -1);
	expected = mem_printf("public address disputed: 127.0.0.1:%d says 20.1.1.1, 127.0.0.1:%d "
			      "says 20.1.1.9",
		servers.ports[0], servers.ports[2]);
	check_err("disputed", &err, ERR_FAILED, expected);
	stop(&servers);
}

static void test_hanging_service_is_not_waited_for(void **state)
{
	static const struct reply replies[] = { HANGS, SAYS("20.1.1.1"), HANGS, SAYS("20.1.1.1"),
		{ 0 } };
	CLEANUP(err_release) struct err err = ERR_INIT;
	struct servers servers;
	struct address address;
	int64_t begin;

	(void)state;
	start(&servers, 4, replies);
	begin = clock_ms();
	check_number("result", public_address_find(4, servers.urls, &address, &err), 0);
	check_number("within two seconds", clock_ms() - begin < 2000, true);
	stop(&servers);
}

static void test_hanging_services_have_five_seconds(void **state)
{
	static const struct reply replies[] = { HANGS, SAYS("20.1.1.1"), { 0 } };
	CLEANUP(err_release) struct err err = ERR_INIT;
	struct servers servers;
	struct address address;
	int64_t begin, took;

	(void)state;
	start(&servers, 4, replies);
	begin = clock_ms();
	check_number("result", public_address_find(4, servers.urls, &address, &err), -1);
	took = clock_ms() - begin;
	check_number("about five seconds", took > 4000 && took < 8000, true);
	check_number("kind", err.kind, ERR_CONNECT);
	check_holds("detail", err.detail, "\" within 5 s");
	stop(&servers);
}

static void test_ipv6(void **state)
{
	static const struct {
		const char *label;
		struct reply replies[3];
		enum err_kind kind;
		const char *address, *message;
	} v6_cases[] = {
		{ "two agree", { SAYS("2A01:4f8:0::1"), SAYS("2a01:4f8::1\n") }, ERR_NONE,
			"2a01:4f8::1", NULL },
		{ "IPv4", { SAYS("20.1.1.1"), SAYS("20.1.1.1") }, ERR_FAILED, NULL,
			"could not find out the public IPv6 address" },
		{ "IPv4 in IPv6", { SAYS("::ffff:20.1.1.1"), SAYS("::ffff:20.1.1.1") }, ERR_FAILED,
			NULL, "an IPv4 address in IPv6 form" },
		{ "not global", { SAYS("fd00::1"), SAYS("fd00::1") }, ERR_FAILED, NULL,
			"a private network (RFC 4193)" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(v6_cases) && has_family(6); i++) {
		CLEANUP(err_release) struct err err = ERR_INIT;
		struct servers servers;
		struct address address = { 0 };
		char buffer[ADDRESS_TEXT_SIZE];

		start(&servers, 6, v6_cases[i].replies);
		public_address_find(6, servers.urls, &address, &err);
		stop(&servers);
		check_number(v6_cases[i].label, err.kind, v6_cases[i].kind);
		check_text(v6_cases[i].label,
			address.family ? address_format(&address, buffer) : NULL,
			v6_cases[i].address);
		check_holds(v6_cases[i].label, err.message, v6_cases[i].message);
	}
}

/* The name has both; only IPv4 answers. */
static void test_only_the_family_asked_for_is_used(void **state)
{
	static const struct reply replies[] = { SAYS("2a01:4f8::1"), SAYS("2a01:4f8::1"), { 0 } };
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(mem_cleanup) char *urls = NULL;
	struct servers servers;
	struct address address;

	(void)state;
	start(&servers, 4, replies);
	urls = mem_printf(
		"http://localhost:%d/ http://localhost:%d/", servers.ports[0], servers.ports[1]);
	check_number("result", public_address_find(6, urls, &address, &err), -1);
	check_number("kind", err.kind, ERR_CONNECT);
	check_number("requests", servers.records[0].requests + servers.records[1].requests, 0);
	stop(&servers);
}

static void test_same_operator_does_not_agree_with_itself(void **state)
{
	static const struct reply replies[] = { SAYS("20.1.1.1"), REFUSES, { 0 } };
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(mem_cleanup) char *urls = NULL;
	struct servers servers;
	struct address address;

	(void)state;
	start(&servers, 4, replies);
	urls = mem_printf("http://127.0.0.1:%d/a http://127.0.0.1:%d/b %s", servers.ports[0],
		servers.ports[0], servers.urls);
	check_number("result", public_address_find(4, urls, &address, &err), -1);
	check_number("kind", err.kind, ERR_CONNECT);
	check_number("requests", servers.records[0].requests, 3);
	stop(&servers);
}

static void test_same_operator_twice_beside_another(void **state)
{
	static const struct reply replies[] = { SAYS("20.1.1.1"), SAYS("20.1.1.9"), { 0 } };
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(mem_cleanup) char *urls = NULL;
	struct servers servers;
	struct address address;

	(void)state;
	start(&servers, 4, replies);
	urls = mem_printf("http://127.0.0.1:%d/a,%s", servers.ports[0], servers.urls);
	check_number("result", public_address_find(4, urls, &address, &err), -1);
	check_number("kind", err.kind, ERR_FAILED);
	check_holds("message", err.message, "public address disputed: ");
	stop(&servers);
}

static void test_redirect_is_not_followed(void **state)
{
	static char status[128];
	struct reply replies[] = { SAYS("20.1.1.1"), { status, "", 0 }, { 0 } };
	CLEANUP(err_release) struct err err = ERR_INIT;
	struct servers servers, other;
	struct address address;

	(void)state;
	start(&other, 4, replies);
	snprintf(status, sizeof(status), "302 Found\r\nLocation: http://127.0.0.1:%d/",
		other.ports[0]);
	start(&servers, 4, replies);
	check_number("result", public_address_find(4, servers.urls, &address, &err), -1);
	check_holds("detail", err.detail, "\" answered with status 302");
	check_number("requests", other.records[0].requests, 0);
	stop(&servers);
	stop(&other);
}

static void set_proxies(const char *proxy)
{
	static const char *const names[] = { "http_proxy", "https_proxy", "HTTPS_PROXY",
		"all_proxy", "ALL_PROXY" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		setenv(names[i], proxy, 1);
}

/* Of https only the CONNECT would be seen, and only by a proxy. */
static void test_proxy_is_not_used(void **state)
{
	static const struct reply replies[] = { SAYS("20.1.1.1"), SAYS("20.1.1.1"),
		SAYS("20.9.9.9"), { 0 } };
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(mem_cleanup) char *urls = NULL;
	CLEANUP(mem_cleanup) char *tls_urls = NULL;
	CLEANUP(mem_cleanup) char *proxy = NULL;
	struct servers servers;
	struct address address;

	(void)state;
	start(&servers, 4, replies);
	urls = mem_printf(
		"http://127.0.0.1:%d/ http://127.0.0.1:%d/", servers.ports[0], servers.ports[1]);
	tls_urls = mem_printf(
		"https://127.0.0.1:%d/ https://127.0.0.1:%d/", servers.ports[0], servers.ports[1]);
	proxy = mem_printf("http://127.0.0.1:%d", servers.ports[2]);
	set_proxies(proxy);
	check_number("http", public_address_find(4, urls, &address, &err), 0);
	check_number("https", public_address_find(4, tls_urls, &address, &err), -1);
	check_holds("detail", err.detail, "\nThe proxy of the environment was not used: ");
	check_number("requests of the proxy", servers.records[2].requests, 0);
	stop(&servers);
}

static void test_request_says_nothing_about_the_caller(void **state)
{
	static const struct reply replies[] = { SAYS("20.1.1.1"), SAYS("20.1.1.1"), { 0 } };
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(mem_cleanup) char *expected = NULL;
	struct servers servers;
	struct address address;

	(void)state;
	start(&servers, 4, replies);
	check_number("result", public_address_find(4, servers.urls, &address, &err), 0);
	expected = mem_printf("GET /ip HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
			      "User-Agent: dbrig/" DBRIG_VERSION "\r\nAccept: */*\r\n\r\n",
		servers.ports[0]);
	check_text("request", servers.records[0].last, expected);
	stop(&servers);
}

static void test_own_certificates(void **state)
{
	static const char *const names[] = { "CURL_CA_BUNDLE", "SSL_CERT_FILE" };
	static const struct reply replies[] = { HANGS_UP, HANGS_UP, { 0 } };
	CLEANUP(mem_cleanup) char *urls = NULL;
	struct servers servers;
	struct address address;

	(void)state;
	start(&servers, 4, replies);
	urls = mem_printf(
		"https://127.0.0.1:%d/ https://127.0.0.1:%d/", servers.ports[0], servers.ports[1]);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(err_release) struct err err = ERR_INIT;

		setenv(names[i], "/nowhere/ca.pem", 1);
		check_number(names[i], public_address_find(4, urls, &address, &err), -1);
		check_holds(
			names[i], err.detail, "could not read the CA bundle \"/nowhere/ca.pem\"");
		unsetenv(names[i]);
	}
	stop(&servers);
}

/* --- which services may be asked ------------------------------------------------------------- */

#define TOO_FEW                                                                                    \
	"cannot trust fewer than two services of different operators with the public address"

static void test_services_refused(void **state)
{
	static const struct {
		const char *services;
		const char *message;
	} refused[] = {
		{ "", TOO_FEW },
		{ " ,, \n", TOO_FEW },
		{ "https://api.ipify.org", TOO_FEW },
		{ "https://api.ipify.org https://API.ipify.org/x", TOO_FEW },
		{ "https://api.ipify.org, https://api4.ipify.org/", TOO_FEW },
		{ "https://ipify.org https://a.b.ipify.org https://ipify.org.", TOO_FEW },
		{ "https://a.example.co.uk https://b.example.co.uk", TOO_FEW },
		{ "https://20.1.1.1 https://20.1.1.1:8443", TOO_FEW },
		{ "https://[2a01::1] https://[2a01::1]:8443", TOO_FEW },
		{ "https://127.0.0.1:1/a https://127.0.0.1:1/b", TOO_FEW },
		{ "http://api.ipify.org https://ifconfig.me/ip",
			"cannot ask service 1 of DB_SG_IP_URLS for the public address: http "
			"without "
			"TLS is only for addresses of this machine" },
		{ "https://ifconfig.me https://me:pa55@api.ipify.org",
			"cannot ask service 2 of DB_SG_IP_URLS for the public address: it holds a "
			"user name or a password" },
		{ "ifconfig.me api.ipify.org",
			"cannot ask service 1 of DB_SG_IP_URLS for the public address: it is not a "
			"URL" },
		{ "https://a.test https://b.test https://c.test https://d.test https://e.test "
		  "https://f.test https://g.test https://h.test https://i.test https://j.test "
		  "https://k.test https://l.test https://m.test https://n.test https://o.test "
		  "https://p.test https://q.test",
			"cannot ask more than 16 services for the public address" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		CLEANUP(err_release) struct err err = ERR_INIT;
		struct address address;

		check_number(refused[i].services,
			public_address_find(4, refused[i].services, &address, &err), -1);
		check_err(refused[i].services, &err, ERR_USAGE, refused[i].message);
	}
}

/* The kind of failure when a signal has come: nothing is asked then, only the list is read. */
static int interrupted_kind(int family, const char *services)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		struct err err = ERR_INIT;
		struct address address;

		interrupt_install();
		raise(SIGTERM);
		public_address_find(family, services, &address, &err);
		_exit((int)err.kind);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_services_accepted(void **state)
{
	static const char *const accepted[] = {
		"https://api.ipify.org https://ifconfig.me/ip",
		"https://api.ipify.org,https://api4.ipify.org,https://ifconfig.me/ip",
		"\thttps://a.one.co.uk\r\nhttps://a.two.co.uk\n",
		"https://ipify.org https://ipify.com",
		"https://20.1.1.1 https://20.1.1.2",
		"https://[2a01::1] https://[2a01::2]",
		"http://127.0.0.1:1 http://127.0.0.1:2",
		"http://localhost:1 http://localhost:2",
		"http://[::1]:1 http://[::1]:2",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(accepted); i++)
		check_number(accepted[i], interrupted_kind(4, accepted[i]), ERR_INTERRUPTED);
	check_number("IPv4's own", interrupted_kind(4, NULL), ERR_INTERRUPTED);
	check_number("IPv6's own", interrupted_kind(6, NULL), ERR_INTERRUPTED);
	check_number("for comparison", interrupted_kind(4, ""), ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_answers),
		UNIT_TEST(test_disagreement_names_who_said_what),
		UNIT_TEST(test_hanging_service_is_not_waited_for),
		UNIT_TEST(test_hanging_services_have_five_seconds),
		UNIT_TEST(test_ipv6),
		UNIT_TEST(test_only_the_family_asked_for_is_used),
		UNIT_TEST(test_same_operator_does_not_agree_with_itself),
		UNIT_TEST(test_same_operator_twice_beside_another),
		UNIT_TEST(test_redirect_is_not_followed),
		UNIT_TEST(test_proxy_is_not_used),
		UNIT_TEST(test_request_says_nothing_about_the_caller),
		UNIT_TEST(test_own_certificates),
		UNIT_TEST(test_services_refused),
		UNIT_TEST(test_services_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

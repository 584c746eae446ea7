#include "aws/public_address.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SERVICES 16
#define MAX_ANSWER 64
#define CONNECT_MS 3000
#define TOTAL_MS 5000

static const char services_v4[] =
	"https://checkip.amazonaws.com/ https://api.ipify.org/ https://ipv4.icanhazip.com/ "
	"https://ifconfig.me/ip";
static const char services_v6[] =
	"https://checkip.amazonaws.com/ https://api6.ipify.org/ https://ipv6.icanhazip.com/ "
	"https://ifconfig.me/ip";

struct service {
	char *url;
	char *host;       /* with a port that is not the usual one */
	char *domain;     /* equal for those that may not count as two */
	bool is_usable;   /* it has said the address */
	bool is_unusable; /* it has said something else */
	struct address address;
	char *problem; /* why there is no address, a phrase; NULL: none known */
};

struct search {
	int family;
	struct service services[MAX_SERVICES];
	size_t count;
	const struct service *agreed[2]; /* NULL: not yet */
};

static void search_release(struct search *search)
{
	for (size_t i = 0; i < search->count; i++) {
		mem_free(search->services[i].url);
		mem_free(search->services[i].host);
		mem_free(search->services[i].domain);
		mem_free(search->services[i].problem);
	}
	search->count = 0;
}

/* --- which services -------------------------------------------------------------------------- */

static bool is_loopback(const struct address *address)
{
	static const unsigned char one[16] = { [15] = 1 };

	return address->family == 4 ? address->bytes[0] == 127
				    : memcmp(address->bytes, one, sizeof(one)) == 0;
}

/* The beginning of the domain that a host is in, taken for what its owner has registered. */
static size_t registered_start(const char *host, size_t length)
{
	unsigned labels = 0;
	size_t end = length;

	for (size_t i = length; i > 0; i--) {
		if (host[i - 1] != '.')
			continue;
		labels++;
		/* A short second label as in "co.uk" belongs to the registry. */
		if (labels > 2 || (labels == 2 && end - i > 3))
			return i;
		end = i - 1;
	}
	return 0;
}

/* Who runs the service, from HOST, HOST:PORT or [ADDRESS]:PORT; the caller owns it. */
static char *domain_of(const char *host)
{
	bool bracket = host[0] == '[';
	const char *name = host + (bracket ? 1 : 0);
	size_t length = strcspn(name, bracket ? "]" : ":");
	struct address address;
	size_t start;

	if (address_parse(name, length, &address))
		return is_loopback(&address) ? mem_strdup(host) : mem_strndup(name, length);
	if (length == strlen("localhost") && memcmp(name, "localhost", length) == 0)
		return mem_strdup(host);
	if (length > 0 && name[length - 1] == '.')
		length--;
	start = registered_start(name, length);
	return mem_strndup(name + start, length - start);
}

static int add_service(struct search *search, const char *text, size_t length, struct err *err)
{
	CLEANUP(mem_cleanup) char *url = mem_strndup(text, length);
	const char *why = http_refuses(url, false);
	struct service *service;

	/* By its number: a URL may hold a password. */
	if (*why)
		return err_set(err, ERR_USAGE,
			"cannot ask service %zu of DB_SG_IP_URLS for the public address: %s",
			search->count + 1, why);
	if (search->count == MAX_SERVICES)
		return err_set(err, ERR_USAGE,
			"cannot ask more than %d services for the public address", MAX_SERVICES);
	service = &search->services[search->count++];
	*service = (struct service){ .host = http_host(url) };
	service->domain = domain_of(service->host);
	service->url = take_ptr(url);
	return 0;
}

static bool has_two_operators(const struct search *search)
{
	for (size_t i = 1; i < search->count; i++) {
		if (strcmp(search->services[0].domain, search->services[i].domain) != 0)
			return true;
	}
	return false;
}

static int list_services(struct search *search, const char *text, struct err *err)
{
	static const char separators[] = ", \t\r\n";

	while (*(text += strspn(text, separators))) {
		size_t length = strcspn(text, separators);

		if (add_service(search, text, length, err) != 0)
			return -1;
		text += length;
	}
	if (has_two_operators(search))
		return 0;
	err_set(err, ERR_USAGE,
		"cannot trust fewer than two services of different operators with the public "
		"address");
	err_hint(err, "Name at least two in DB_SG_IP_URLS, or pass the address with --ip.");
	return -1;
}

/* --- what they say --------------------------------------------------------------------------- */

/* NULL when the service has said the address; otherwise why not, which the caller owns. */
static char *read_answer(const struct service *service, const struct http_response *response,
	int family, struct address *ret_address)
{
	const char *body = response->body.data;
	size_t length = response->body.length;
	struct address address;

	if (response->status != 200)
		return mem_printf(
			"\"%s\" answered with status %ld", service->host, response->status);
	if (length > MAX_ANSWER)
		return mem_printf(
			"the answer of \"%s\" is longer than %d bytes", service->host, MAX_ANSWER);
	if (length > 0 && body[length - 1] == '\n')
		length--;
	if (!address_parse(body, length, &address) || address.family != family)
		return mem_printf(
			"the answer of \"%s\" is not an IPv%d address", service->host, family);
	*ret_address = address;
	return NULL;
}

/* An http_done_fn: enough once two operators say the same. */
static bool on_done(void *context, size_t index, const struct http_response *response)
{
	struct search *search = context;
	struct service *service = &search->services[index];

	if (!response->done) {
		service->problem = mem_strdup(response->failure);
		return false;
	}
	service->problem = read_answer(service, response, search->family, &service->address);
	service->is_usable = !service->problem;
	service->is_unusable = !service->is_usable;
	for (size_t i = 0; service->is_usable && i < search->count; i++) {
		const struct service *other = &search->services[i];

		if (!other->is_usable || strcmp(other->domain, service->domain) == 0 ||
			!address_equal(&other->address, &service->address))
			continue;
		search->agreed[0] = other;
		search->agreed[1] = service;
		return true;
	}
	return false;
}

/* libcurl itself does not look at them; NULL: the system's certificates. */
static const char *ca_bundle(void)
{
	static const char *const names[] = { "SSL_CERT_FILE", "CURL_CA_BUNDLE" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return value;
	}
	return NULL;
}

/* Not through struct http's other users: no connection here ever carries credentials. */
static int ask(struct search *search, struct err *err)
{
	CLEANUP(http_cleanup) struct http *http = NULL;
	struct http_request requests[MAX_SERVICES] = { 0 };
	struct http_response responses[MAX_SERVICES];
	int result;

	if (http_open(&http, err) != 0)
		return -1;
	for (size_t i = 0; i < search->count; i++) {
		requests[i] = (struct http_request){
			.method = "GET",
			.url = search->services[i].url,
			.family = search->family,
			.direct = true,
			.ca_bundle = ca_bundle(),
			.connect_ms = CONNECT_MS,
			.total_ms = TOTAL_MS,
		};
		responses[i] = (struct http_response)HTTP_RESPONSE_INIT;
	}
	result = http_perform_all(http, requests, search->count, responses, on_done, search, err);
	for (size_t i = 0; i < search->count; i++)
		http_response_release(&responses[i]);
	return result;
}

/* --- what comes of it ------------------------------------------------------------------------ */

static bool has_proxy(void)
{
	static const char *const names[] = { "https_proxy", "HTTPS_PROXY", "all_proxy",
		"ALL_PROXY" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return true;
	}
	return false;
}

/* Two operators have said something, so they disagree. */
static bool is_disputed(const struct search *search)
{
	const struct service *first = NULL;

	for (size_t i = 0; i < search->count; i++) {
		const struct service *service = &search->services[i];

		if (!service->is_usable)
			continue;
		if (first && strcmp(first->domain, service->domain) != 0)
			return true;
		if (!first)
			first = service;
	}
	return false;
}

static int disputed(const struct search *search, struct err *err)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	char buffer[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < search->count; i++) {
		const struct service *service = &search->services[i];

		if (service->is_usable)
			strbuf_addf(&text, "%s%s says %s", text.length ? ", " : "", service->host,
				address_format(&service->address, buffer));
	}
	err_set(err, ERR_FAILED, "public address disputed: %s", text.data);
	err_hint(err, "Pass the right one with --ip.");
	return -1;
}

static int too_few_answers(const struct search *search, struct err *err)
{
	enum err_kind kind = ERR_CONNECT;
	char buffer[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < search->count; i++) {
		if (search->services[i].is_unusable)
			kind = ERR_FAILED;
	}
	err_set(err, kind,
		"could not find out the public IPv%d address: no two services of different "
		"operators said one",
		search->family);
	for (size_t i = 0; i < search->count; i++) {
		const struct service *service = &search->services[i];

		if (service->is_usable)
			err_detail_line(err, "\"%s\" says %s", service->host,
				address_format(&service->address, buffer));
		else
			err_detail_line(err, "%s", service->problem);
	}
	if (has_proxy())
		err_detail_line(err, "The proxy of the environment was not used: its address is "
				     "not the one that a database sees.");
	err_hint(err, "Pass the address with --ip.");
	return -1;
}

int public_address_find(
	int family, const char *services, struct address *ret_address, struct err *err)
{
	CLEANUP(search_release) struct search search = { .family = family };
	const char *defaults = family == 6 ? services_v6 : services_v4;
	char buffer[ADDRESS_TEXT_SIZE];
	const char *why;

	if (list_services(&search, services ? services : defaults, err) != 0)
		return -1;
	if (ask(&search, err) != 0)
		return -1;
	if (!search.agreed[0])
		return is_disputed(&search) ? disputed(&search, err)
					    : too_few_answers(&search, err);
	if (!address_is_global(&search.agreed[0]->address, &why)) {
		err_set(err, ERR_FAILED, "%s, as %s and %s say, is not a public address: %s",
			address_format(&search.agreed[0]->address, buffer), search.agreed[0]->host,
			search.agreed[1]->host, why);
		err_hint(err, "Pass the right one with --ip.");
		return -1;
	}
	*ret_address = search.agreed[0]->address;
	return 0;
}

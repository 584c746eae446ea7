#include "pg/probe.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/message.h"
#include "base/resolve.h"
#include "base/strlist.h"
#include "pg/conn_failure.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define DEFAULT_PORT "5432"
#define MOST_ADDRESSES 64
/* What those that come first in the order are given when a later one has answered. */
#define GRACE_MS 1000

/* --- what libpq will do ----------------------------------------------------------------------- */

static char *default_of(const char *keyword)
{
	PQconninfoOption *options = PQconndefaults();
	char *value = NULL;

	if (!options)
		BUG("libpq is out of memory");
	for (const PQconninfoOption *option = options; option->keyword; option++)
		if (strcmp(option->keyword, keyword) == 0 && option->val && *option->val)
			value = mem_strdup(option->val);
	PQconninfoFree(options);
	return value;
}

/* libpq reads the service file where the environment names the service; NULL: none. Returns what it
 * named before, which is the caller's. */
static char *name_service(const char *service)
{
	char *before = mem_strdup(getenv("PGSERVICE"));

	if (service)
		setenv("PGSERVICE", service, 1);
	else
		unsetenv("PGSERVICE");
	return before;
}

char *probe_param(const struct params *params, const char *keyword)
{
	const char *value = params_get(params, keyword);
	const char *service = params_get(params, "service");
	CLEANUP(mem_cleanup) char *before = NULL;
	char *result;

	if (value)
		return mem_strdup(value);
	if (!service)
		return default_of(keyword);
	before = name_service(service);
	result = default_of(keyword);
	mem_free(name_service(before));
	return result;
}

bool probe_has_service(const struct params *params)
{
	const char *service = params_get(params, "service");
	CLEANUP(mem_cleanup) char *before = NULL;
	PQconninfoOption *with, *without;
	bool differs = false;

	if (!service)
		return true;
	before = name_service(service);
	with = PQconndefaults();
	mem_free(name_service(NULL));
	without = PQconndefaults();
	mem_free(name_service(before));
	if (!with || !without)
		BUG("libpq is out of memory");
	for (size_t i = 0; with[i].keyword && !differs; i++)
		differs = strcmp(with[i].keyword, "service") != 0 &&
			  strcmp(with[i].val ? with[i].val : "",
				  without[i].val ? without[i].val : "") != 0;
	PQconninfoFree(with);
	PQconninfoFree(without);
	return differs;
}

char *probe_service_trouble(const struct params *params)
{
	/* It looks the service up first, and then refuses to go on. */
	const char *const keywords[] = { "sslmode", "service", "servicefile", NULL };
	const char *const values[] = { "none", params_get(params, "service"),
		params_get(params, "servicefile"), NULL };
	const bool has_file = values[2] != NULL;
	const char *const without[] = { "sslmode", "service", NULL };
	PGconn *pg = PQconnectStartParams(has_file ? keywords : without, values, 0);
	const char *said = PQerrorMessage(pg);
	char *trouble = NULL;

	if (!pg)
		BUG("libpq is out of memory");
	if (strstr(said, "definition of service") || strstr(said, "service file") ||
		strstr(said, "service specifications"))
		trouble = mem_strndup(said, strcspn(said, "\n"));
	PQfinish(pg);
	return trouble;
}

static void split(const char *text, struct strlist *list)
{
	while (text) {
		size_t length = strcspn(text, ",");

		strlist_addf(list, "%.*s", (int)length, text);
		text = text[length] ? text + length + 1 : NULL;
	}
}

static const char *item(const struct strlist *list, size_t i)
{
	if (list->count == 1 && i > 0)
		i = 0;
	return i < list->count && *list->items[i] ? list->items[i] : NULL;
}

/* libpq's own, which it does not tell: the directories it was built with. */
static const char *default_host(void)
{
	return path_is_directory("/var/run/postgresql") ? "/var/run/postgresql" : "/tmp";
}

int probe_places(struct probe *probe, const struct params *params, struct err *err)
{
	CLEANUP(strlist_release) struct strlist hosts = STRLIST_INIT;
	CLEANUP(strlist_release) struct strlist addresses = STRLIST_INIT;
	CLEANUP(strlist_release) struct strlist ports = STRLIST_INIT;
	CLEANUP(mem_cleanup) char *host = probe_param(params, "host");
	CLEANUP(mem_cleanup) char *address = probe_param(params, "hostaddr");
	CLEANUP(mem_cleanup) char *port = probe_param(params, "port");
	size_t count;

	split(host, &hosts);
	split(address, &addresses);
	split(port, &ports);
	count = addresses.count > hosts.count ? addresses.count : hosts.count;
	if (count == 0)
		count = 1;
	if ((addresses.count && hosts.count && addresses.count != hosts.count) ||
		(ports.count > 1 && ports.count != count))
		return err_set(err, ERR_USAGE,
			"the URL names %zu hosts, %zu addresses and %zu ports, which do not agree",
			hosts.count, addresses.count, ports.count);
	probe->places = mem_calloc(count, sizeof(*probe->places));
	probe->place_count = count;
	for (size_t i = 0; i < count; i++) {
		struct probe_place *place = &probe->places[i];
		const char *own = i < hosts.count && *hosts.items[i] ? hosts.items[i] : NULL;

		place->address = i < addresses.count && *addresses.items[i]
					 ? mem_strdup(addresses.items[i])
					 : NULL;
		place->host = mem_strdup(own              ? own
					 : place->address ? place->address
							  : default_host());
		place->port = mem_strdup(item(&ports, i) ? item(&ports, i) : DEFAULT_PORT);
		place->is_socket =
			!place->address && (place->host[0] == '/' || place->host[0] == '@');
	}
	return 0;
}

void probe_release(struct probe *probe)
{
	for (size_t i = 0; i < probe->place_count; i++) {
		mem_free(probe->places[i].host);
		mem_free(probe->places[i].address);
		mem_free(probe->places[i].port);
	}
	mem_free(probe->places);
	mem_free(probe->addresses);
	*probe = (struct probe)PROBE_INIT;
}

/* --- names ------------------------------------------------------------------------------------ */

static struct probe_address *add_address(struct probe *probe, size_t place)
{
	struct probe_address *address;

	probe->addresses =
		mem_resize(probe->addresses, probe->address_count + 1, sizeof(*probe->addresses));
	address = &probe->addresses[probe->address_count++];
	memset(address, 0, sizeof(*address));
	address->place = place;
	return address;
}

/* False when the path is too long for a socket. */
static bool add_socket(struct probe *probe, size_t index)
{
	const struct probe_place *place = &probe->places[index];
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	struct probe_address *address;
	int length = snprintf(
		name.sun_path, sizeof(name.sun_path), "%s/.s.PGSQL.%s", place->host, place->port);

	if (length < 0 || (size_t)length >= sizeof(name.sun_path))
		return false;
	address = add_address(probe, index);
	snprintf(address->text, sizeof(address->text), "%s", name.sun_path);
	address->length = sizeof(name);
	if (place->host[0] == '@') {
		name.sun_path[0] = '\0';
		address->length =
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length);
	}
	memcpy(&address->socket, &name, sizeof(name));
	return true;
}

/* As resolve does. */
static int look_up(
	struct probe *probe, size_t index, int64_t deadline, char **ret_reason, struct err *err)
{
	const struct probe_place *place = &probe->places[index];
	const char *host = place->address ? place->address : place->host;
	CLEANUP(resolve_cleanup) struct addrinfo *list = NULL;
	CLEANUP(mem_cleanup) char *reason = NULL;
	int result = resolve(host, place->port, deadline, &list, &reason, err);

	if (result > 0) {
		mem_free(*ret_reason);
		*ret_reason = message_format(
			"could not translate host name \"%s\" to address: %s", host, reason);
	}
	for (const struct addrinfo *found = list; found; found = found->ai_next) {
		struct probe_address *address;

		if (probe->address_count >= MOST_ADDRESSES ||
			found->ai_addrlen > sizeof(address->socket))
			continue;
		address = add_address(probe, index);
		memcpy(&address->socket, found->ai_addr, found->ai_addrlen);
		address->length = found->ai_addrlen;
		resolve_text(found, address->text, sizeof(address->text));
	}
	return result;
}

int probe_look_up(struct probe *probe, int64_t timeout_ms, char **ret_reason, struct err *err)
{
	CLEANUP(mem_cleanup) char *reason = NULL;

	for (size_t i = 0; i < probe->place_count; i++) {
		if (!probe->places[i].is_socket) {
			if (look_up(probe, i, clock_ms() + timeout_ms, &reason, err) < 0)
				return -1;
		} else if (!add_socket(probe, i)) {
			mem_free(reason);
			reason = message_format("Unix-domain socket path in \"%s\" is too long",
				probe->places[i].host);
		}
	}
	if (probe->address_count > 0)
		return 0;
	*ret_reason = take_ptr(reason);
	return 1;
}

/* --- connecting ------------------------------------------------------------------------------- */

int probe_wait(int fd, short events, int64_t deadline, struct err *err)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = fd, .events = events },
			{ .fd = interrupt_fd(), .events = POLLIN },
		};
		int64_t left = deadline - clock_ms();

		if (left <= 0)
			return 0;
		if (poll(fds, ARRAY_SIZE(fds), left > 3600000 ? 3600000 : (int)left) < 0 &&
			errno != EINTR)
			return err_errno(err, "could not wait for the server");
		if (interrupt_check(err) != 0)
			return -1;
		if (fds[0].revents)
			return 1;
	}
}

static void fail(struct probe_address *address, int error)
{
	address->state = PROBE_FAILED;
	address->error = error;
}

/* -1: it is decided already. */
static int begin(struct probe_address *address)
{
	int fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		fail(address, errno);
		return -1;
	}
	if (connect(fd, (struct sockaddr *)&address->socket, address->length) == 0)
		address->state = PROBE_OPEN;
	else if (errno != EINPROGRESS)
		fail(address, errno);
	else
		return fd;
	close(fd);
	return -1;
}

static void settle(struct probe_address *address, int *fd, int64_t begun)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(*fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		error = errno;
	if (error)
		fail(address, error);
	else
		address->state = PROBE_OPEN;
	address->us = clock_us() - begun;
	close(*fd);
	*fd = -1;
}

/* True when one is open and no earlier one is undecided. */
static bool is_settled(const struct probe *probe, bool *ret_one_open)
{
	bool undecided = false;

	for (size_t i = 0; i < probe->address_count; i++) {
		if (probe->addresses[i].state == PROBE_OPEN) {
			*ret_one_open = true;
			return !undecided;
		}
		undecided |= probe->addresses[i].state == PROBE_UNTRIED;
	}
	return !undecided;
}

static int poll_all(struct probe *probe, int *fds, int64_t begun, int64_t deadline, struct err *err)
{
	struct pollfd polled[MOST_ADDRESSES + 1];
	bool one_open = false;

	while (!is_settled(probe, &one_open)) {
		int64_t left;

		/* Those that come first get a little time when a later one has answered. */
		if (one_open && deadline > clock_ms() + GRACE_MS)
			deadline = clock_ms() + GRACE_MS;
		left = deadline - clock_ms();
		if (left <= 0)
			return 0;
		for (size_t i = 0; i < probe->address_count; i++)
			polled[i] = (struct pollfd){ .fd = fds[i], .events = POLLOUT };
		polled[probe->address_count] =
			(struct pollfd){ .fd = interrupt_fd(), .events = POLLIN };
		if (poll(polled, probe->address_count + 1, left > 3600000 ? 3600000 : (int)left) <
				0 &&
			errno != EINTR)
			return err_errno(err, "could not wait for the server");
		if (interrupt_check(err) != 0)
			return -1;
		for (size_t i = 0; i < probe->address_count; i++)
			if (fds[i] >= 0 && polled[i].revents)
				settle(&probe->addresses[i], &fds[i], begun);
	}
	return 0;
}

const struct probe_address *probe_first(const struct probe *probe)
{
	for (size_t i = 0; i < probe->address_count; i++)
		if (probe->addresses[i].state == PROBE_OPEN)
			return &probe->addresses[i];
	return NULL;
}

/* As libpq would say it, a line for each. */
static char *reasons(const struct probe *probe)
{
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < probe->address_count; i++) {
		const struct probe_address *address = &probe->addresses[i];
		const struct probe_place *place = &probe->places[address->place];

		if (text.length)
			strbuf_addc(&text, '\n');
		if (place->is_socket)
			message_add(&text,
				"connection to server on socket \"%s\" failed: ", address->text);
		else
			message_add(&text, "connection to server at \"%s\" (%s), port %s failed: ",
				place->host, address->text, place->port);
		strbuf_adds(&text,
			address->error == ETIMEDOUT ? CONN_NO_ANSWER : strerror(address->error));
	}
	return strbuf_detach(&text);
}

int probe_connect(struct probe *probe, int64_t timeout_ms, char **ret_reason, struct err *err)
{
	const int64_t deadline = clock_ms() + timeout_ms;
	const int64_t begun = clock_us();
	int fds[MOST_ADDRESSES];
	int result;

	for (size_t i = 0; i < probe->address_count; i++)
		fds[i] = begin(&probe->addresses[i]);
	result = poll_all(probe, fds, begun, deadline, err);
	for (size_t i = 0; i < probe->address_count; i++) {
		if (probe->addresses[i].state == PROBE_UNTRIED)
			fail(&probe->addresses[i], ETIMEDOUT);
		if (fds[i] >= 0)
			close(fds[i]);
	}
	if (result != 0)
		return -1;
	if (probe_first(probe))
		return 0;
	*ret_reason = reasons(probe);
	return 1;
}

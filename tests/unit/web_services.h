/*
 * Web services on the loopback address, a port for each, run by a child process. What each does
 * with its requests is a struct reply; what it was asked last and how often, a struct record.
 */
#ifndef UNIT_WEB_SERVICES_H
#define UNIT_WEB_SERVICES_H

#include "unit.h"

#include "base/mem.h"
#include "base/strbuf.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

enum { MAX_SERVERS = 4 };

/* What a server does with every request. */
struct reply {
	const char *status; /* "200 OK" and perhaps header lines; see the special ones */
	const char *body;
	size_t length;
};

#define SAYS(text)                                                                                 \
	{                                                                                          \
		"200 OK", (text), sizeof(text) - 1                                                 \
	}
#define FAILS(status)                                                                              \
	{                                                                                          \
		(status), "20.1.1.1", 8                                                            \
	}
#define HANGS                                                                                      \
	{                                                                                          \
		"hangs", NULL, 0                                                                   \
	}
#define REFUSES                                                                                    \
	{                                                                                          \
		"refuses", NULL, 0                                                                 \
	}
#define HANGS_UP                                                                                   \
	{                                                                                          \
		"hangs up", NULL, 0                                                                \
	}

/* Of one server, seen by both processes. */
struct record {
	int requests;
	char last[1024];
};

struct servers {
	pid_t pid;
	size_t count;
	int sockets[MAX_SERVERS];
	int ports[MAX_SERVERS];
	struct record *records;
	const struct reply *replies;
	char *urls; /* of all, as DB_SG_IP_URLS has them */
};

static inline void write_all(int client, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = send(client, bytes, length, MSG_NOSIGNAL);

		if (written <= 0)
			return;
		bytes += written;
		length -= (size_t)written;
	}
}

static inline void read_request(int client, struct record *record)
{
	size_t length = 0;

	while (length < sizeof(record->last) - 1) {
		ssize_t got =
			read(client, record->last + length, sizeof(record->last) - 1 - length);

		if (got <= 0)
			break;
		length += (size_t)got;
		record->last[length] = '\0';
		if (strstr(record->last, "\r\n\r\n"))
			break;
	}
	record->requests++;
}

static inline void serve_one(int listener, const struct reply *reply, struct record *record)
{
	int client = accept(listener, NULL, NULL);
	char head[256];

	if (client < 0)
		return;
	/* The connection stays open until the process ends. */
	if (strcmp(reply->status, "hangs") == 0)
		return;
	read_request(client, record);
	if (strcmp(reply->status, "hangs up") != 0) {
		int length = snprintf(head, sizeof(head),
			"HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
			reply->status, reply->length);

		write_all(client, head, (size_t)length);
		write_all(client, reply->body, reply->length);
	}
	close(client);
}

static inline NORETURN void serve(struct servers *servers)
{
	struct pollfd waits[MAX_SERVERS];

	for (size_t i = 0; i < servers->count; i++)
		waits[i] = (struct pollfd){ .fd = servers->sockets[i], .events = POLLIN };
	while (poll(waits, servers->count, 30000) > 0) {
		for (size_t i = 0; i < servers->count; i++) {
			if (waits[i].revents & POLLIN)
				serve_one(waits[i].fd, &servers->replies[i], &servers->records[i]);
		}
	}
	_exit(0);
}

/* A socket on the loopback address of that family, with a port of its own; -1: there is none. */
static inline int loopback_socket(int family, int *ret_port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr *address = family == 4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	socklen_t length = family == 4 ? sizeof(v4) : sizeof(v6);
	int fd = socket(family == 4 ? AF_INET : AF_INET6, SOCK_STREAM, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, address, length) != 0 || getsockname(fd, address, &length) != 0) {
		close(fd);
		return -1;
	}
	*ret_port = ntohs(family == 4 ? v4.sin_port : v6.sin6_port);
	return fd;
}

/* A machine may have no IPv6 at all; what happens then is in the test after that of IPv6. */
static inline bool has_family(int family)
{
	int port;
	int fd = loopback_socket(family, &port);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* Replies end with one that has no status. */
static inline void start(struct servers *servers, int family, const struct reply *replies)
{
	struct strbuf urls = STRBUF_INIT;

	*servers = (struct servers){ .replies = replies };
	servers->records = mmap(NULL, MAX_SERVERS * sizeof(*servers->records),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(servers->records != MAP_FAILED);
	for (size_t i = 0; i < MAX_SERVERS && replies[i].status; i++) {
		int fd = loopback_socket(family, &servers->ports[i]);

		assert_true(fd >= 0);
		/* Without listen every connection is refused, and nobody else gets the port. */
		if (strcmp(replies[i].status, "refuses") != 0)
			assert_int_equal(listen(fd, 8), 0);
		servers->sockets[i] = fd;
		servers->count++;
		strbuf_addf(&urls, "%shttp://%s:%d/ip", i ? " " : "",
			family == 4 ? "127.0.0.1" : "[::1]", servers->ports[i]);
	}
	servers->urls = strbuf_detach(&urls);
	servers->pid = fork();
	if (servers->pid == 0) {
#ifdef __linux__
		prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
		serve(servers);
	}
}

static inline void stop(struct servers *servers)
{
	kill(servers->pid, SIGKILL);
	waitpid(servers->pid, NULL, 0);
	for (size_t i = 0; i < servers->count; i++)
		close(servers->sockets[i]);
	munmap(servers->records, MAX_SERVERS * sizeof(*servers->records));
	mem_free(servers->urls);
}

#endif

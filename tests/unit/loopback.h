/*
 * A server of the test's own on 127.0.0.1, in a child process: it keeps what it received, byte for
 * byte, where the test can look at it, and answers as it was told.
 */
#ifndef UNIT_LOOPBACK_H
#define UNIT_LOOPBACK_H

#include "unit.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define LOOPBACK_REQUESTS 16
#define LOOPBACK_REQUEST_SIZE (2 << 20)

/* In place of an answer. */
#define LOOPBACK_HANG "<hang>"
#define LOOPBACK_RESET "<reset>"
#define LOOPBACK_CLOSE ""
#define LOOPBACK_ENDLESS "<endless>"

struct loopback_log {
	int connections;
	int count; /* of requests */
	char requests[LOOPBACK_REQUESTS][LOOPBACK_REQUEST_SIZE];
};

struct loopback {
	pid_t pid;
	int port;
	char *url; /* http://127.0.0.1:PORT */
	struct loopback_log *log;
};

/* Serves a connection. */
typedef void loopback_handler(int fd, struct loopback_log *log, const void *context);

static inline void loopback_send(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		bytes += sent;
		length -= (size_t)sent;
	}
}

/* Length of the whole request at the beginning of text; 0: there is more to come. */
static inline size_t loopback_request_length(const char *text, size_t length)
{
	const char *end = strstr(text, "\r\n\r\n");
	size_t body = 0;

	if (!end)
		return 0;
	for (const char *line = text; line < end; line = strstr(line, "\r\n") + 2)
		if (strncasecmp(line, "Content-Length:", 15) == 0)
			body = strtoul(line + 15, NULL, 10);
	body += (size_t)(end + 4 - text);
	return body <= length ? body : 0;
}

/* Reads a request into the log; false at the connection's end. */
static inline bool loopback_receive(int fd, struct loopback_log *log)
{
	char *text = log->requests[log->count % LOOPBACK_REQUESTS];
	size_t length = 0;

	text[0] = '\0';
	while (length == 0 || loopback_request_length(text, length) == 0) {
		ssize_t got = recv(fd, text + length, LOOPBACK_REQUEST_SIZE - 1 - length, 0);

		if (got <= 0)
			return false;
		length += (size_t)got;
		text[length] = '\0';
	}
	log->count++;
	return true;
}

/* context: the answers in their order, ended by NULL; the last one is for all that follow. */
static inline void loopback_answer(int fd, struct loopback_log *log, const void *context)
{
	const char *const *answers = context;
	bool again = true;

	while (again && loopback_receive(fd, log)) {
		const char *answer = answers[0];
		struct linger reset = { .l_onoff = 1 };

		for (int i = 0; i < log->count && answers[i]; i++)
			answer = answers[i];
		if (strcmp(answer, LOOPBACK_HANG) == 0)
			pause();
		if (strcmp(answer, LOOPBACK_RESET) == 0)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		else if (strcmp(answer, LOOPBACK_ENDLESS) == 0)
			for (int i = 0; i < 1000000; i++)
				loopback_send(fd, "HTTP/1.1 200 OK\r\n\r\n................", 35);
		else
			loopback_send(fd, answer, strlen(answer));
		again = strstr(answer, "keep-alive") != NULL;
	}
}

static inline void loopback_start(
	struct loopback *server, loopback_handler *handler, const void *context)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 ||
		listen(listener, 16) != 0 ||
		getsockname(listener, (struct sockaddr *)&address, &size) != 0)
		BUG("no socket for the test");
	server->log = mmap(NULL, sizeof(*server->log), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (server->log == MAP_FAILED)
		BUG("no memory for the test");
	server->port = ntohs(address.sin_port);
	server->url = mem_printf("http://127.0.0.1:%d", server->port);
	server->pid = fork();
	if (server->pid == 0) {
		signal(SIGTERM, SIG_DFL);
		alarm(60); /* should the test end without ending it */
		for (;;) {
			int fd = accept(listener, NULL, NULL);

			if (fd < 0)
				_exit(1);
			server->log->connections++;
			handler(fd, server->log, context);
			close(fd);
		}
	}
	close(listener);
}

/* CLEANUP(loopback_stop) struct loopback server = { 0 }; */
static inline void loopback_stop(struct loopback *server)
{
	if (server->pid > 0) {
		kill(server->pid, SIGKILL);
		waitpid(server->pid, NULL, 0);
		munmap(server->log, sizeof(*server->log));
	}
	mem_free(server->url);
	*server = (struct loopback){ 0 };
}

/* A port nobody listens on. */
static inline int loopback_closed_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&address, size) != 0 ||
		getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		BUG("no socket for the test");
	close(fd);
	return ntohs(address.sin_port);
}

#endif

/*
 * A resolver with the names that a test needs, for LD_PRELOAD. TEST_NAMES holds NAME=WHAT words:
 * addresses with commas between them, in the order that they are given in; "hang": never an answer;
 * "then-hang:ADDRESS": an answer the first time, never again. Of each such question a line with the
 * name goes to the file TEST_NAMES_LOG. Other names are the system's.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int resolver(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static resolver *real(void)
{
	return (resolver *)dlsym(RTLD_NEXT, "getaddrinfo");
}

/* The WHAT of a name, until the thread asks for another; NULL: it is none of them. */
static char *what_of(const char *host)
{
	static _Thread_local char what[256];
	const char *names = getenv("TEST_NAMES");
	size_t length = strlen(host);

	while (names && *names) {
		size_t size = strcspn(names, " ");

		if (strncmp(names, host, length) == 0 && names[length] == '=') {
			snprintf(what, sizeof(what), "%.*s", (int)(size - length - 1),
				names + length + 1);
			return what;
		}
		names += size;
		names += strspn(names, " ");
	}
	return NULL;
}

static void note(const char *host)
{
	const char *path = getenv("TEST_NAMES_LOG");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;

	if (fd < 0)
		return;
	dprintf(fd, "%s\n", host);
	close(fd);
}

int getaddrinfo(
	const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
	static atomic_int count;
	struct addrinfo wanted = { .ai_socktype = hints ? hints->ai_socktype : 0 };
	char *what = host && !(hints && hints->ai_flags & AI_NUMERICHOST) ? what_of(host) : NULL;
	char *rest = NULL;

	if (!what)
		return real()(host, service, hints, list);
	note(host);
	if (strncmp(what, "then-hang:", 10) == 0)
		what += atomic_fetch_add(&count, 1) == 0 ? 10 : 5;
	while (strncmp(what, "hang", 4) == 0)
		pause();
	wanted.ai_flags = AI_NUMERICHOST;
	*list = NULL;
	for (char *one = strtok_r(what, ",", &rest); one; one = strtok_r(NULL, ",", &rest)) {
		struct addrinfo **end = list;
		int failure;

		while (*end)
			end = &(*end)->ai_next;
		failure = real()(one, service, &wanted, end);
		if (failure)
			return failure;
	}
	return 0;
}

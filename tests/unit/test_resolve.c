/* The resolver is this file's: what it says, and how long it takes, is in the name. */
#include "unit.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/resolve.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

typedef int resolver(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* Calls for names, those under way, and whether one of them could have been given a signal. */
static atomic_int calls, running, exposed;

static void sleep_ms(int ms)
{
	const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&pause, NULL);
}

/* "MILLISECONDS.test" is 127.0.0.9 after that long. */
int getaddrinfo(
	const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
	resolver *real = (resolver *)dlsym(RTLD_NEXT, "getaddrinfo");
	sigset_t mask;
	int result;

	if (hints->ai_flags & AI_NUMERICHOST)
		return real(host, service, hints, list);
	atomic_fetch_add(&running, 1);
	atomic_fetch_add(&calls, 1);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	atomic_fetch_add(&exposed, !sigismember(&mask, SIGINT) || !sigismember(&mask, SIGTERM));
	sleep_ms(atoi(host));
	if (strstr(host, "none"))
		result = EAI_NONAME;
	else if (strstr(host, "again"))
		result = EAI_AGAIN;
	else if (strstr(host, "system")) {
		errno = EMFILE;
		result = EAI_SYSTEM;
	} else
		result = real("127.0.0.9", service, hints, list);
	atomic_fetch_sub(&running, 1);
	return result;
}

/* What was left to itself ends too, and frees what it holds (LeakSanitizer looks). */
static void wait_for_all(int begun)
{
	for (int i = 0; i < 200 && (atomic_load(&calls) < begun || atomic_load(&running) > 0); i++)
		sleep_ms(10);
	sleep_ms(50);
	check_number("still running", atomic_load(&running), 0);
	check_number("open to signals", atomic_load(&exposed), 0);
}

static void test_outcomes(void **state)
{
	static const struct {
		const char *host, *port;
		int result;
		const char *text; /* the address, or a part of the reason */
		int calls;
	} cases[] = {
		{ "127.0.0.1", NULL, 0, "127.0.0.1", 0 },
		{ "127.0.0.1", "5432", 0, "127.0.0.1", 0 },
		{ "::1", NULL, 0, "::1", 0 },
		{ "2a05:d018::5", "5432", 0, "2a05:d018::5", 0 },
		{ "0.test", NULL, 0, "127.0.0.9", 1 },
		{ "20.test", "5432", 0, "127.0.0.9", 1 },
		{ "0.none", NULL, 1, "not known", 1 },
		{ "0.again", NULL, 1, "Temporary failure", 1 },
		{ "0.system", NULL, 1, "Too many open files", 1 },
		{ "300.test", NULL, 1, RESOLVE_NO_ANSWER " 0.1 s", 1 },
		{ "300.none", NULL, 1, RESOLVE_NO_ANSWER " 0.1 s", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(resolve_cleanup) struct addrinfo *list = NULL;
		CLEANUP(mem_cleanup) char *reason = NULL;
		CLEANUP(err_release) struct err err = ERR_INIT;
		char address[NI_MAXHOST];
		const int64_t begun = clock_ms();
		int result;

		atomic_store(&calls, 0);
		result = resolve(cases[i].host, cases[i].port, begun + 100, &list, &reason, &err);
		check_number(cases[i].host, result, cases[i].result);
		check_number(cases[i].host, atomic_load(&calls), cases[i].calls);
		check_number(cases[i].host, clock_ms() - begun < 250, 1);
		if (list)
			check_text(cases[i].host, resolve_text(list, address, sizeof(address)),
				cases[i].text);
		else
			check_holds(cases[i].host, reason, cases[i].text);
	}
	wait_for_all(0);
}

static void test_addresses(void **state)
{
	struct address addresses[2];

	(void)state;
	check_number("name", (int)resolve_addresses("0.test", clock_ms() + 1000, addresses, 2), 1);
	check_number("IPv4", addresses[0].family, 4);
	check_number("its last byte", addresses[0].bytes[3], 9);
	check_number("IPv6", (int)resolve_addresses("::1", clock_ms(), addresses, 2), 1);
	check_number("family", addresses[0].family, 6);
	check_number("no room", (int)resolve_addresses("::1", clock_ms(), addresses, 0), 0);
	check_number("none", (int)resolve_addresses("0.none", clock_ms() + 1000, addresses, 2), 0);
	check_number("late", (int)resolve_addresses("300.test", clock_ms() + 50, addresses, 2), 0);
	wait_for_all(0);
}

/* The last test: what interrupt_install catches stays caught. */
static void test_signal(void **state)
{
	CLEANUP(resolve_cleanup) struct addrinfo *list = NULL;
	CLEANUP(mem_cleanup) char *reason = NULL;
	CLEANUP(err_release) struct err err = ERR_INIT;
	struct address address;
	const int64_t begun = clock_ms();

	(void)state;
	atomic_store(&calls, 0);
	interrupt_install();
	kill(getpid(), SIGINT);
	check_number("result", resolve("500.test", NULL, begun + 5000, &list, &reason, &err), -1);
	check_number("kind", err.kind, ERR_INTERRUPTED);
	check_number("at once", clock_ms() - begun < 300, 1);
	kill(getpid(), SIGTERM);
	check_number("count", (int)resolve_addresses("500.test", begun + 5000, &address, 1), 0);
	check_number("still pending", interrupt_pending(), SIGTERM);
	wait_for_all(2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_outcomes),
		UNIT_TEST(test_addresses),
		UNIT_TEST(test_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

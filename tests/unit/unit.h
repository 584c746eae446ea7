/*
 * What the unit tests share: checks that print both sides and go on, so that one run shows every
 * case of a table that fails. UNIT_TEST makes a test fail when one of its checks did.
 */
#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int unit_failures;
static char **unit_environment;

/*
 * Every test begins with an empty environment, whatever that of the caller is; cmocka, which reads
 * its own variables between the tests, gets the caller's back.
 */
static inline int unit_setup(void **state)
{
	static char *none[1];

	(void)state;
	unit_environment = environ;
	environ = none;
	unit_failures = 0;
	return 0;
}

static inline int unit_teardown(void **state)
{
	(void)state;
	environ = unit_environment;
	if (unit_failures)
		print_error("%d checks failed\n", unit_failures);
	return unit_failures ? -1 : 0;
}

#define UNIT_TEST(function) cmocka_unit_test_setup_teardown(function, unit_setup, unit_teardown)

static inline bool unit_fail(const char *label, const char *got, const char *expected)
{
	print_error("%s:\n   got      %s%s%s\n   expected %s%s%s\n", label, got ? "[" : "",
		got ? got : "NULL", got ? "]" : "", expected ? "[" : "",
		expected ? expected : "NULL", expected ? "]" : "");
	unit_failures++;
	return false;
}

/* NULL is a value of its own. */
static inline bool check_text(const char *label, const char *got, const char *expected)
{
	if (got && expected ? strcmp(got, expected) == 0 : got == expected)
		return true;
	return unit_fail(label, got, expected);
}

static inline bool check_number(const char *label, long long got, long long expected)
{
	if (got == expected)
		return true;
	print_error("%s:\n   got      %lld\n   expected %lld\n", label, got, expected);
	unit_failures++;
	return false;
}

/* text holds the piece; a NULL text holds nothing, and nothing is asked for with a NULL piece. */
static inline bool check_holds(const char *label, const char *text, const char *piece)
{
	if (!piece || (text && strstr(text, piece)))
		return true;
	return unit_fail(label, text, piece);
}

static inline bool check_err(
	const char *label, const struct err *err, enum err_kind kind, const char *message)
{
	return check_number(label, err->kind, kind) && check_text(label, err->message, message);
}

/* The function ends the program by abort(), as BUG does. */
static inline bool check_aborts(const char *label, void (*function)(void))
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		close(STDERR_FILENO);
		function();
		_exit(0);
	}
	waitpid(child, &status, 0);
	return check_number(label, WIFSIGNALED(status) ? WTERMSIG(status) : 0, SIGABRT);
}

#endif

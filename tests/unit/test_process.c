#include "unit.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static const char *const environment[] = { "PATH=/bin:/usr/bin", "WORD=from here", NULL };

/* Runs a script; what came of it. */
struct outcome {
	struct strbuf output, errors;
	int result, status;
	struct err err;
};

static void outcome_release(struct outcome *outcome)
{
	strbuf_release(&outcome->output);
	strbuf_release(&outcome->errors);
	err_release(&outcome->err);
}

#define OUTCOME_INIT                                                                               \
	{                                                                                          \
		.output = STRBUF_INIT, .errors = STRBUF_INIT                                       \
	}

static void run(
	struct outcome *outcome, struct process_spec spec, const char *script, int64_t timeout_ms)
{
	const char *const argv[] = { spec.as_caller ? "sh" : "/bin/sh", "-c", script, NULL };

	setenv("PATH", environment[0] + strlen("PATH="), 1);
	spec.argv = argv;
	spec.environment = environment;
	outcome->status = -1;
	outcome->result =
		process_run(&spec, timeout_ms, &outcome->output, &outcome->status, &outcome->err);
}

static void test_output_holds_both_streams(void **state)
{
	CLEANUP(outcome_release) struct outcome outcome = OUTCOME_INIT;

	(void)state;
	run(&outcome, (struct process_spec){ 0 }, "echo a; echo b >&2; exit 3", 10000);
	check_number("result", outcome.result, 0);
	check_number("status", WEXITSTATUS(outcome.status), 3);
	check_text("output", outcome.output.data, "a\nb\n");
}

static void test_streams_apart(void **state)
{
	CLEANUP(outcome_release) struct outcome outcome = OUTCOME_INIT;

	(void)state;
	run(&outcome, (struct process_spec){ .errors = &outcome.errors },
		"echo a; echo b >&2; echo c; echo d >&2", 10000);
	check_number("result", outcome.result, 0);
	check_text("output", outcome.output.data, "a\nc\n");
	check_text("errors", outcome.errors.data, "b\nd\n");
}

/* More than the pipes hold, on both, does not block. */
static void test_much_on_both_streams(void **state)
{
	CLEANUP(outcome_release) struct outcome outcome = OUTCOME_INIT;

	(void)state;
	outcome.errors.ceiling = 1000;
	run(&outcome, (struct process_spec){ .errors = &outcome.errors },
		"head -c 300000 /dev/zero | tr '\\0' e >&2; head -c 300000 /dev/zero | tr '\\0' o",
		20000);
	check_number("result", outcome.result, 0);
	check_number("output", (long long)outcome.output.length, 300000);
	check_number("errors stop at their ceiling", (long long)outcome.errors.length, 1000);
}

static void test_stderr_of_the_caller(void **state)
{
	CLEANUP(outcome_release) struct outcome outcome = OUTCOME_INIT;
	int ends[2], saved = dup(STDERR_FILENO);
	char text[64] = "";

	(void)state;
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	run(&outcome, (struct process_spec){ .keep_stderr = true }, "echo a; echo b >&2", 10000);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(ends[1]);
	check_number("read", read(ends[0], text, sizeof(text) - 1), 2);
	close(ends[0]);
	check_text("stderr", text, "b\n");
	check_text("output", outcome.output.data, "a\n");
}

/* What a clean child has, and what one as_caller has. */
static void test_surroundings(void **state)
{
	static const char script[] = "pwd; umask; echo $WORD; cat; ls /proc/self/fd | wc -l";
	CLEANUP(outcome_release) struct outcome clean = OUTCOME_INIT;
	CLEANUP(outcome_release) struct outcome as_caller = OUTCOME_INIT;
	int leak = open("/dev/null", O_RDONLY);
	mode_t mask = umask(027);

	(void)state;
	assert_int_equal(chdir("/usr"), 0);
	run(&clean, (struct process_spec){ 0 }, script, 10000);
	run(&as_caller, (struct process_spec){ .as_caller = true }, script, 10000);
	umask(mask);
	close(leak);
	/* ls has the three and the directory it reads. */
	check_text("clean", clean.output.data, "/\n0077\nfrom here\n4\n");
	check_text("as the caller", as_caller.output.data, "/usr\n0027\nfrom here\n4\n");
}

static void test_program_that_is_not_there(void **state)
{
	static const char *const argv[] = { "no-such-program", NULL };
	CLEANUP(outcome_release) struct outcome outcome = OUTCOME_INIT;
	const struct process_spec spec = {
		.argv = argv, .environment = environment, .as_caller = true
	};
	int status = 0;

	(void)state;
	check_number(
		"result", process_run(&spec, 1000, &outcome.output, &status, &outcome.err), -1);
	check_err("message", &outcome.err, ERR_FAILED,
		"could not run \"no-such-program\": No such file or directory");
}

/* Its own session, so that its children end with it; also when it has closed its output. */
static void test_timeout(void **state)
{
	static const char *const scripts[] = { "sleep 100 & echo $$ $!; wait",
		"sleep 100 & echo $$ $!; exec >/dev/null 2>&1; wait",
		"trap '' TERM; sleep 100 & echo $$ $!; wait" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		CLEANUP(outcome_release) struct outcome outcome = OUTCOME_INIT;
		int64_t start = clock_ms();
		int shell = 0, sleeper = 0;

		run(&outcome, (struct process_spec){ 0 }, scripts[i], 1000);
		check_number(scripts[i], outcome.result, -1);
		check_err(scripts[i], &outcome.err, ERR_TIMEOUT,
			"\"/bin/sh\" did not end within 1 seconds");
		check_number("in time", clock_ms() - start < 10000, true);
		assert_int_equal(sscanf(outcome.output.data, "%d %d", &shell, &sleeper), 2);
		for (int tries = 0; tries < 100 && process_alive(sleeper); tries++)
			clock_sleep_ms(20);
		check_number("the program runs", process_alive(shell), false);
		check_number("its child runs", process_alive(sleeper), false);
	}
}

static void test_end_is_noticed_at_once(void **state)
{
	int64_t best = INT64_MAX;

	(void)state;
	for (int i = 0; i < 10; i++) {
		CLEANUP(outcome_release) struct outcome outcome = OUTCOME_INIT;
		int64_t start = clock_ms(), took;

		run(&outcome, (struct process_spec){ .errors = &outcome.errors }, ":", 10000);
		check_number("result", outcome.result, 0);
		took = clock_ms() - start;
		if (took < best)
			best = took;
	}
	/* Less than the pause between two looks. */
	check_number("quick", best < 45, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_output_holds_both_streams),
		UNIT_TEST(test_streams_apart),
		UNIT_TEST(test_much_on_both_streams),
		UNIT_TEST(test_stderr_of_the_caller),
		UNIT_TEST(test_surroundings),
		UNIT_TEST(test_program_that_is_not_there),
		UNIT_TEST(test_timeout),
		UNIT_TEST(test_end_is_noticed_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

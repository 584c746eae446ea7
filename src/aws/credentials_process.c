#include "aws/credentials.h"

#include "aws/words.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/process.h"

#include <sys/wait.h>
#include <unistd.h>

#define PROCESS_TIMEOUT_MS 60000
#define PROCESS_OUTPUT_CEILING ((size_t)64 << 10)

static int check_status(const char *profile, int status, struct err *err)
{
	if (status == 0)
		return 0;
	/* A signal typed at the terminal ends both: then it is what happened. */
	if (interrupt_check(err) != 0)
		return -1;
	if (WIFSIGNALED(status))
		err_set(err, ERR_FAILED,
			"credential_process of profile \"%s\" was ended by signal %d", profile,
			WTERMSIG(status));
	else
		err_set(err, ERR_FAILED,
			"credential_process of profile \"%s\" failed with status %d", profile,
			WEXITSTATUS(status));
	err_hint(err, "What it wrote to standard error stands above.");
	return -1;
}

int credentials_from_process(struct aws *aws, const char *profile, const char *command,
	struct credentials *credentials, struct err *err)
{
	CLEANUP(strbuf_release_secret)
	struct strbuf output = STRBUF_INIT_CEILING(PROCESS_OUTPUT_CEILING);
	CLEANUP(strlist_release) struct strlist words = STRLIST_INIT;
	CLEANUP(mem_cleanup)
	char *source = mem_printf("profile \"%s\" (credential_process)", profile);
	const struct credentials_json what = {
		.source = source, .token_name = "SessionToken", .has_version = true
	};
	/* The program reads neither array's texts through us. */
	union {
		char **in;
		const char *const *out;
	} environment = { environ }, argv;
	struct process_spec spec = { .as_caller = true, .keep_stderr = true };
	int status;

	if (!words_split(command, &words) || words.count == 0)
		return err_set(err, ERR_USAGE,
			"credential_process of profile \"%s\" has an open quote", profile);
	argv.in = words.items;
	spec.argv = argv.out;
	spec.environment = environment.out;
	strbuf_grow(&output, PROCESS_OUTPUT_CEILING);
	if (process_run(&spec, PROCESS_TIMEOUT_MS, &output, &status, err) != 0) {
		if (err->kind == ERR_FAILED)
			err_detail(err, "It is the credential_process of profile \"%s\".", profile);
		/* TIMEOUT is for waiting that was asked for. */
		if (err->kind == ERR_TIMEOUT)
			err->kind = ERR_CONNECT;
		return -1;
	}
	if (check_status(profile, status, err) != 0)
		return -1;
	if (output.length == PROCESS_OUTPUT_CEILING)
		return err_set(err, ERR_FAILED,
			"credential_process of profile \"%s\" wrote more than %zu bytes", profile,
			PROCESS_OUTPUT_CEILING - 1);
	return credentials_read_json(&what, &output, aws, credentials, err);
}

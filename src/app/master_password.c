#include "app/master_password.h"

#include "aws/rds.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "term/out.h"
#include "term/prompt.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VARIABLE "DB_MASTER_PASSWORD"

const struct variable master_password_variables[] = {
	{ VARIABLE,
		"The master password to set. Taken from the environment only, never from .env." },
	{ 0 },
};

void master_password_from_environment(const struct env *env, struct secret *ret_password)
{
	char *value = getenv(VARIABLE);
	const char *file = NULL;

	if (value && *value) {
		secret_set(ret_password, value, strlen(value));
		mem_wipe(value, strlen(value));
	} else if (env_get(env, VARIABLE, &file) && file) {
		out_warning(VARIABLE " in %s is not used: set it in the environment", file);
	}
	unsetenv(VARIABLE);
}

/* Waits for input or a signal. */
static int wait_for_input(struct err *err)
{
	struct pollfd polled[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = interrupt_fd(), .events = POLLIN },
	};

	for (;;) {
		if (interrupt_check(err) != 0)
			return -1;
		if (poll(polled, ARRAY_SIZE(polled), -1) >= 0 && polled[0].revents)
			return 0;
	}
}

static int read_all(char *buffer, size_t size, size_t *ret_length, struct err *err)
{
	size_t length = 0;

	while (length < size) {
		ssize_t got;

		if (wait_for_input(err) != 0)
			return -1;
		got = read(STDIN_FILENO, buffer + length, size - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, "could not read the password from standard input");
		if (got == 0)
			break;
		length += (size_t)got;
	}
	*ret_length = length;
	return 0;
}

/* More than RDS takes, with room to tell that it is too long. */
#define INPUT_SIZE 1024

static void input_wipe(char (*buffer)[INPUT_SIZE])
{
	mem_wipe(*buffer, sizeof(*buffer));
}

int master_password_from_stdin(struct secret *ret_password, struct err *err)
{
	CLEANUP(input_wipe) char buffer[INPUT_SIZE];
	size_t length = 0;

	interrupt_install();
	if (read_all(buffer, sizeof(buffer), &length, err) != 0)
		return -1;
	if (length > 0 && buffer[length - 1] == '\n')
		length--;
	if (length > 0 && buffer[length - 1] == '\r')
		length--;
	if (length == 0) {
		err_set(err, ERR_USAGE, "no password was given");
		err_hint(err,
			"Type it at the terminal, write it to standard input, or set " VARIABLE
			".");
		return -1;
	}
	if (memchr(buffer, '\0', length))
		return err_set(err, ERR_USAGE, "the password holds a NUL byte");
	if (memchr(buffer, '\n', length))
		return err_set(err, ERR_USAGE, "standard input holds more than one line");
	secret_set(ret_password, buffer, length);
	return 0;
}

int master_password_ask(const char *id, struct secret *ret_password, struct err *err)
{
	CLEANUP(mem_cleanup)
	char *question = mem_printf("New master password for instance \"%s\":", id);

	return prompt_new_secret(question, "The same again:", ret_password, err);
}

int master_password_check(const struct secret *password, struct err *err)
{
	const char *why;

	if (rds_is_password(password, &why))
		return 0;
	return err_set(err, ERR_USAGE, "the master password is not allowed: it %s", why);
}

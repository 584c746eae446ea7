#include "term/prompt.h"

#include "base/interrupt.h"
#include "base/mem.h"
#include "term/out.h"
#include "term/progress.h"
#include "term/safe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/select.h>
#include <termios.h>
#include <unistd.h>

#define SECRET_ATTEMPTS 3

/*
 * Signals that would leave the terminal without echo and that base/interrupt.h leaves alone. They
 * are blocked and let in only while we wait for a key. Not SIGTTOU and SIGTTIN: in the background
 * it is they who keep us from touching the terminal.
 */
static const int guarded_signals[] = { SIGTSTP, SIGQUIT, SIGALRM, SIGPIPE, SIGPROF, SIGUSR1,
	SIGUSR2, SIGVTALRM, SIGXCPU, SIGXFSZ };

static volatile sig_atomic_t guarded_pending;

struct terminal {
	int fd;
	bool changed; /* echo is off; settings holds what was */
	struct termios settings;
	bool guarded; /* the signals are; mask and actions hold what was */
	sigset_t mask;
	struct sigaction actions[ARRAY_SIZE(guarded_signals)];
};

#define TERMINAL_INIT                                                                              \
	{                                                                                          \
		.fd = -1                                                                           \
	}

static void note_signal(int signal_number)
{
	guarded_pending = signal_number;
}

static void guard_begin(struct terminal *terminal)
{
	const struct sigaction note = { .sa_handler = note_signal };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(guarded_signals); i++)
		sigaddset(&set, guarded_signals[i]);
	sigprocmask(SIG_BLOCK, &set, &terminal->mask);
	for (size_t i = 0; i < ARRAY_SIZE(guarded_signals); i++) {
		sigaction(guarded_signals[i], NULL, &terminal->actions[i]);
		if (terminal->actions[i].sa_handler != SIG_IGN)
			sigaction(guarded_signals[i], &note, NULL);
	}
	terminal->guarded = true;
}

static void guard_end(struct terminal *terminal)
{
	if (!terminal->guarded)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(guarded_signals); i++)
		sigaction(guarded_signals[i], &terminal->actions[i], NULL);
	sigprocmask(SIG_SETMASK, &terminal->mask, NULL);
	terminal->guarded = false;
}

static int terminal_open(struct terminal *terminal, struct err *err)
{
	progress_make_room();
	terminal->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (terminal->fd < 0)
		return err_set(err, ERR_FAILED, "there is no terminal to ask on");
	interrupt_install();
	guard_begin(terminal);
	return 0;
}

/* Without echo. What was typed before the question, and so was seen, does not count. */
static int echo_off(struct terminal *terminal, struct err *err)
{
	struct termios quiet;

	if (tcgetattr(terminal->fd, &terminal->settings) != 0)
		return err_errno(err, "could not read the terminal's settings");
	quiet = terminal->settings;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	quiet.c_lflag |= ICANON | ISIG;
	while (tcsetattr(terminal->fd, TCSAFLUSH, &quiet) != 0)
		if (errno != EINTR)
			return err_errno(err, "could not turn the terminal's echo off");
	terminal->changed = true;
	return 0;
}

static void echo_back(struct terminal *terminal)
{
	sigset_t set, before;

	if (!terminal->changed)
		return;
	/* Also from the background, where the terminal would stop us for it. */
	sigemptyset(&set);
	sigaddset(&set, SIGTTOU);
	sigprocmask(SIG_BLOCK, &set, &before);
	while (tcsetattr(terminal->fd, TCSADRAIN, &terminal->settings) != 0 && errno == EINTR)
		;
	sigprocmask(SIG_SETMASK, &before, NULL);
	terminal->changed = false;
}

static void terminal_close(struct terminal *terminal)
{
	echo_back(terminal);
	guard_end(terminal);
	if (terminal->fd >= 0)
		close(terminal->fd);
	terminal->fd = -1;
}

static void show(const struct terminal *terminal, const char *text)
{
	CLEANUP(mem_cleanup) char *safe = safe_text(text, SAFE_LINES);
	size_t length = strlen(safe);

	for (size_t at = 0; at < length;) {
		ssize_t written = write(terminal->fd, safe + at, length - at);

		if (written < 0 && errno != EINTR)
			return;
		if (written > 0)
			at += (size_t)written;
	}
}

/* --- reading a line --------------------------------------------------------------------------- */

/* True when a byte can be read; false when a signal came first. */
static bool wait_readable(const struct terminal *terminal)
{
	int wake = interrupt_fd();
	int highest = wake > terminal->fd ? wake : terminal->fd;
	fd_set set;

	FD_ZERO(&set);
	FD_SET(terminal->fd, &set);
	FD_SET(wake, &set);
	if (pselect(highest + 1, &set, NULL, NULL, NULL, &terminal->mask) < 0)
		return false;
	return !FD_ISSET(wake, &set);
}

/* Ends or stops as the signal says, with the terminal as it was; goes on after a stop. */
static int obey_guarded(struct terminal *terminal, struct err *err)
{
	int signal_number = guarded_pending;
	bool quiet = terminal->changed;

	guarded_pending = 0;
	echo_back(terminal);
	guard_end(terminal);
	raise(signal_number);
	guard_begin(terminal);
	return quiet ? echo_off(terminal, err) : 0;
}

/* Whether c can be taken; a NUL byte would end the answer for whoever compares it. */
static int check_next(const struct terminal *terminal, char c, size_t length, struct err *err)
{
	if (c != '\0' && length < PROMPT_ANSWER_MAX)
		return 0;
	/* What is left of the line is no command for the shell, which reads there next. */
	tcflush(terminal->fd, TCIFLUSH);
	if (c == '\0')
		return err_set(err, ERR_FAILED, "the answer holds a NUL character");
	return err_set(
		err, ERR_FAILED, "the answer is longer than %d characters", PROMPT_ANSWER_MAX);
}

/*
 * Reads up to a newline, which is dropped, into buffer of PROMPT_ANSWER_MAX bytes. *ret_end: the
 * input ended before there was one.
 */
static int read_line(struct terminal *terminal, const char *question, char *buffer,
	size_t *ret_length, bool *ret_end, struct err *err)
{
	size_t length = 0;

	for (;;) {
		ssize_t got;
		char c;

		if (interrupt_check(err) != 0)
			return -1;
		if (guarded_pending) {
			if (obey_guarded(terminal, err) != 0)
				return -1;
			show(terminal, question);
			length = 0;
		}
		if (!wait_readable(terminal))
			continue;
		got = read(terminal->fd, &c, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, "could not read from the terminal");
		if (got == 0 || c == '\n') {
			/* A line that was not finished was not meant. */
			*ret_end = got == 0;
			*ret_length = got == 0 ? 0 : length;
			return 0;
		}
		if (check_next(terminal, c, length, err) != 0)
			return -1;
		buffer[length++] = c;
	}
}

static int ask(struct terminal *terminal, const char *question, char *buffer, size_t *ret_length,
	bool *ret_end, struct err *err)
{
	CLEANUP(mem_cleanup) char *text = mem_printf("%s ", question);
	int result;

	show(terminal, text);
	result = read_line(terminal, text, buffer, ret_length, ret_end, err);
	/* The newline that was typed was not echoed; nor was there one at an end of input. */
	if (terminal->changed || result != 0 || *ret_end)
		show(terminal, "\n");
	return result;
}

/* --- questions -------------------------------------------------------------------------------- */

bool prompt_possible(void)
{
	CLEANUP(terminal_close) struct terminal terminal = TERMINAL_INIT;

	terminal.fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	return terminal.fd >= 0;
}

int prompt_line(const char *question, char **ret_answer, struct err *err)
{
	CLEANUP(terminal_close) struct terminal terminal = TERMINAL_INIT;
	char buffer[PROMPT_ANSWER_MAX];
	size_t length = 0;
	bool end = false;

	if (terminal_open(&terminal, err) != 0)
		return -1;
	/* What was typed or pasted before the question is no answer to it. */
	tcflush(terminal.fd, TCIFLUSH);
	if (ask(&terminal, question, buffer, &length, &end, err) != 0)
		return -1;
	*ret_answer = end ? NULL : mem_strndup(buffer, length);
	return 0;
}

int prompt_yes(const char *question, bool *ret_yes, struct err *err)
{
	CLEANUP(mem_cleanup) char *answer = NULL;

	if (prompt_line(question, &answer, err) != 0)
		return -1;
	*ret_yes = answer && (strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0);
	return 0;
}

static void buffer_wipe(char (*buffer)[PROMPT_ANSWER_MAX])
{
	mem_wipe(*buffer, sizeof(*buffer));
}

int prompt_secret(const char *question, struct secret *ret_secret, struct err *err)
{
	CLEANUP(terminal_close) struct terminal terminal = TERMINAL_INIT;
	CLEANUP(buffer_wipe) char buffer[PROMPT_ANSWER_MAX];
	size_t length = 0;
	bool end = false;

	if (terminal_open(&terminal, err) != 0 || echo_off(&terminal, err) != 0 ||
		ask(&terminal, question, buffer, &length, &end, err) != 0)
		return -1;
	secret_set(ret_secret, buffer, length);
	return 0;
}

/* Echo stays off between the two questions. */
static int ask_twice(struct terminal *terminal, const char *question, const char *question_again,
	struct secret *secret, bool *ret_same, struct err *err)
{
	CLEANUP(buffer_wipe) char first[PROMPT_ANSWER_MAX];
	CLEANUP(buffer_wipe) char second[PROMPT_ANSWER_MAX];
	size_t first_length = 0, second_length = 0;
	bool end = false;

	if (ask(terminal, question, first, &first_length, &end, err) != 0)
		return -1;
	if (first_length == 0)
		return err_set(err, ERR_FAILED, "nothing was typed");
	if (ask(terminal, question_again, second, &second_length, &end, err) != 0)
		return -1;
	*ret_same = first_length == second_length && memcmp(first, second, first_length) == 0;
	if (*ret_same)
		secret_set(secret, first, first_length);
	return 0;
}

int prompt_new_secret(const char *question, const char *question_again, struct secret *ret_secret,
	struct err *err)
{
	CLEANUP(terminal_close) struct terminal terminal = TERMINAL_INIT;
	bool same = false;

	if (terminal_open(&terminal, err) != 0 || echo_off(&terminal, err) != 0)
		return -1;
	for (int i = 0; i < SECRET_ATTEMPTS && !same; i++) {
		if (i > 0)
			show(&terminal, "They are not the same. Once more.\n");
		if (ask_twice(&terminal, question, question_again, ret_secret, &same, err) != 0)
			return -1;
	}
	if (!same)
		return err_set(err, ERR_FAILED, "the two answers were never the same");
	return 0;
}

/*
 * Questions to the person at the terminal. They are shown on and answered from /dev/tty, whatever
 * stdin and stdout are, so that neither a pipe nor a log takes part. While a secret is typed
 * nothing is echoed; the terminal is put back whichever way that ends: an answer, an error, a
 * signal that ends the program or stops it for a while. The first question installs
 * base/interrupt.h's handlers.
 */
#ifndef TERM_PROMPT_H
#define TERM_PROMPT_H

#include "base/err.h"
#include "base/secret.h"

/* The longest answer, in bytes; what is longer fails, as does one with a NUL byte. */
#define PROMPT_ANSWER_MAX 1024

/* True when there is a terminal to ask on. */
bool prompt_possible(void);

/*
 * Shows question and a blank, and reads a line. Only y and yes, in any case, are a yes; an end of
 * input is a no. Fails with FAILED (no terminal, an answer as above) and INTERRUPTED.
 */
int prompt_yes(const char *question, bool *ret_yes, struct err *err);

/*
 * Shows question and a blank, and reads a line, which is the caller's; *ret_answer is NULL when the
 * input ended. Fails as prompt_yes does.
 */
int prompt_line(const char *question, char **ret_answer, struct err *err);

/*
 * Asks for a secret once, without echo. Where nothing was typed, or the input ended, it is not set.
 * Fails as prompt_yes does.
 */
int prompt_secret(const char *question, struct secret *ret_secret, struct err *err);

/*
 * Asks for a secret twice, without echo. Two different answers are asked for again, three times in
 * all. The secret is set on success only, and then not empty. Fails with FAILED (no terminal,
 * nothing typed, never the same, an answer as above) and INTERRUPTED.
 */
int prompt_new_secret(const char *question, const char *question_again, struct secret *ret_secret,
	struct err *err);

#endif

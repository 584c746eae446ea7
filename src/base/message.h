/*
 * Formats messages in which text from outside cannot begin a line of its own, and so not pass for
 * what we say. A newline and a tab in it become \n and \t; what else a terminal would obey is for
 * term/safe.h, which lets these two pass. Passwords in such text are hidden (base/redact.h).
 */
#ifndef BASE_MESSAGE_H
#define BASE_MESSAGE_H

#include "base/strbuf.h"

/*
 * As mem_printf, for a message: text from outside stands in double quotes there, so every %s
 * between such is kept to one line; the others pass. Knows the conversions d i u x X c s f g with
 * flags, width, precision and l ll z; any other stops the program (BUG).
 */
char *message_format(const char *format, ...) PRINTF_LIKE(1, 2);
char *message_vformat(const char *format, va_list arguments) PRINTF_LIKE(1, 0);

/* For what is no message: passwords are not hidden. */
char *message_vformat_data(const char *format, va_list arguments) PRINTF_LIKE(1, 0);

/* For a part of a message, without quotes of its own: every %s is kept to one line. */
char *message_line(const char *format, ...) PRINTF_LIKE(1, 2);
void message_add(struct strbuf *list, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * A word of a command that is told to be typed, quoted for a POSIX shell where it has to be; the
 * caller owns it. One with characters that term/safe.h does not let pass is written as $'…', which
 * bash and zsh read. Passwords are hidden.
 */
char *message_shell_word(const char *word);

#endif

/* JSON on stdout. */
#ifndef TERM_JSON_H
#define TERM_JSON_H

#include <jansson.h>

/*
 * A JSON string, null for NULL. Text that is not UTF-8 cannot be one: its bytes are shown instead.
 * The caller owns it.
 */
json_t *out_json_text(const char *text);

/*
 * Prints a value, indented, in ASCII (what is invisible or turns the text around on a terminal is
 * escaped too), and a newline; takes the reference.
 */
void out_json(json_t *value);

#endif

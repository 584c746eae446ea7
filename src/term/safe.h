/*
 * Makes text from outside (server, files, AWS, file names, arguments) safe to print: control
 * characters are shown, not obeyed.
 */
#ifndef TERM_SAFE_H
#define TERM_SAFE_H

#include "base/strbuf.h"

enum safe_mode {
	SAFE_LINE,  /* newline and tab are shown too, as \n and \t: for table cells and names */
	SAFE_LINES, /* newline and tab pass: for messages of several lines */
};

/*
 * Appends text to out. C0 controls, DEL and C1 controls become \xHH or \n, \r, \t; bidirectional
 * controls, line separators and other invisible format characters become \uHHHH; bytes that are not
 * valid UTF-8 become \xHH. Everything else passes unchanged.
 */
void safe_add(struct strbuf *out, const char *text, size_t length, enum safe_mode mode);

/* The same for a whole string, as a new string that the caller owns; NULL gives NULL. */
char *safe_text(const char *text, enum safe_mode mode);

/* Columns a terminal needs for safe text: wide characters count 2, combining ones 0. */
size_t safe_width(const char *text, size_t length);

#endif

/* Words in data that stand for the time of day: 'now', 'today', 'tomorrow', 'yesterday'. */
#ifndef SQL_INPUTS_DATES_H
#define SQL_INPUTS_DATES_H

#include "base/base.h"

/*
 * The first of them that may be a date of its own: at the beginning of the text, or of an element
 * of an array, a range, a row or JSON, or of a field of COPY data; NULL: there is none. What else
 * is in the element has to leave it a date as far as can be told ('today 08:00 CET', not 'today we
 * went'). *ret_length is that of the word.
 */
const char *dates_find(const char *text, size_t length, size_t *ret_length);

#endif

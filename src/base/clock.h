/* Monotonic time. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Milliseconds of a clock that never goes back; the origin means nothing. */
int64_t clock_ms(void);

/* Microseconds of the same clock. */
int64_t clock_us(void);

/* Sleeps that long or until a caught signal comes (base/interrupt.h). */
void clock_sleep_ms(int64_t milliseconds);

/* "12 ms", "1.34 s", "2 min 5 s" into buffer; returns buffer. */
char *clock_format(int64_t microseconds, char *buffer, size_t size);

/* "12s", "3m05s", "2h10m", "4d03h" into buffer; returns buffer. */
char *clock_format_age(int64_t seconds, char *buffer, size_t size);

#endif

#include "base/clock.h"

#include "base/interrupt.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>

int64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_ms(void)
{
	return clock_us() / 1000;
}

void clock_sleep_ms(int64_t milliseconds)
{
	struct pollfd wake = { .fd = interrupt_fd(), .events = POLLIN };

	/* poll ignores a negative descriptor. */
	poll(&wake, 1, (int)milliseconds);
}

char *clock_format(int64_t microseconds, char *buffer, size_t size)
{
	int64_t seconds = microseconds / 1000000;

	if (microseconds < 10000)
		snprintf(buffer, size, "%.1f ms", (double)microseconds / 1000);
	else if (microseconds < 1000000)
		snprintf(buffer, size, "%" PRId64 " ms", microseconds / 1000);
	else if (seconds < 60)
		snprintf(buffer, size, "%.2f s", (double)microseconds / 1000000);
	else
		snprintf(buffer, size, "%" PRId64 " min %" PRId64 " s", seconds / 60, seconds % 60);
	return buffer;
}

char *clock_format_age(int64_t seconds, char *buffer, size_t size)
{
	if (seconds < 60)
		snprintf(buffer, size, "%" PRId64 "s", seconds);
	else if (seconds < 3600)
		snprintf(buffer, size, "%" PRId64 "m%02" PRId64 "s", seconds / 60, seconds % 60);
	else if (seconds < 86400)
		snprintf(buffer, size, "%" PRId64 "h%02" PRId64 "m", seconds / 3600,
			seconds / 60 % 60);
	else
		snprintf(buffer, size, "%" PRId64 "d%02" PRId64 "h", seconds / 86400,
			seconds / 3600 % 24);
	return buffer;
}

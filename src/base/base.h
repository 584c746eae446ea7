/*
 * The few macros every floor uses.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The variable is released by fn(&variable) when its scope ends, whichever way it ends. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

#define PRINTF_LIKE(format_index, first_argument)                                                  \
	__attribute__((format(printf, format_index, first_argument)))

#define NORETURN __attribute__((noreturn))

/*
 * Hands a pointer out of a scope that would release it: yields the value and leaves NULL behind,
 * so that the CLEANUP handler of the variable finds nothing.
 */
#define take_ptr(pointer)                                                                          \
	__extension__({                                                                            \
		__typeof__(&(pointer)) take_from_ = &(pointer);                                    \
		__typeof__(pointer) taken_ = *take_from_;                                          \
		*take_from_ = NULL;                                                                \
		taken_;                                                                            \
	})

#endif

/* A script's bytes from a descriptor. */
#ifndef SQL_SOURCE_H
#define SQL_SOURCE_H

#include "sql/reader.h"

struct script_input {
	int fd;           /* from input_open (base/file.h); borrowed */
	const char *name; /* for messages */
};

/* The source that reads it; input must outlive the reader. A signal ends waiting for data. */
struct script_source script_source_of(struct script_input *input);

#endif

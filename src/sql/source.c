#include "sql/source.h"

#include "base/file.h"

static ssize_t read_input(void *context, char *buffer, size_t size, struct err *err)
{
	struct script_input *input = context;

	return input_read(input->fd, input->name, buffer, size, err);
}

struct script_source script_source_of(struct script_input *input)
{
	return (struct script_source){ .read = read_input, .context = input };
}

#include "sql/check.h"

#include "sql/classify.h"

#include <stdio.h>

static void note(struct script_found *found, const struct script_statement *statement)
{
	const char *name = NULL;

	if (found->line > 0)
		return;
	classify_statement(statement->text, statement->length, &name);
	found->line = statement->line;
	found->column = statement->column;
	snprintf(found->name, sizeof(found->name), "%s", name ? name : "");
}

static int skip_copy(struct script_reader *reader, struct err *err)
{
	const char *data;
	size_t length;
	int result = script_reader_copy_begin(reader, err);

	if (result)
		return result;
	while ((result = script_reader_copy_data(reader, &data, &length, err)) > 0)
		continue;
	return result;
}

int script_check(const char *name, struct script_source source, struct script_summary *summary,
	struct err *err)
{
	CLEANUP(script_reader_cleanup)
	struct script_reader *reader = script_reader_new(name, source);
	struct script_summary found = { 0 };
	struct script_statement statement;
	int result;
	bool on;

	while ((result = script_reader_next(reader, &statement, err)) > 0) {
		found.statements++;
		switch (statement.class) {
		case SCRIPT_CLASS_TRANSACTION:
			note(&found.transaction, &statement);
			break;
		case SCRIPT_CLASS_NO_TRANSACTION:
			note(&found.no_transaction, &statement);
			break;
		case SCRIPT_CLASS_COPY_FROM_STDIN:
			found.copies++;
			if (skip_copy(reader, err))
				return -1;
			break;
		case SCRIPT_CLASS_OTHER:
			if (classify_standard_strings(statement.text, statement.length, &on))
				script_reader_set_standard_strings(reader, on);
			break;
		}
	}
	if (result)
		return -1;
	found.bytes = script_reader_bytes(reader);
	*summary = found;
	return 0;
}

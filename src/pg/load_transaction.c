/* A transaction of ours and those of the script: what may end them, and what stays then. */
#include "base/mem.h"
#include "pg/load_internal.h"
#include "sql/classify.h"

#include <string.h>

/* --- before --------------------------------------------------------------------------------- */

void load_hint_plain(const struct loader *loader, struct err *err)
{
	CLEANUP(mem_cleanup) char *hint = mem_strdup(err->hint);
	const char *said = hint ? hint : "", *blank = hint ? " " : "";

	if (loader->options->insist)
		err_hint(err, "%s%sWithout %s it can be run statement by statement.", said, blank,
			loader->options->insist);
	else
		err_hint(err,
			"%s%s--no-transaction of db-schema-load and db-seed runs it statement by "
			"statement.",
			said, blank);
}

/* In a transaction of ours the script's own BEGIN or COMMIT would end it half way. */
int load_check_allowed(
	struct loader *loader, const struct script_statement *statement, struct err *err)
{
	CLEANUP(mem_cleanup) char *what = NULL;

	if (!loader->transaction)
		return 0;
	if (statement->class == SCRIPT_CLASS_TRANSACTION)
		what = mem_printf(
			"%s: the script controls transactions itself", statement->class_name);
	else if (statement->class == SCRIPT_CLASS_NO_TRANSACTION)
		what = mem_printf("%s cannot run in a transaction", statement->class_name);
	else
		return 0;
	if (!loader->any_statement && !loader->options->insist)
		return load_give_up_transaction(loader, what, err);
	err_set(err, ERR_SQL, "%s", what);
	if (loader->generator)
		load_place(loader->generator, err);
	else
		origin_place(&statement->origin, statement->text, statement->length,
			statement->class_at, err);
	load_hint_plain(loader, err);
	return -1;
}

/* --- after ---------------------------------------------------------------------------------- */

/* ROLLBACK TO a savepoint has the same tag. */
static bool is_rollback_to(const struct loader *loader)
{
	const struct load_batch *batch = &loader->batch;
	const struct load_item *item = &batch->items[0];
	const char *text = batch->sent + item->at;
	size_t at = load_part_at(loader, text, item->length, batch->answers);

	return classify_statement(text + at, item->length - at, NULL) != SCRIPT_CLASS_TRANSACTION;
}

/*
 * In a statement that holds several, and in one that was not seen to, a transaction may end in the
 * midst: what stays is known only now.
 */
void load_note_end(struct loader *loader, const char *tag)
{
	struct load_counts *counts = loader->counts;

	if (strcmp(tag, "COMMIT") == 0 || strcmp(tag, "PREPARE TRANSACTION") == 0) {
		counts->kept = counts->statements - counts->undone;
		counts->divided = true;
		loader->begun_line = 0;
	} else if (loader->batch.count == 1 && strcmp(tag, "ROLLBACK") == 0 &&
		   counts->kept + counts->undone < counts->statements && !is_rollback_to(loader)) {
		counts->undone = counts->statements - counts->kept - 1;
		loader->begun_line = 0;
	}
}

/* A commit inside a procedure or behind \gexec would leave us without what we promised. */
int load_follow_transaction(struct loader *loader, const struct load_item *last, struct err *err)
{
	PGTransactionStatusType status = PQtransactionStatus(loader->conn->pg);

	if (status == PQTRANS_IDLE) {
		struct load_counts *counts = loader->counts;
		uint64_t ended = counts->statements - counts->kept - counts->undone;

		loader->begun_line = 0;
		counts->divided = false;
		*(loader->batch.rolls_back ? &counts->undone : &counts->kept) += ended;
	} else if (loader->begun_line == 0) {
		loader->begun_file = last->origin.file;
		loader->begun_line = last->origin.start.line;
	}
	if (!loader->transaction || status != PQTRANS_IDLE || loader->batch.commits)
		return 0;
	err_set(err, ERR_SQL, "the script ended the transaction it was run in");
	load_place_item(loader, last, 0, err);
	load_hint_plain(loader, err);
	return -1;
}

/* In a transaction of the script nothing takes effect before the COMMIT that ends it. */
void load_note_loss(struct loader *loader, const struct err *err)
{
	const struct load_batch *batch = &loader->batch;
	const struct load_item *last = &batch->items[batch->count - 1];

	if (err->kind != ERR_CONNECT || loader->transaction ||
		(batch->done == batch->count && !last->several))
		return;
	loader->counts->unanswered =
		loader->begun_line == 0 || last->class == SCRIPT_CLASS_TRANSACTION;
}

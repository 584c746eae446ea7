#include "app/doctor_watch.h"

#include "base/clock.h"
#include "base/mem.h"
#include "pg/conn_message.h"

#include <string.h>

static void attempt_release(struct attempt *attempt)
{
	mem_free(attempt->version);
	mem_free(attempt->cipher);
	certificate_release(&attempt->certificate);
	*attempt = (struct attempt){ 0 };
}

void watch_release(struct watch *watch)
{
	attempt_release(&watch->now);
	attempt_release(&watch->best);
	*watch = (struct watch)WATCH_INIT;
}

static enum rank rank_of(ConnStatusType status)
{
	switch (status) {
	case CONNECTION_BAD:
		return RANK_NONE;
	case CONNECTION_AWAITING_RESPONSE:
		return RANK_ASKED;
	case CONNECTION_AUTH_OK:
	case CONNECTION_CONSUME:
	case CONNECTION_CHECK_WRITABLE:
	case CONNECTION_CHECK_TARGET:
	case CONNECTION_CHECK_STANDBY:
		return RANK_LET_IN;
	case CONNECTION_OK:
		return RANK_READY;
	default:
		return RANK_BEGUN;
	}
}

static void note_tls(struct attempt *attempt, PGconn *pg)
{
	attempt->is_gss = PQgssEncInUse(pg);
	attempt->is_tls = PQsslInUse(pg);
	if (!attempt->is_tls)
		return;
	attempt->version = mem_strdup(PQsslAttribute(pg, "protocol"));
	attempt->cipher = mem_strdup(PQsslAttribute(pg, "cipher"));
	certificate_of(pg, &attempt->certificate);
}

/* The attempt is over, and message is what libpq has said since it began. */
static void end_attempt(struct watch *watch, const char *message)
{
	const int weight = conn_message_weight(message);

	if (weight > watch->best_weight ||
		(weight == watch->best_weight && (watch->now.is_tls || !watch->best.is_tls))) {
		attempt_release(&watch->best);
		watch->best = watch->now;
		watch->best_weight = weight;
		watch->now = (struct attempt){ 0 };
	}
	attempt_release(&watch->now);
}

/* A handle of its own is another address, tried because those before it were not reached. */
static void begin_handle(struct watch *watch, PGconn *pg)
{
	const int64_t begun = watch->pg ? clock_us() : watch->now.begun;

	watch_release(watch);
	watch->now.begun = begun;
	watch->pg = pg;
	watch->has_ended = false;
	watch->said = strlen(PQerrorMessage(pg));
}

void watch_look(void *context, PGconn *pg)
{
	struct watch *watch = context;
	struct attempt *now = &watch->now;
	const enum rank rank = rank_of(PQstatus(pg));
	const char *message = PQerrorMessage(pg);
	const int64_t at = clock_us();

	if (watch->has_ended || watch->pg != pg)
		begin_handle(watch, pg);
	/* libpq says whereto it connects when it begins, and adds why that failed. */
	if (rank == RANK_NONE || (rank == RANK_BEGUN && strlen(message) > watch->said)) {
		end_attempt(watch, message + watch->said);
		watch->said = strlen(message);
	}
	watch->has_ended = rank == RANK_NONE;
	if (rank == RANK_NONE)
		return;
	if (!now->begun)
		now->begun = at;
	if (rank >= RANK_ASKED && now->asked)
		now->answered = now->answered ? now->answered : at;
	if (rank >= RANK_ASKED && !now->asked) {
		now->asked = at;
		note_tls(now, pg);
	}
	if (rank >= RANK_LET_IN && !now->let_in)
		now->let_in = at;
	if (rank == RANK_READY)
		now->ready = at;
	now->used_password = PQconnectionUsedPassword(pg);
	now->rank = rank;
}

const struct attempt *watch_failed(const struct watch *watch)
{
	return watch->has_ended ? &watch->best : &watch->now;
}

/*
 * What libpq does while db-doctor has it connect. It may try more than once, with TLS and without
 * (sslmode=prefer and allow) or at several hosts.
 */
#ifndef APP_DOCTOR_WATCH_H
#define APP_DOCTOR_WATCH_H

#include "pg/certificate.h"
#include "pg/conn.h"

/* How far an attempt has come, in the order in which libpq goes. */
enum rank { RANK_NONE, RANK_BEGUN, RANK_ASKED, RANK_LET_IN, RANK_READY };

/* Times are clock_us; 0: it has not come so far. */
struct attempt {
	enum rank rank;
	int64_t begun, asked, answered, let_in, ready;
	bool is_tls, is_gss, used_password;
	char *version, *cipher;
	struct certificate certificate;
};

struct watch {
	/* The last one, with its begun set before the first look; of those that have failed the one
	 * that tells why. */
	struct attempt now, best;
	int best_weight; /* conn_message_weight; 0: none has failed */
	PGconn *pg;
	bool has_ended;
	size_t said; /* bytes of libpq's message that are about attempts before the last one */
};

#define WATCH_INIT                                                                                 \
	{                                                                                          \
		.has_ended = true                                                                  \
	}

/* For struct conn_observer; context is the watch. */
void watch_look(void *context, PGconn *pg);

/*
 * The attempt that came furthest, where all have failed; of equals the one over TLS, then the last.
 * Where one was cut short, that.
 */
const struct attempt *watch_failed(const struct watch *watch);

/* Usable as a CLEANUP handler. */
void watch_release(struct watch *watch);

#endif

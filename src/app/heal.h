/*
 * What a reset that was killed outright leaves is put right by the next command that creates,
 * drops, resets or protects the database.
 */
#ifndef APP_HEAL_H
#define APP_HEAL_H

#include "app/guard.h"
#include "pg/sibling.h"

enum healed {
	HEAL_NOTHING,    /* there was nothing to heal */
	HEAL_RESTORED,   /* the old database has its name back */
	HEAL_REMOVED,    /* there was no old one; the half-made one is out of the way */
	HEAL_SUPERSEDED, /* an old one is still aside, but what has its name is no longer known to
			    be what the reset had begun, or it is another role's: nothing was
			    touched */
};

/* The database under the real name is one that a reset has not completed. */
bool heal_is_half_made(const struct siblings *siblings);

/*
 * To be called with the lock of the database held (database_lock), so that nobody is resetting it.
 * siblings is what siblings_find says, and is found anew when something was changed. Only renames:
 * a half-made database stays as one of kind KILLED until the next reset that succeeds, since
 * somebody may have gone on with it. With own it is the reset of the caller that has failed: the
 * old database comes back whatever is under its name, and that is to be dropped. Sessions in what
 * is renamed are ended. Fails as databases_change does.
 */
int heal(struct conn *conn, const char *database, struct siblings *siblings, bool own,
	enum healed *ret_healed, struct err *err);

/*
 * Takes the lock of the context's database, saying for whom it waits if it does, finds its
 * siblings, and makes sure that a pooler leads to it by its name (app/alias.h). makes: the caller
 * makes the database and connects to it; while there is none the pooler is not asked then, which
 * for a while would lead nobody to a database that it has not found.
 */
int heal_lock(struct context *context, struct conn *conn, bool makes, struct siblings *siblings,
	struct err *err);

/* Heals and tells where we may; a standby, and who may not create databases, heal nothing. What has
 * its name back is looked for through a pooler as well. */
int heal_found(
	struct context *context, struct conn *conn, struct siblings *siblings, struct err *err);

/* Both, and in between has the guard decide (NULL: nothing is to be decided). */
int heal_locked(struct context *context, struct conn *conn, const struct guard *guard, bool makes,
	struct siblings *siblings, struct err *err);

/*
 * Has the guard decide by the mark of the database, or of what a killed reset has left of it, which
 * it names; where guard->clears also by that of what goes with it.
 */
int heal_decide(const struct guard *guard, struct conn *conn, const struct siblings *siblings,
	struct err *err);

/* The comment that says whether the database is protected, also when a killed reset has put it
 * aside, or when only its snapshots are left; NULL: none. */
const char *heal_comment(const struct siblings *siblings);

/*
 * Drops those of its siblings that are marked as to be dropped. One that cannot be dropped now
 * stays for the next time, which is said with -v.
 */
void drop_unwanted(struct conn *conn, const struct siblings *siblings);

/* The name for a database that is to be dropped, or was left by a killed reset; the caller owns it.
 */
char *heal_name(const char *database, enum mark_kind kind, uint32_t oid);

/*
 * After the database itself was dropped: drops what dbrig kept beside it for resets, and says which
 * snapshots stay.
 */
int drop_kept(struct conn *conn, const struct siblings *siblings, struct err *err);

#endif

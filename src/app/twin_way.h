/* Where the URLs lead that app/twin.h compares, without asking anybody but name servers. */
#ifndef APP_TWIN_WAY_H
#define APP_TWIN_WAY_H

#include "pg/conn.h"
#include "pg/probe.h"
#include "pg/target.h"

/* The URL's database, or what libpq would take for it: PGDATABASE, else the user's name. The caller
 * owns it; NULL: nothing is known. */
char *twin_database(const struct env *env, const struct target *target);

/* The way there in full: a pooler may choose a server by user or database. The caller owns it. */
char *twin_key(const struct params *params, const char *database, const struct probe *probe);

/*
 * When (clock_ms) all questions to name servers and to other servers have to be answered: three
 * seconds after the first call with that *deadline, which is 0 before it.
 */
int64_t twin_deadline(int64_t *deadline);

/* Where a tunnel may end: what is there today may be elsewhere tomorrow. */
bool twin_is_local(const struct probe *probe);

/* By what libpq would use and what it has used. deadline: as above; NULL: no names are looked up.
 */
bool twin_is_same_place(const struct probe *probe, struct conn *conn, int64_t *deadline);

/* A socket and an address of this machine with the same port: most likely one server. */
bool twin_is_near(const struct probe *probe, struct conn *conn);

/* There are several places, of which only one would be asked, and one is on this machine, as we
 * are, with the same port. */
bool twin_is_one_of_several(const struct probe *probe, struct conn *conn);

/*
 * Whether a name that no database has may stand for ours: they differ in case, or by a slash, a
 * blank and the like at an end; or ours is where it begins, before a sign that ends a word
 * ("shop?sslmode=disable"); or it is one of a template ("${DB}").
 */
bool twin_is_misspelt(const char *missing, const char *own);

#endif

/* Tells the user what is about to be destroyed. */
#ifndef APP_HOLDINGS_H
#define APP_HOLDINGS_H

#include "app/context.h"

/*
 * Tells what the target's database holds, on stderr: size, owner, largest tables, sessions, and
 * for a host on RDS the last snapshot. What cannot be found out is said in its line and is no
 * error. killed: and what killed resets have left beside it. Takes some ten seconds at most. A
 * signal ends it and is left pending: the caller looks. Nothing is asked when nothing would be
 * shown (-q).
 */
void holdings_tell(struct context *context, struct conn *maintenance, bool killed);

#endif

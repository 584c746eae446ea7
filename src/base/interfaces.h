/* The network interfaces of this machine. */
#ifndef BASE_INTERFACES_H
#define BASE_INTERFACES_H

#include "base/address.h"

/*
 * Whether a connection to the address ends on this machine: it is one of the loopback's or of an
 * interface's, or the unspecified one (0.0.0.0, ::), which stands for them.
 */
bool interfaces_have(const struct address *address);

#endif

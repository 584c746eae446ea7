/*
 * The way to a server below libpq: names, addresses, sockets. Nothing is said to the server.
 * Whatever waits looks at signals and ends with INTERRUPTED.
 */
#ifndef PG_PROBE_H
#define PG_PROBE_H

#include "pg/params.h"

#include <sys/socket.h>

#define PROBE_ADDRESS_SIZE 128

enum probe_state { PROBE_UNTRIED, PROBE_OPEN, PROBE_FAILED };

struct probe_address {
	size_t place; /* index of the place it is of */
	struct sockaddr_storage socket;
	socklen_t length;
	char text[PROBE_ADDRESS_SIZE]; /* "10.0.0.1", "fe80::1%eth0", a socket's path */
	enum probe_state state;
	int error;  /* errno of a failure; ETIMEDOUT: no answer in the time given */
	int64_t us; /* how long the connection took, when open */
};

/* One host of the parameters. */
struct probe_place {
	char *host;    /* name, address or directory of a socket */
	char *address; /* hostaddr; NULL: host is looked up */
	char *port;
	bool is_socket;
};

struct probe {
	struct probe_place *places;
	size_t place_count;
	struct probe_address *addresses;
	size_t address_count;
};

#define PROBE_INIT                                                                                 \
	{                                                                                          \
		0                                                                                  \
	}

/*
 * What libpq makes of a parameter: that of params, else of the service file, the environment, or
 * libpq's default. The caller owns it; NULL: nothing.
 */
char *probe_param(const struct params *params, const char *keyword);

/* False: params name a service that no file has (or that has nothing), so what else libpq would use
 * cannot be known. */
bool probe_has_service(const struct params *params);

/*
 * What libpq finds wrong with the service that params or PGSERVICE name, such as that no file has
 * it, in its words; the caller owns it. NULL: nothing, or none is named. Nothing is connected.
 */
char *probe_service_trouble(const struct params *params);

/* The hosts of the parameters in their order. USAGE where hosts, addresses and ports do not agree.
 */
int probe_places(struct probe *probe, const struct params *params, struct err *err);

/*
 * Looks all hosts up, each for timeout_ms at most. 1: none has an address, and *ret_reason (the
 * caller's) is why, in libpq's words. -1: INTERRUPTED, or FAILED.
 */
int probe_look_up(struct probe *probe, int64_t timeout_ms, char **ret_reason, struct err *err);

/*
 * Connects to all addresses at once and closes again. Returns as soon as one has answered and all
 * before it have, or have had a second longer; after timeout_ms in any case. 0: one is open. 1:
 * none; *ret_reason is why, in libpq's words. -1: INTERRUPTED, or FAILED.
 */
int probe_connect(struct probe *probe, int64_t timeout_ms, char **ret_reason, struct err *err);

/* The first address that was open, in the order libpq tries them; NULL: none. */
const struct probe_address *probe_first(const struct probe *probe);

/* Usable as a CLEANUP handler. */
void probe_release(struct probe *probe);

/* 1: the descriptor is ready; 0: the deadline (clock_ms) has passed; -1 with err set. */
int probe_wait(int fd, short events, int64_t deadline, struct err *err);

#endif

/* A server's certificate: what it says of itself, and asking a server for it. */
#ifndef PG_CERTIFICATE_H
#define PG_CERTIFICATE_H

#include "pg/probe.h"

#include <libpq-fe.h>

struct certificate {
	char *subject; /* "CN=db.example.com"; NULL: there is no certificate */
	char *issuer;
	char *names;    /* "db.example.com, 10.0.0.1": what it is for; NULL: no names */
	int64_t begins; /* seconds since 1970 */
	int64_t ends;
	bool is_self_signed;
	char *problem; /* why OpenSSL does not trust it; NULL: it does, or did not look */
};

#define CERTIFICATE_INIT                                                                           \
	{                                                                                          \
		0                                                                                  \
	}

/* That of an open connection; unchanged when there is none, or its TLS is not OpenSSL's. */
void certificate_of(PGconn *pg, struct certificate *certificate);

/*
 * Asks the server at address for TLS and takes the certificate it shows, trusted or not; the server
 * learns nothing but that (and host, by SNI, unless it is an address). root: the file of CAs to
 * judge it by; NULL: not judged. Fails with CONNECT where no TLS comes about, with INTERRUPTED.
 */
int certificate_ask(const struct probe_address *address, const char *host, const char *root,
	int64_t timeout_ms, struct certificate *certificate, struct err *err);

/* Usable as a CLEANUP handler. */
void certificate_release(struct certificate *certificate);

#endif

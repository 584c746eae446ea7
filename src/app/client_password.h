/*
 * The password that a client would ask for at the terminal. It is asked for before, so that it is
 * known of the database whether it is protected, and what comes of the options, before the client
 * is there; the client finds it where it would find the one of the URL.
 */
#ifndef APP_CLIENT_PASSWORD_H
#define APP_CLIENT_PASSWORD_H

#include "app/context.h"

struct client_password {
	bool asks;  /* for one that the server wants and nobody has given; set by the caller */
	bool asked; /* it was asked for, whatever was typed */
};

/*
 * Asks for it, as psql does, on /dev/tty; that of the URL counts no more, and where nothing is
 * typed there is none. Fails as prompt_secret does.
 */
int client_password_ask(struct context *context, struct client_password *password, struct err *err);

/*
 * Connects as context_connect does, and fails so. Where the server wants a password, and there is a
 * terminal, asks for it once.
 */
int client_password_connect(struct context *context, struct client_password *password,
	bool own_queries, struct conn **ret_conn, struct err *err);

#endif

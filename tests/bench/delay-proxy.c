/*
 * delay-proxy MILLISECONDS SOCKET: prints the port of 127.0.0.1 it listens on, and passes
 * connections on to that Unix socket as over a distance with this round trip: each direction is
 * late by half of it, as much as is sent and however fast. What was read waits in a queue with the
 * time at which it is due. Serves until it is killed. Making the TCP connection itself is not
 * delayed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 64
#define PIECE ((size_t)256 * 1024)
/* What may be under way in one direction; a sender is held up only beyond that. */
#define UNDER_WAY ((size_t)256 * 1024 * 1024)

struct piece {
	struct piece *next;
	double due; /* milliseconds */
	size_t length, done;
	char bytes[];
};

/* One direction of a connection. */
struct way {
	int from, to;
	struct piece *first, *last;
	size_t waiting;
	double eof_due; /* 0: more may come */
	int closed;
};

struct connection {
	int used;
	struct way ways[2];
};

static struct connection connections[CONNECTIONS];
static double delay;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static int listen_anywhere(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, 64) != 0 ||
		getsockname(fd, (struct sockaddr *)&address, &length) != 0)
		die("listen");
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return -1;
	return fd;
}

static void take_connection(int listener, const char *path)
{
	struct connection *connection = connections;
	int one = 1;
	int client = accept(listener, NULL, NULL);
	int server;

	if (client < 0)
		return;
	while (connection < connections + CONNECTIONS && connection->used)
		connection++;
	server = connection < connections + CONNECTIONS ? connect_to(path) : -1;
	if (server < 0) {
		close(client);
		return;
	}
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(client, F_SETFL, O_NONBLOCK);
	fcntl(server, F_SETFL, O_NONBLOCK);
	memset(connection, 0, sizeof(*connection));
	connection->used = 1;
	connection->ways[0] = (struct way){ .from = client, .to = server };
	connection->ways[1] = (struct way){ .from = server, .to = client };
}

static void take_bytes(struct way *way)
{
	struct piece *piece = malloc(sizeof(*piece) + PIECE);
	ssize_t length;

	if (piece == NULL)
		die("malloc");
	length = read(way->from, piece->bytes, PIECE);
	if (length <= 0) {
		if (length == 0 || (errno != EAGAIN && errno != EINTR))
			way->eof_due = now() + delay;
		free(piece);
		return;
	}
	piece = realloc(piece, sizeof(*piece) + (size_t)length);
	if (piece == NULL)
		die("realloc");
	piece->next = NULL;
	piece->length = (size_t)length;
	piece->done = 0;
	piece->due = now() + delay;
	if (way->last != NULL)
		way->last->next = piece;
	else
		way->first = piece;
	way->last = piece;
	way->waiting += piece->length;
}

static void drop_first(struct way *way)
{
	struct piece *piece = way->first;

	way->waiting -= piece->length;
	way->first = piece->next;
	if (way->first == NULL)
		way->last = NULL;
	free(piece);
}

/* Passes on what is due. False when the receiver is gone. */
static int pass_on(struct way *way)
{
	double time = now();

	while (way->first != NULL && way->first->due <= time) {
		struct piece *piece = way->first;
		ssize_t length =
			write(way->to, piece->bytes + piece->done, piece->length - piece->done);

		if (length < 0)
			return errno == EAGAIN || errno == EINTR;
		piece->done += (size_t)length;
		if (piece->done < piece->length)
			return 1;
		drop_first(way);
	}
	if (way->first == NULL && way->eof_due > 0 && way->eof_due <= time && !way->closed) {
		shutdown(way->to, SHUT_WR);
		way->closed = 1;
	}
	return 1;
}

static void end_connection(struct connection *connection)
{
	for (int i = 0; i < 2; i++)
		while (connection->ways[i].first != NULL)
			drop_first(&connection->ways[i]);
	close(connection->ways[0].from);
	close(connection->ways[1].from);
	connection->used = 0;
}

/* Fills fds, two for each connection, and makes *wake the time of what is due next. */
static nfds_t collect(struct pollfd *fds, int listener, double *wake)
{
	nfds_t count = 1;

	fds[0] = (struct pollfd){ .fd = listener, .events = POLLIN };
	for (struct connection *connection = connections; connection < connections + CONNECTIONS;
		connection++) {
		for (int i = 0; i < 2; i++) {
			struct way *way = &connection->ways[i];
			const struct way *back = &connection->ways[1 - i];
			struct pollfd *fd = &fds[count++];
			double due = way->first != NULL ? way->first->due : way->eof_due;

			*fd = (struct pollfd){ .fd = connection->used ? way->from : -1 };
			if (!connection->used)
				continue;
			if (way->eof_due == 0 && way->waiting < UNDER_WAY)
				fd->events |= POLLIN;
			/* Held up by the receiver. */
			if (back->first != NULL && back->first->due <= now())
				fd->events |= POLLOUT;
			if (fd->events == 0)
				fd->fd = -1;
			if (!way->closed && due > 0 && due > now() && (*wake == 0 || due < *wake))
				*wake = due;
		}
	}
	return count;
}

static void serve(int listener, const char *path)
{
	static struct pollfd fds[1 + 2 * CONNECTIONS];

	for (;;) {
		double wake = 0;
		nfds_t count = collect(fds, listener, &wake);
		double left = wake > 0 ? wake - now() : 0;
		struct timespec timeout = { 0 };

		if (left > 0) {
			timeout.tv_sec = (time_t)(left / 1e3);
			timeout.tv_nsec = (long)((left - (double)timeout.tv_sec * 1e3) * 1e6);
		}
		if (ppoll(fds, count, wake > 0 ? &timeout : NULL, NULL) < 0 && errno != EINTR)
			die("poll");
		for (size_t i = 0; i < 2 * CONNECTIONS; i++) {
			struct connection *connection = &connections[i / 2];
			struct way *way = &connection->ways[i % 2];

			if (!connection->used)
				continue;
			if (way->eof_due == 0 &&
				(fds[1 + i].revents & (POLLIN | POLLHUP | POLLERR)))
				take_bytes(way);
			if (!pass_on(way) || (way->closed && connection->ways[1 - i % 2].closed))
				end_connection(connection);
		}
		if (fds[0].revents & POLLIN)
			take_connection(listener, path);
	}
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: delay-proxy MILLISECONDS SOCKET\n", stderr);
		return 64;
	}
	delay = atof(argv[1]) / 2;
	signal(SIGPIPE, SIG_IGN);
	serve(listen_anywhere(), argv[2]);
	return 0;
}

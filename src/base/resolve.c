#include "base/resolve.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * What the thread and who waits for it share. The last of the two that lets go frees it: the thread
 * may outlive the wait, and the wait the thread.
 */
struct job {
	char *host, *port;
	struct addrinfo *list;
	int failure;         /* of getaddrinfo */
	int error;           /* errno, with EAI_SYSTEM */
	atomic_bool is_done; /* the above is there */
	int done[2];         /* a pipe with a byte in it then, to be waited for */
	atomic_int holders;
};

static void let_go(struct job *job)
{
	if (atomic_fetch_sub(&job->holders, 1) > 1)
		return;
	resolve_cleanup(&job->list);
	for (int i = 0; i < 2; i++)
		if (job->done[i] >= 0)
			close(job->done[i]);
	mem_free(job->host);
	mem_free(job->port);
	mem_free(job);
}

static void *work(void *context)
{
	const struct addrinfo wanted = { .ai_socktype = SOCK_STREAM };
	struct job *job = context;

	job->failure = getaddrinfo(job->host, job->port, &wanted, &job->list);
	job->error = errno;
	atomic_store(&job->is_done, true);
	/* Whatever becomes of it: nobody may be waiting any more. */
	while (write(job->done[1], "", 1) < 0 && errno == EINTR)
		;
	let_go(job);
	return NULL;
}

static struct job *job_new(const char *host, const char *port)
{
	struct job *job = mem_calloc(1, sizeof(*job));

	job->host = mem_strdup(host);
	job->port = mem_strdup(port);
	job->done[0] = job->done[1] = -1;
	atomic_init(&job->is_done, false);
	atomic_init(&job->holders, 1);
	return job;
}

/* Signals are the main thread's. 0 or an error number. */
static int start_thread(struct job *job)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, old;
	int error;

	error = pthread_attr_init(&attributes);
	if (error)
		return error;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	atomic_fetch_add(&job->holders, 1);
	error = pthread_create(&thread, &attributes, work, job);
	if (error)
		atomic_fetch_sub(&job->holders, 1);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attributes);
	return error;
}

static int start(struct job *job, struct err *err)
{
	int error;

	if (pipe(job->done) != 0)
		return err_errno(err, "could not make a pipe");
	for (int i = 0; i < 2; i++)
		fcntl(job->done[i], F_SETFD, FD_CLOEXEC);
	error = start_thread(job);
	if (error)
		return err_set(err, ERR_FAILED, "could not start a thread: %s", strerror(error));
	return 0;
}

/* 1: it is done; 0: the deadline has passed. */
static int await(struct job *job, int64_t deadline, struct err *err)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = job->done[0], .events = POLLIN },
			{ .fd = interrupt_fd(), .events = POLLIN },
		};
		int64_t left = deadline - clock_ms();

		if (left < 0)
			left = 0;
		if (poll(fds, ARRAY_SIZE(fds), left > 3600000 ? 3600000 : (int)left) < 0 &&
			errno != EINTR)
			return err_errno(err, "could not wait for a name server");
		if (interrupt_check(err) != 0)
			return -1;
		if (atomic_load(&job->is_done))
			return 1;
		if (left == 0)
			return 0;
	}
}

static int outcome(struct job *job, struct addrinfo **ret_list, char **ret_reason)
{
	if (job->failure) {
		*ret_reason = mem_strdup(job->failure == EAI_SYSTEM ? strerror(job->error)
								    : gai_strerror(job->failure));
		return 1;
	}
	*ret_list = take_ptr(job->list);
	return 0;
}

static int look_up(const char *host, const char *port, int64_t deadline, struct addrinfo **ret_list,
	char **ret_reason, struct err *err)
{
	const int64_t begun = clock_ms();
	struct job *job = job_new(host, port);
	int result = start(job, err);

	if (result == 0)
		result = await(job, deadline, err);
	if (result == 1)
		result = outcome(job, ret_list, ret_reason);
	else if (result == 0) {
		const int64_t waited = deadline > begun ? deadline - begun : 0;
		const int64_t tenths = (waited + 50) / 100;

		/* Of the time a millisecond may have gone before. */
		*ret_reason = mem_printf(RESOLVE_NO_ANSWER " %g s", (double)tenths / 10);
		result = 1;
	}
	let_go(job);
	return result;
}

int resolve(const char *host, const char *port, int64_t deadline, struct addrinfo **ret_list,
	char **ret_reason, struct err *err)
{
	const struct addrinfo wanted = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };

	if (getaddrinfo(host, port, &wanted, ret_list) == 0)
		return 0;
	return look_up(host, port, deadline, ret_list, ret_reason, err);
}

char *resolve_text(const struct addrinfo *item, char *buffer, size_t size)
{
	if (getnameinfo(item->ai_addr, item->ai_addrlen, buffer, (socklen_t)size, NULL, 0,
		    NI_NUMERICHOST) != 0)
		BUG("an address without a text");
	return buffer;
}

size_t resolve_addresses(const char *host, int64_t deadline, struct address *addresses, size_t most)
{
	CLEANUP(resolve_cleanup) struct addrinfo *list = NULL;
	CLEANUP(mem_cleanup) char *reason = NULL;
	CLEANUP(err_release) struct err err = ERR_INIT;
	size_t count = 0;

	if (resolve(host, NULL, deadline, &list, &reason, &err) < 0 && err.kind == ERR_INTERRUPTED)
		interrupt_put_back(err.signal);
	for (const struct addrinfo *item = list; item && count < most; item = item->ai_next)
		count += address_of_socket(item->ai_addr, &addresses[count]);
	return count;
}

void resolve_cleanup(struct addrinfo **list)
{
	if (*list)
		freeaddrinfo(*list);
	*list = NULL;
}

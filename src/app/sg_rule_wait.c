/* --wait of rds-update-sg-rule. */
#include "app/sg_rule.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "pg/ping.h"
#include "term/out.h"

#define PAUSE_MS 1000

static int fail_private(const struct ping_host *host, const char *address, struct err *err)
{
	err_set(err, ERR_CONNECT, "\"%s\" can only be reached from within its network", host->host);
	err_detail(err,
		"It stands for %s. No rule of a security group makes that reachable from "
		"the internet.",
		address);
	err_hint(err, "Use a VPN, or a tunnel: aws ssm start-session --document-name "
		      "AWS-StartPortForwardingSessionToRemoteHost. With a VPN, pass "
		      "--allow-private.");
	return -1;
}

static int fail_late(const struct ping_host *host, double seconds, bool is_kept, struct err *err)
{
	err_set(err, ERR_TIMEOUT, "\"%s\" port %d could not be reached within %.10g second%s",
		host->host, host->port, seconds, seconds == 1 ? "" : "s");
	/* --while takes it back. */
	err_hint(err,
		"%sLook whether the instance is there and public (rds-status), and whether it is "
		"in this security group.",
		is_kept ? "The rule is set. " : "");
	return -1;
}

int sg_host_resolve(
	struct sg_host *host, const struct context *context, const char *target, struct err *err)
{
	CLEANUP(target_endpoint_release) struct target_endpoint endpoint = TARGET_ENDPOINT_INIT;

	if (target_endpoint(target, &context->env, &endpoint, err) != 0)
		return -1;
	/* Where the connections go: behind hostaddr is a tunnel, and nobody resolves the name. */
	host->name = endpoint.address ? take_ptr(endpoint.address) : take_ptr(endpoint.host);
	host->port = endpoint.port;
	host->user = take_ptr(endpoint.user);
	if (!host->name || host->name[0] == '/')
		return err_set(err, ERR_USAGE,
			"the target \"%s\" names no host that --wait could try", target);
	return 0;
}

void sg_host_release(struct sg_host *host)
{
	mem_free(host->name);
	mem_free(host->user);
	*host = (struct sg_host)SG_HOST_INIT;
}

int sg_host_check(const struct sg_host *host, const struct sg_settings *settings, struct err *err)
{
	CLEANUP(mem_cleanup) char *address = NULL;
	struct ping_host server = { .host = host->name, .port = host->port, .user = host->user };

	if (!host->name || settings->options.allow_private || !ping_is_private(&server, &address))
		return 0;
	return fail_private(&server, address, err);
}

int sg_rule_wait(const struct sg_host *host, const struct sg_settings *settings, double seconds,
	struct err *err)
{
	struct ping_host server = { .host = host->name, .port = host->port, .user = host->user };
	int64_t deadline = clock_ms() + (int64_t)(seconds * 1000);

	if (server.port != settings->port)
		out_warning("the rule is for port %d, but \"%s\" is at port %d", settings->port,
			server.host, server.port);
	out_detail("waiting for \"%s\" port %d", server.host, server.port);
	for (;;) {
		int64_t next = clock_ms() + PAUSE_MS;

		if (ping_reaches(&server))
			return 0;
		if (interrupt_check(err) != 0)
			return -1;
		if (clock_ms() >= deadline)
			return fail_late(&server, seconds, !settings->options.run_command, err);
		if (next > clock_ms())
			clock_sleep_ms(next - clock_ms());
	}
}

/*
 * usage: credentials_probe [--profile NAME] [--region NAME] [--env-file FILE] [--show-region]
 *
 * Looks for AWS credentials and prints what was found, a line each: key, source, expires (seconds
 * since 1970, 0: never), secret and token (SHA-256 of them; none), and with --show-region the
 * region. Warnings and errors go to stderr as the commands write them; the exit status is theirs.
 */

#include "aws/aws.h"
#include "base/interrupt.h"
#include "base/mem.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void warn(const char *line)
{
	fprintf(stderr, "warning: %s\n", line);
}

static void print_digest(const char *name, const struct secret *secret)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	printf("%s ", name);
	if (secret_is_set(secret)) {
		EVP_Digest(secret_reveal(secret), secret_length(secret), digest, &length,
			EVP_sha256(), NULL);
		for (unsigned i = 0; i < length; i++)
			printf("%02x", digest[i]);
	} else {
		printf("none");
	}
	printf("\n");
}

static int probe(const struct aws_options *options, bool show_region, struct err *err)
{
	CLEANUP(aws_cleanup) struct aws *aws = NULL;
	const struct credentials *credentials;
	const char *region;

	if (aws_open(options, &aws, err) != 0 || aws_credentials(aws, &credentials, err) != 0)
		return -1;
	printf("key %s\nsource %s\nexpires %lld\n", credentials->access_key, credentials->source,
		(long long)credentials->expires);
	print_digest("secret", &credentials->secret_key);
	print_digest("token", &credentials->session_token);
	if (!show_region)
		return 0;
	if (aws_region(aws, &region, err) != 0)
		return -1;
	printf("region %s\n", region);
	return 0;
}

static int report(const struct err *err)
{
	fprintf(stderr, "error: %s\n", err->message);
	if (err->detail)
		fprintf(stderr, "detail: %s\n", err->detail);
	if (err->hint)
		fprintf(stderr, "hint: %s\n", err->hint);
	if (err->kind == ERR_INTERRUPTED)
		interrupt_die(err->signal);
	return err_exit_status(err->kind);
}

int main(int argc, char **argv)
{
	CLEANUP(env_release) struct env env = ENV_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	struct aws_options options = { .env = &env, .warn = warn };
	const char *env_file = NULL;
	bool show_region = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--show-region") == 0) {
			show_region = true;
			continue;
		}
		if (i + 1 == argc)
			return 64;
		if (strcmp(argv[i], "--profile") == 0)
			options.profile = argv[++i];
		else if (strcmp(argv[i], "--region") == 0)
			options.region = argv[++i];
		else if (strcmp(argv[i], "--env-file") == 0)
			env_file = argv[++i];
		else
			return 64;
	}
	interrupt_install();
	if (env_file && env_read(&env, env_file, false, &err) != 0)
		return report(&err);
	return probe(&options, show_region, &err) == 0 ? 0 : report(&err);
}

/* The services that give credentials to what runs in a container or on an EC2 instance. */

#include "aws/credentials.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#define CONTAINER_ADDRESS "http://169.254.170.2"
#define CONTAINER_TIMEOUT_MS 2000
#define CONTAINER_ATTEMPTS 3
#define CONTAINER_PAUSE_MS 1000

#define INSTANCE_ADDRESS "http://169.254.169.254"
#define INSTANCE_ADDRESS_V6 "http://[fd00:ec2::254]"
#define INSTANCE_TIMEOUT_MS 1000
/* How long credentials count whose renewal is late. */
#define INSTANCE_EXTENSION 600

#define METADATA_CEILING ((size_t)64 << 10)

static const char *variable(struct aws *aws, const char *name)
{
	return config_variable(aws_options(aws)->env, name);
}

static int ask(struct aws *aws, const char *method, const char *url, const struct strlist *headers,
	int64_t timeout_ms, struct http_response *response, struct err *err)
{
	const struct http_request request = {
		.method = method,
		.url = url,
		.headers = headers,
		.direct = true,
		.link_local = true,
		.ca_bundle = aws_ca_bundle(aws),
		.connect_ms = timeout_ms,
		.total_ms = timeout_ms,
		.ceiling = METADATA_CEILING,
	};

	return http_perform(aws_http(aws), &request, response, err);
}

/* --- container ------------------------------------------------------------------------------ */

/* The hosts that may be asked over http: what http_refuses lets through is a wider range. */
static bool is_container_host(const char *url)
{
	static const char *const hosts[] = { "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]" };
	CURLU *parsed = curl_url();
	char *host = NULL;
	bool found = *http_refuses(url, false) == '\0';

	if (!parsed)
		BUG("no memory for a URL");
	if (!found && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
		curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK)
		for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
			found = found || strcasecmp(host, hosts[i]) == 0;
	curl_free(host);
	curl_url_cleanup(parsed);
	return found && *http_refuses(url, true) == '\0';
}

/* *ret_url stays NULL where there is no container's service. */
static int container_url(struct aws *aws, char **ret_url, struct err *err)
{
	const char *relative = variable(aws, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = variable(aws, "AWS_CONTAINER_CREDENTIALS_FULL_URI");

	/* Without the slash it could name another host: "@example.com". */
	if (relative && *relative != '/')
		return err_set(err, ERR_USAGE,
			"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with \"/\"");
	if (relative) {
		*ret_url = mem_printf("%s%s", CONTAINER_ADDRESS, relative);
	} else if (full) {
		if (!is_container_host(full)) {
			err_set(err, ERR_USAGE,
				"AWS_CONTAINER_CREDENTIALS_FULL_URI cannot be asked for "
				"credentials");
			err_detail(err, "It is neither https nor at a loopback address, "
					"169.254.170.2, 169.254.170.23 or [fd00:ec2::23].");
			return -1;
		}
		*ret_url = mem_strdup(full);
	}
	return 0;
}

static int container_headers(struct aws *aws, struct strlist *headers, struct err *err)
{
	CLEANUP(secret_release) struct secret token = SECRET_INIT;
	CLEANUP(strbuf_release_secret) struct strbuf line = STRBUF_INIT;
	const char *file = variable(aws, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *plain = variable(aws, "AWS_CONTAINER_AUTHORIZATION_TOKEN");

	strlist_add(headers, "Accept: application/json");
	if (file) {
		if (credentials_read_token(file, "container authorization token", &token, err) != 0)
			return -1;
	} else if (plain) {
		if (strpbrk(plain, "\r\n"))
			return err_set(err, ERR_USAGE,
				"AWS_CONTAINER_AUTHORIZATION_TOKEN holds the end of a line");
		secret_set(&token, plain, strlen(plain));
	} else {
		return 0;
	}
	strbuf_grow(&line, secret_length(&token) + 32);
	strbuf_adds(&line, "Authorization: ");
	strbuf_adds(&line, secret_reveal(&token));
	strlist_add(headers, line.data);
	return 0;
}

int credentials_from_container(struct aws *aws, struct credentials *credentials, struct err *err)
{
	static const struct credentials_json what = {
		.source = "container", .token_name = "Token", .needs_token = true
	};
	CLEANUP(strlist_release_secret) struct strlist headers = STRLIST_INIT;
	CLEANUP(mem_cleanup) char *url = NULL;

	if (container_url(aws, &url, err) != 0)
		return -1;
	if (!url)
		return 0;
	if (container_headers(aws, &headers, err) != 0)
		return -1;
	for (int attempt = 1;; attempt++) {
		CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
		bool done =
			ask(aws, "GET", url, &headers, CONTAINER_TIMEOUT_MS, &response, err) == 0;

		if (done && response.status == 200)
			return credentials_read_json(&what, &response.body, aws, credentials, err);
		if (!done && err->kind != ERR_CONNECT)
			return -1;
		if (done)
			err_set(err, ERR_FAILED,
				"the container's credentials service answered with status %ld",
				response.status);
		else
			err_detail_line(err, "It was asked for the container's credentials.");
		/* What it refuses it will refuse again. */
		if (attempt == CONTAINER_ATTEMPTS ||
			(done && response.status < 500 && response.status != 429))
			return -1;
		clock_sleep_ms(CONTAINER_PAUSE_MS);
		if (interrupt_check(err) != 0)
			return -1;
	}
}

/* --- instance ------------------------------------------------------------------------------- */

bool credentials_instance_disabled(struct aws *aws)
{
	const char *disabled = variable(aws, "AWS_EC2_METADATA_DISABLED");

	return disabled && strcasecmp(disabled, "true") == 0;
}

static int instance_base(struct aws *aws, char **ret_base, struct err *err)
{
	const char *endpoint = variable(aws, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
	const char *mode = variable(aws, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
	const char *refusal;
	size_t length;

	if (!endpoint)
		endpoint = config_get(
			aws_config(aws), aws_profile(aws), "ec2_metadata_service_endpoint", NULL);
	if (!endpoint)
		endpoint = mode && strcasecmp(mode, "IPv6") == 0 ? INSTANCE_ADDRESS_V6
								 : INSTANCE_ADDRESS;
	refusal = http_refuses(endpoint, true);
	if (*refusal)
		return err_set(err, ERR_USAGE,
			"AWS_EC2_METADATA_SERVICE_ENDPOINT cannot be asked for credentials: %s",
			refusal);
	length = strlen(endpoint);
	while (length > 0 && endpoint[length - 1] == '/')
		length--;
	*ret_base = mem_strndup(endpoint, length);
	return 0;
}

/* The service as it was found, with what lets one ask it. */
struct instance {
	char *base;
	struct strlist headers;
};

static void instance_release(struct instance *instance)
{
	mem_free(instance->base);
	strlist_release_secret(&instance->headers);
}

/* True when an answer came with status 200; anything but an interrupt is no error. */
static int instance_ask(struct aws *aws, const char *method, const struct instance *instance,
	const char *path, struct http_response *response, bool *ret_found, struct err *err)
{
	CLEANUP(mem_cleanup) char *url = mem_printf("%s%s", instance->base, path);

	*ret_found = false;
	if (ask(aws, method, url, &instance->headers, INSTANCE_TIMEOUT_MS, response, err) != 0) {
		if (err->kind != ERR_CONNECT)
			return -1;
		err_release(err);
		return 0;
	}
	*ret_found = response->status == 200 && response->body.length > 0;
	return 0;
}

/* A session of version 2 of the service; version 1, which anything can be made to ask, is not
 * used. */
static int instance_open(
	struct aws *aws, struct instance *instance, bool *ret_found, struct err *err)
{
	CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
	CLEANUP(strbuf_release_secret) struct strbuf line = STRBUF_INIT;

	*ret_found = false;
	if (credentials_instance_disabled(aws))
		return 0;
	if (instance_base(aws, &instance->base, err) != 0)
		return -1;
	strlist_add(&instance->headers, "x-aws-ec2-metadata-token-ttl-seconds: 21600");
	if (instance_ask(aws, "PUT", instance, "/latest/api/token", &response, ret_found, err) != 0)
		return -1;
	if (*ret_found && strpbrk(response.body.data, "\r\n"))
		*ret_found = false;
	if (!*ret_found)
		return 0;
	strlist_release_secret(&instance->headers);
	instance->headers = (struct strlist)STRLIST_INIT;
	strbuf_grow(&line, response.body.length + 32);
	strbuf_addf(&line, "x-aws-ec2-metadata-token: %s", response.body.data);
	strlist_add(&instance->headers, line.data);
	return 0;
}

/* The first line, when it is a role's name. */
static char *role_name(const struct strbuf *body)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789+=,.@_-";
	size_t length = strspn(body->data, letters);

	if (length == 0 || (body->data[length] && !strchr("\r\n", body->data[length])))
		return NULL;
	return mem_strndup(body->data, length);
}

/* What IAM keeps from giving arrives with status 200, as JSON with Code and Message. */
static int read_instance(struct aws *aws, const struct strbuf *body,
	struct credentials *credentials, char **ret_why, struct err *err)
{
	static const struct credentials_json what = {
		.source = CREDENTIALS_FROM_METADATA, .token_name = "Token", .needs_token = true
	};
	CLEANUP(mem_cleanup) char *code = credentials_json_text(body, "Code");

	if (code && strcmp(code, "Success") != 0) {
		*ret_why = mem_printf("it says %s", code);
		return 0;
	}
	if (credentials_read_json(&what, body, aws, credentials, err) == 0)
		return 0;
	/*
	 * Expired ones are used on: when their renewal is late, AWS honours them for longer (the
	 * SDKs call it static stability).
	 */
	if (credentials->access_key && credentials->expires) {
		err_release(err);
		credentials->expires = aws_now(aws) + INSTANCE_EXTENSION;
		return 0;
	}
	credentials_release(credentials);
	*ret_why = mem_strdup(err->message);
	err_release(err);
	return 0;
}

int credentials_from_instance(
	struct aws *aws, struct credentials *credentials, char **ret_why, struct err *err)
{
	static const char directory[] = "/latest/meta-data/iam/security-credentials/";
	CLEANUP(instance_release) struct instance instance = { .headers = STRLIST_INIT };
	CLEANUP(http_response_release) struct http_response list = HTTP_RESPONSE_INIT;
	CLEANUP(http_response_release) struct http_response answer = HTTP_RESPONSE_INIT;
	CLEANUP(mem_cleanup) char *role = NULL;
	CLEANUP(mem_cleanup) char *path = NULL;
	bool found;

	if (instance_open(aws, &instance, &found, err) != 0)
		return -1;
	if (!found)
		return 0;
	if (instance_ask(aws, "GET", &instance, directory, &list, &found, err) != 0)
		return -1;
	role = found ? role_name(&list.body) : NULL;
	if (!role) {
		*ret_why = mem_strdup("the instance has no role");
		return 0;
	}
	path = mem_printf("%s%s", directory, role);
	if (instance_ask(aws, "GET", &instance, path, &answer, &found, err) != 0)
		return -1;
	if (!found) {
		*ret_why = mem_printf("it gives no credentials for role %s", role);
		return 0;
	}
	return read_instance(aws, &answer.body, credentials, ret_why, err);
}

int credentials_metadata_region(struct aws *aws, char **ret_region, struct err *err)
{
	CLEANUP(instance_release) struct instance instance = { .headers = STRLIST_INIT };
	CLEANUP(http_response_release) struct http_response answer = HTTP_RESPONSE_INIT;
	bool found;

	if (instance_open(aws, &instance, &found, err) != 0)
		return -1;
	if (found && instance_ask(aws, "GET", &instance, "/latest/meta-data/placement/region",
			     &answer, &found, err) != 0)
		return -1;
	if (!found)
		return err_set(err, ERR_CONNECT,
			"could not get the region of this instance from its metadata service");
	*ret_region = mem_strndup(answer.body.data, strcspn(answer.body.data, "\r\n"));
	return 0;
}

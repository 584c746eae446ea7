/* Answers of AWS: the one asked for, the shapes its errors have, and what is no answer of AWS. */
#include "aws/call_internal.h"

#include "base/mem.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static bool is_one_of(const char *code, const char *const *codes, size_t count)
{
	for (size_t i = 0; code && i < count; i++)
		if (strcmp(code, codes[i]) == 0)
			return true;
	return false;
}

bool aws_code_is_credentials(const char *code)
{
	static const char *const codes[] = { "AuthFailure", "InvalidClientTokenId",
		"InvalidAccessKeyId", "UnrecognizedClientException", "SignatureDoesNotMatch",
		"InvalidSignatureException", "IncompleteSignature", "MissingAuthenticationToken",
		"MissingAuthenticationTokenException", "ExpiredToken", "ExpiredTokenException",
		"RequestExpired", "RequestTimeTooSkewed" };

	return is_one_of(code, codes, ARRAY_SIZE(codes));
}

bool aws_code_is_permission(const char *code)
{
	static const char *const codes[] = { "UnauthorizedOperation", "AccessDenied",
		"AccessDeniedException" };

	return is_one_of(code, codes, ARRAY_SIZE(codes));
}

bool aws_is_unclear(const struct aws_reply *reply, const struct err *err)
{
	return err->kind == ERR_CONNECT ||
	       (err->kind == ERR_FAILED && (!reply->code || reply->status >= 500));
}

/* The lists of botocore's standard mode. */
bool call_may_pass(const struct aws_reply *reply)
{
	static const char *const codes[] = { "Throttling", "ThrottlingException",
		"ThrottledException", "RequestThrottled", "RequestThrottledException",
		"TooManyRequestsException", "RequestLimitExceeded", "BandwidthLimitExceeded",
		"LimitExceededException", "SlowDown", "PriorRequestNotComplete",
		"EC2ThrottledException", "ProvisionedThroughputExceededException",
		"TransactionInProgressException", "RequestTimeout", "RequestTimeoutException",
		"IDPCommunicationError" };

	return reply->status == 500 || reply->status == 502 || reply->status == 503 ||
	       reply->status == 504 || is_one_of(reply->code, codes, ARRAY_SIZE(codes));
}

bool call_may_be_clock(const struct aws_reply *reply)
{
	static const char *const codes[] = { "RequestTimeTooSkewed", "RequestExpired",
		"RequestInTheFuture", "SignatureDoesNotMatch", "InvalidSignatureException",
		"AuthFailure" };

	return is_one_of(reply->code, codes, ARRAY_SIZE(codes));
}

void aws_reply_release(struct aws_reply *reply)
{
	xml_free(reply->document);
	mem_free(reply->code);
	mem_free(reply->message);
	mem_free(reply->request_id);
	*reply = (struct aws_reply)AWS_REPLY_INIT;
}

/* --- error shapes --------------------------------------------------------------------------- */

/* A word like "InvalidGroup.NotFound" or a request's id; anything else is not from AWS. */
static bool is_code(const char *text)
{
	size_t length = strlen(text);

	for (const char *c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr(".:_-", *c))
			return false;
	return length > 0 && length <= 128;
}

static const char *searched(const struct xml *document, const char *name)
{
	const struct xml *found = xml_search(document, name);

	return found && *found->text ? found->text : NULL;
}

/* Whether Errors stands around Error, and how RequestId is spelt, depends on the service. */
static void read_xml_error(const struct xml *document, struct aws_reply *reply)
{
	const char *code = searched(document, "Code");
	const char *message = searched(document, "Message");

	if (!code || !is_code(code))
		return;
	reply->code = mem_strdup(code);
	reply->message = mem_strdup(message ? message : "");
}

static void json_release(json_t **json)
{
	json_decref(*json);
	*json = NULL;
}

static void read_json_error(const struct strbuf *body, struct aws_reply *reply)
{
	CLEANUP(json_release)
	json_t *json = json_loadb(body->data, body->length, JSON_REJECT_DUPLICATES, NULL);
	const char *code = json_string_value(json_object_get(json, "__type"));
	const char *message = json_string_value(json_object_get(json, "message"));
	const char *hash = code ? strchr(code, '#') : NULL;

	if (!message)
		message = json_string_value(json_object_get(json, "Message"));
	code = hash ? hash + 1 : code; /* "com.amazonaws.x#AccessDenied" */
	if (!code || !is_code(code))
		return;
	reply->code = mem_strdup(code);
	reply->message = mem_strdup(message ? message : "");
}

static char *request_id(const struct xml *document, const struct http_response *response)
{
	const char *header = response->request_id;
	static const char *const names[] = { "RequestId", "RequestID", "requestId" };

	for (size_t i = 0; document && i < ARRAY_SIZE(names); i++) {
		const char *id = searched(document, names[i]);

		if (id && is_code(id))
			return mem_strdup(id);
	}
	return header && is_code(header) ? mem_strdup(header) : NULL;
}

/* --- secrets in messages -------------------------------------------------------------------- */

static void cut_at(char *message, const char *text)
{
	char *found = *text ? strstr(message, text) : NULL;

	if (found)
		*found = '\0';
}

/* The value of a parameter in a form-encoded body, decoded; the caller wipes it. NULL: none. */
static char *decoded_value(const struct strbuf *body, const char *name)
{
	CLEANUP(mem_cleanup) char *pattern = mem_printf("&%s=", name);
	const char *from = strstr(body->data, pattern);
	char *value, *to;

	if (!from)
		return NULL;
	from += strlen(pattern);
	value = mem_strndup(from, strcspn(from, "&"));
	to = value;
	for (const char *c = value; *c; c++) {
		char digits[3] = { 0 };

		if (*c == '%') {
			memcpy(digits, c + 1, 2);
			*to++ = (char)strtol(digits, NULL, 16);
			c += 2;
		} else {
			*to++ = *c;
		}
	}
	*to = '\0';
	return value;
}

/*
 * AWS quotes what it was sent: with SignatureDoesNotMatch the whole request with the session token,
 * with a value it does not like the value. And an encoded text of 2,000 characters helps nobody.
 */
static void clean_message(const struct call *call, char *message)
{
	static const char *const parameters[] = { "MasterUserPassword", "WebIdentityToken" };
	size_t length;

	cut_at(message, "Encoded authorization failure message");
	cut_at(message, "The Canonical String");
	cut_at(message, "The String-to-Sign");
	if (call->credentials) {
		cut_at(message, secret_reveal(&call->credentials->session_token));
		cut_at(message, secret_reveal(&call->credentials->secret_key));
	}
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++) {
		CLEANUP(mem_cleanup_secret)
		char *value = decoded_value(&call->body, parameters[i]);

		if (value)
			cut_at(message, value);
	}
	length = strlen(message);
	while (length && strchr(" \t\r\n", message[length - 1]))
		length--;
	message[length] = '\0';
}

/* --- the error ------------------------------------------------------------------------------ */

static void hint_credentials(const struct call *call, struct err *err)
{
	const char *code = call->reply->code;

	if (call->credentials && call->credentials->source)
		err_detail(err, "The credentials are from: %s.", call->credentials->source);
	if (strncmp(code, "Expired", 7) == 0)
		err_hint(err, "Get new credentials (of IAM Identity Center: aws sso login) and run "
			      "the command again.");
	else if (call_may_be_clock(call->reply))
		err_hint(err, "Check that the secret key belongs to the access key, that the key "
			      "is active, and this machine's clock.");
	else
		err_hint(err, "Check that the access key exists and is active; temporary "
			      "credentials need AWS_SESSION_TOKEN too.");
}

/* "ModifySecurityGroupRules failed: CODE: MESSAGE (REGION, request ID)" */
static int said_no(const struct call *call, struct err *err)
{
	const struct aws_reply *reply = call->reply;
	size_t length = strlen(reply->message);

	/* AWS's full stop would stand before the bracket. */
	if (length && reply->message[length - 1] == '.')
		length--;
	err_set(err, ERR_FAILED, "%s failed: %s%s%.*s (%s%s%s)", call->request->action, reply->code,
		length ? ": " : "", (int)length, reply->message, call->region,
		reply->request_id ? ", request " : "", reply->request_id ? reply->request_id : "");
	if (aws_code_is_credentials(reply->code))
		hint_credentials(call, err);
	else if (aws_code_is_permission(reply->code))
		err_hint(err,
			"Add the permission \"%s:%s\" to the IAM user or role of these "
			"credentials.",
			call->request->service, call->request->action);
	return -1;
}

/* Not AWS, or not as it should be. */
static int not_aws(const struct call *call, const char *why, struct err *err)
{
	long status = call->reply->status;

	if (status == 200)
		err_set(err, ERR_FAILED, "%s failed: what \"%s\" answered is not from AWS: %s",
			call->request->action, call->host, why);
	else if (status >= 300 && status < 400)
		err_set(err, ERR_FAILED,
			"%s failed: \"%s\" answered with a redirect (status %ld), which is not "
			"followed",
			call->request->action, call->host, status);
	else
		err_set(err, ERR_FAILED, "%s failed: \"%s\" answered with status %ld%s%s",
			call->request->action, call->host, status,
			call->reply->request_id ? ", request " : "",
			call->reply->request_id ? call->reply->request_id : "");
	if (status < 400)
		err_hint(err, "Check whether a proxy or the sign-in page of a network answers in "
			      "place of AWS.");
	return -1;
}

static bool is_root(const struct xml *document, const char *action)
{
	CLEANUP(mem_cleanup) char *name = mem_printf("%sResponse", action);

	return strcmp(document->name, name) == 0;
}

int call_read(struct call *call, const struct http_response *response, struct err *err)
{
	CLEANUP(xml_cleanup) struct xml *document = NULL;
	CLEANUP(err_release) struct err wrong = ERR_INIT;
	struct aws_reply *reply = call->reply;

	aws_reply_release(reply);
	reply->status = response->status;
	xml_parse(response->body.data, response->body.length, &document, &wrong);
	reply->request_id = request_id(document, response);
	if (document && response->status == 200 && is_root(document, call->request->action)) {
		reply->document = take_ptr(document);
		return 0;
	}
	if (document)
		read_xml_error(document, reply);
	else
		read_json_error(&response->body, reply);
	if (!reply->code)
		return not_aws(call, document ? "its root element is another" : wrong.message, err);
	clean_message(call, reply->message);
	return said_no(call, err);
}

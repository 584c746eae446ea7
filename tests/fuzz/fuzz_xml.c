/*
 * Answers of arbitrary bytes. What must hold: no crash; a tree that is accepted is within its
 * limits, and written out again it is read as the same; as an answer to a call it is either the one
 * that was asked for or an error that shows no secret.
 */
#include "aws/call_internal.h"
#include "base/mem.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOKEN "Token+Zq/=="

static void expect(bool holds, const char *what)
{
	if (!holds)
		BUG(what);
}

static void write_text(const char *text, struct strbuf *out)
{
	for (; *text; text++) {
		if (strchr("<>&\r", *text))
			strbuf_addf(out, "&#%d;", *text);
		else
			strbuf_addc(out, *text);
	}
}

/* Returns the number of elements. */
static size_t write_tree(const struct xml *node, size_t depth, struct strbuf *out)
{
	size_t count = 1;

	expect(depth <= 32, "too deep");
	strbuf_addf(out, "<%s>", node->name);
	write_text(node->text, out);
	for (const struct xml *child = node->first; child; child = child->next)
		count += write_tree(child, depth + 1, out);
	strbuf_addf(out, "</%s>", node->name);
	return count;
}

/* A name that was cut at a colon need not be one any more. */
static void check_tree(const struct xml *root, bool has_colon)
{
	CLEANUP(strbuf_release) struct strbuf first = STRBUF_INIT_UNBOUNDED;
	CLEANUP(strbuf_release) struct strbuf second = STRBUF_INIT_UNBOUNDED;
	CLEANUP(xml_cleanup) struct xml *again = NULL;
	CLEANUP(err_release) struct err err = ERR_INIT;

	expect(write_tree(root, 1, &first) <= 100000, "too many elements");
	xml_text(root, "Error/Code");
	if (has_colon)
		return;
	expect(xml_parse(first.data, first.length, &again, &err) == 0, "not read again");
	write_tree(again, 1, &second);
	expect(strcmp(first.data, second.data) == 0, "read as another");
}

static void check_answer(const char *bytes, size_t size, long status)
{
	CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
	CLEANUP(aws_reply_release) struct aws_reply reply = AWS_REPLY_INIT;
	CLEANUP(credentials_release) struct credentials credentials = CREDENTIALS_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	static const struct aws_request request = { .service = "ec2", .action = "X" };
	char host[] = "h";
	struct call call = { .request = &request,
		.reply = &reply,
		.region = "eu-central-1",
		.host = host,
		.credentials = &credentials,
		.body = STRBUF_INIT };

	if (!strbuf_grow(&response.body, size))
		return;
	strbuf_add(&response.body, bytes, size);
	response.status = status;
	secret_set(&credentials.session_token, TOKEN, strlen(TOKEN));
	if (call_read(&call, &response, &err) == 0) {
		expect(status == 200 && reply.document && !reply.code, "an answer that is none");
		expect(strcmp(reply.document->name, "XResponse") == 0, "another answer");
		expect(err.kind == ERR_NONE, "answered with an error");
		return;
	}
	expect(err.kind == ERR_FAILED && !reply.document, "failed without an error");
	expect(!strstr(err.message, TOKEN), "the token is shown");
	expect(!reply.code == !reply.message, "a code without a message");
	expect(!reply.message || !strstr(reply.message, TOKEN), "the token is kept");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(xml_cleanup) struct xml *root = NULL;
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(mem_cleanup) char *exact = mem_calloc(size ? size : 1, 1);

	/* exact has no byte behind its end, so that the sanitizer sees every one read too far. */
	memcpy(exact, size ? (const char *)data : "", size);
	if (xml_parse(exact, size, &root, &err) == 0) {
		expect(err.kind == ERR_NONE && root, "accepted with an error");
		check_tree(root, memchr(exact, ':', size) != NULL);
	} else {
		expect(err.kind == ERR_FAILED && !root, "refused without an error");
	}
	check_answer(exact, size, 200);
	check_answer(exact, size, 400);
	return 0;
}

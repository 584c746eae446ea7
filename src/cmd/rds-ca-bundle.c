#include "app/ca_bundle.h"
#include "app/context.h"
#include "aws/http.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "term/out.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_URL "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
/* Amazon's has some 170 KB; one authority more is 1.5 KB. */
#define BUNDLE_CEILING ((size_t)4 << 20)
#define DOWNLOAD_MS 60000

static const char *opt_from, *opt_output, *opt_url;
static bool opt_show;

static const struct option bundle_options[] = {
	{ .name = "from",
		.type = OPTION_STRING,
		.value = &opt_from,
		.argument = "FILE",
		.help = "install this file instead of downloading one" },
	{ .name = "output",
		.letter = 'o',
		.type = OPTION_STRING,
		.value = &opt_output,
		.argument = "FILE",
		.help = "install to FILE, which RDS_CA_BUNDLE must name then; - is stdout" },
	{ .name = "show",
		.type = OPTION_FLAG,
		.value = &opt_show,
		.help = "look at the installed bundle only" },
	{ .name = "url",
		.type = OPTION_STRING,
		.value = &opt_url,
		.argument = "URL",
		.environment = "RDS_CA_BUNDLE_URL",
		.help = "download from URL: https, or http on this machine" },
	{ 0 },
};

static const struct variable bundle_variables[] = {
	{ "RDS_CA_BUNDLE_URL", "Where to download from. Not read from .env." },
	{ "AWS_CA_BUNDLE",
		"CA certificates to verify the download with, instead of the system's." },
	{ "XDG_DATA_HOME", "Where the bundle is installed, in dbrig/; ~/.local/share." },
	{ 0 },
};

/* --- where it comes from --------------------------------------------------------------------- */

static const char *trusted_certificates(void)
{
	static const char *const variables[] = { "AWS_CA_BUNDLE", "SSL_CERT_FILE",
		"CURL_CA_BUNDLE" };

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const char *value = getenv(variables[i]);

		if (value && *value)
			return value;
	}
	return NULL;
}

static int download(const char *url, struct strbuf *text, struct err *err)
{
	CLEANUP(http_cleanup) struct http *http = NULL;
	CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
	struct http_request request = {
		.method = "GET",
		.url = url,
		.ca_bundle = trusted_certificates(),
		.total_ms = DOWNLOAD_MS,
		.ceiling = BUNDLE_CEILING,
	};

	if (http_open(&http, err) != 0)
		return -1;
	if (http_perform(http, &request, &response, err) != 0) {
		if (err->kind == ERR_CONNECT && !err->hint)
			err_hint(err, "Where there is no way to it, install a copy with --from.");
		return -1;
	}
	if (response.status != 200) {
		err_set(err, ERR_FAILED, "could not download \"%s\": the answer has status %ld",
			url, response.status);
		if (response.status >= 300 && response.status < 400)
			err_detail(err, "It points elsewhere, and that is not followed.");
		return -1;
	}
	strbuf_add(text, response.body.data, response.body.length);
	return 0;
}

/* --- what is said of it ---------------------------------------------------------------------- */

static void warn(const struct ca_bundle *bundle)
{
	if (bundle->expired > 0)
		out_warning("%zu of its certificates %s expired", bundle->expired,
			bundle->expired == 1 ? "has" : "have");
	if (bundle->future > 0)
		out_warning("%zu of its certificates %s not valid yet", bundle->future,
			bundle->future == 1 ? "is" : "are");
}

/* what: a word and a blank, or "". */
static void tell(const char *what, const char *path, const struct ca_bundle *bundle)
{
	char date[32] = "";
	struct tm utc;

	if (gmtime_r(&bundle->expiry, &utc))
		strftime(date, sizeof(date), "%Y-%m-%d", &utc);
	out_data("%s\"%s\": %zu certificate%s, the next expires on %s\n", what, path, bundle->count,
		bundle->count == 1 ? "" : "s", date);
	warn(bundle);
}

/* Another bundle than the one just installed may be the one that counts. */
static void tell_others(const char *path)
{
	static const char *const variables[] = { "PGSSLROOTCERT", "RDS_CA_BUNDLE" };

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const char *value = getenv(variables[i]);

		if (value && *value && !path_is_same(value, path)) {
			out_warning("%s is set: \"%s\" is used instead", variables[i], value);
			return;
		}
	}
}

/* --- the command ----------------------------------------------------------------------------- */

static int show(const char *path, struct err *err)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT_CEILING(BUNDLE_CEILING);
	CLEANUP(mem_cleanup) char *origin = mem_printf("\"%s\"", path);
	struct ca_bundle bundle;

	if (!path_exists(path)) {
		err_set(err, ERR_FAILED, "there is no CA bundle at \"%s\"", path);
		CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;

		strbuf_adds(&line, "rds-ca-bundle");
		if (opt_output) {
			strbuf_adds(&line, " --output ");
			strbuf_add_shell_word(&line, path);
		}
		err_hint(err, "Install it with: %s", line.data);
		return -1;
	}
	if (file_read_all(path, &text, err) != 0 ||
		ca_bundle_check(text.data, text.length, origin, time(NULL), &bundle, err) != 0)
		return -1;
	tell("", path, &bundle);
	tell_others(path);
	return 0;
}

static bool to_stdout(void)
{
	return opt_output && strcmp(opt_output, "-") == 0;
}

static int install(const char *path, struct err *err)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT_CEILING(BUNDLE_CEILING);
	const char *url = opt_url ? opt_url : DEFAULT_URL;
	CLEANUP(mem_cleanup) char *origin = mem_printf("\"%s\"", opt_from ? opt_from : url);
	struct ca_bundle bundle;
	bool changed;

	/* No half-written file stays behind when a signal comes. */
	interrupt_install();
	if ((opt_from ? file_read_all(opt_from, &text, err) : download(url, &text, err)) != 0 ||
		ca_bundle_check(text.data, text.length, origin, time(NULL), &bundle, err) != 0)
		return -1;
	if (to_stdout()) {
		out_raw(text.data, text.length);
		warn(&bundle);
		return 0;
	}
	if (ca_bundle_install(path, !opt_output, text.data, text.length, &changed, err) != 0)
		return -1;
	if (changed || !out_quiet())
		tell(changed ? "installed " : "unchanged ", path, &bundle);
	tell_others(path);
	return 0;
}

/* Which says where to download from, when that is done. */
static bool url_is_from_environment(void)
{
	const char *value = getenv("RDS_CA_BUNDLE_URL");

	return value && strcmp(value, opt_url) == 0;
}

static int run_bundle(struct run *run, struct err *err)
{
	CLEANUP(mem_cleanup)
	char *path = opt_output ? mem_strdup(opt_output) : target_bundle_path();

	(void)run;
	if (opt_show && opt_from)
		return err_set(err, ERR_USAGE, "--show and --from exclude each other");
	if (opt_url && (opt_show || opt_from) && !url_is_from_environment())
		return err_set(err, ERR_USAGE, "--url and %s exclude each other",
			opt_show ? "--show" : "--from");
	if (opt_show && to_stdout())
		return err_set(err, ERR_USAGE, "--show needs a file, not \"-\"");
	if (opt_output && !*opt_output)
		return err_set(err, ERR_USAGE, "--output needs a file name");
	if (!path) {
		err_set(err, ERR_USAGE, "no place for the CA bundle: HOME is not set");
		err_hint(err, "Name a file with --output.");
		return -1;
	}
	return opt_show ? show(path, err) : install(path, err);
}

const struct command command = {
	.name = "rds-ca-bundle",
	.summary = "install the CA certificates that RDS servers are verified with",
	.synopsis = "[options]",
	.options = (const struct option *const[]){ bundle_options, NULL },
	.variables = (const struct variable *const[]){ bundle_variables, NULL },
	.examples =
		(const struct example[]){
			{ "rds-ca-bundle", "downloads Amazon's bundle and installs it" },
			{ "rds-ca-bundle --show", "how many certificates, until when they hold" },
			{ "rds-ca-bundle --from global-bundle.pem", "installs a copy, offline" },
			{ 0 },
		},
	.max_words = 0,
	.run = run_bundle,
};

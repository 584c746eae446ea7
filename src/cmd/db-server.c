#include "app/known_marks.h"
#include "app/server_marked.h"
#include "base/file.h"
#include "base/mem.h"
#include "pg/server.h"
#include "term/json.h"
#include "term/out.h"

#include <stdlib.h>
#include <string.h>

static bool opt_json;

static const struct option server_options[] = {
	{ .name = "json",
		.type = OPTION_FLAG,
		.value = &opt_json,
		.help = "with status: print a JSON object" },
	{ 0 },
};

static const struct variable server_variables[] = {
	{ "DB_SERVER_DIR",
		"The server's directory, also read from .env; a relative path counts from the "
		"project's root." },
	{ "DB_SERVER_BINDIR", "The directory of the PostgreSQL programs (initdb, postgres) to use "
			      "instead of the newest found; not read from .env." },
	{ "DB_SERVER_USER", "When root calls: the account the server runs under instead of "
			    "postgres or nobody; not read from .env." },
	{ "DB_NAME", "The database's name instead of the project's, also read from .env." },
	{ "DB_NAME_SUFFIX", "Appended to that name, also read from .env." },
	{ "DB_DIR", "The project's directory of scripts, if it is not db." },
	{ "XDG_STATE_HOME", "Where the server's directory is made; ~/.local/state if not set." },
	{ "XDG_RUNTIME_DIR",
		"Where the socket is put when the path of the server's directory is too "
		"long for one." },
	{ 0 },
};

static void tell_progress(void *unused, const char *what)
{
	(void)unused;
	out_info("%s", what);
}

static void print_url(const struct server *server)
{
	CLEANUP(mem_cleanup) char *url = server_url(server);

	out_data("%s\n", url);
}

static int run_start(struct context *context, struct run *run, struct err *err)
{
	struct server *server = &context->target.server;
	(void)run;
	if (server_ensure(server, tell_progress, NULL, err) != 0)
		return -1;
	print_url(server);
	return 0;
}

static int run_stop(struct context *context, struct run *run, struct err *err)
{
	struct server *server = &context->target.server;
	bool was_running;

	(void)run;
	if (server_stop(server, &was_running, err) != 0)
		return -1;
	out_info(was_running ? "stopped the private server" : "the private server is not running");
	return 0;
}

static int run_destroy(struct context *context, struct run *run, struct err *err)
{
	struct server *server = &context->target.server;
	CLEANUP(server_removal_release) struct server_removal removal = { 0 };

	(void)run;
	if (server_marked_decide(context, err) != 0 || server_destroy(server, &removal, err) != 0)
		return -1;
	known_marks_forget_server(context);
	if (removal.link)
		out_info("removed the private server's directory \"%s\"; its data were not in it "
			 "and stay: \"data\" was a symbolic link to \"%s\"",
			server->directory, removal.link);
	else if (removal.had_data)
		out_info("removed the private server and its data in \"%s\"", server->directory);
	else if (removal.existed)
		out_info("removed the private server's directory \"%s\"; there were no data in it",
			server->directory);
	else
		out_info("there is no private server");
	return 0;
}

static int run_url(struct context *context, struct run *run, struct err *err)
{
	struct server *server = &context->target.server;
	CLEANUP(server_state_release) struct server_state state = { 0 };

	(void)run;
	/* A server that runs may listen elsewhere than one that is yet to be started. */
	if (server_inspect(server, &state, err) != 0)
		return -1;
	print_url(server);
	return 0;
}

static void print_json(const struct server *server, const struct server_state *state,
	const char *url, const char *log)
{
	json_t *object = json_object();

	json_object_set_new(object, "exists", json_boolean(state->exists));
	json_object_set_new(object, "running", json_boolean(state->running));
	json_object_set_new(object, "url", out_json_text(url));
	json_object_set_new(object, "host", out_json_text(server->socket_dir));
	json_object_set_new(object, "port", json_integer(server->port));
	json_object_set_new(object, "user", out_json_text(server->user));
	json_object_set_new(object, "database", out_json_text(server->database));
	json_object_set_new(object, "version", out_json_text(state->version));
	json_object_set_new(object, "pid", state->pid ? json_integer(state->pid) : json_null());
	json_object_set_new(object, "account", out_json_text(server->os_user));
	json_object_set_new(object, "directory", out_json_text(server->directory));
	json_object_set_new(object, "log", out_json_text(log));
	json_object_set_new(object, "programs", out_json_text(state->bindir));
	out_json(object);
}

static const char *describe(const struct server_state *state)
{
	if (state->running)
		return "running";
	if (state->pid)
		return "starting or stopping";
	return state->exists ? "stopped" : "not created yet";
}

static int run_status(struct context *context, struct run *run, struct err *err)
{
	struct server *server = &context->target.server;
	CLEANUP(server_state_release) struct server_state state = { 0 };
	CLEANUP(mem_cleanup) char *url = NULL;
	CLEANUP(mem_cleanup) char *log = path_join(server->directory, "log");

	if (server_inspect(server, &state, err) != 0)
		return -1;
	url = server_url(server);
	run->status = state.running ? 0 : 1;
	if (opt_json) {
		print_json(server, &state, url, log);
		return 0;
	}
	out_data("server     %s\n", describe(&state));
	out_data("url        %s\n", url);
	if (state.version)
		out_data("version    %s\n", state.version);
	if (state.pid)
		out_data("pid        %ld\n", state.pid);
	out_data("account    %s\n", server->os_user);
	out_data("directory  %s\n", server->directory);
	out_data("log        %s\n", log);
	if (state.bindir)
		out_data("programs   %s\n", state.bindir);
	return 0;
}

static const struct {
	const char *word;
	int (*run)(struct context *context, struct run *run, struct err *err);
} actions[] = {
	{ "start", run_start },
	{ "stop", run_stop },
	{ "status", run_status },
	{ "destroy", run_destroy },
	{ "url", run_url },
};

static int wrong_word(const char *word, struct err *err)
{
	if (word)
		err_set(err, ERR_USAGE, "unknown word \"%s\"", word);
	else
		err_set(err, ERR_USAGE, "missing word");
	err_hint(err, "Usage: db-server start|stop|status|destroy|url");
	return -1;
}

static int run_server(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	const char *word = run->words.count > 0 ? run->words.items[0] : NULL;
	size_t action = 0;

	while (action < ARRAY_SIZE(actions) && (!word || strcmp(actions[action].word, word) != 0))
		action++;
	if (action == ARRAY_SIZE(actions))
		return wrong_word(word, err);
	if (opt_json && actions[action].run != run_status)
		return err_set(err, ERR_USAGE, "--json is for status only");
	if (context_open_project(&context, run, err) != 0)
		return -1;
	if (!context.root) {
		err_set(err, ERR_USAGE, "no project found");
		err_detail(err, "There is no directory db here or above it.");
		err_hint(err, "Call db-server inside a project, or set DB_DIR.");
		return -1;
	}
	if (target_use_private(&context.target, &context.env, context.root, err) != 0)
		return -1;
	return actions[action].run(&context, run, err);
}

const struct command command = {
	.name = "db-server",
	.summary = "start, stop or look at the project's private local server",
	.synopsis = "[options] start|stop|status|destroy|url",
	.options =
		(const struct option *const[]){ server_options, guard_options, env_options, NULL },
	.variables = (const struct variable *const[]){ server_variables, guard_variables, NULL },
	.examples =
		(const struct example[]){
			{ "db-server start",
				"creates the server if need be, starts it, prints its URL" },
			{ "export CONNECTION_URL=$(db-server url)",
				"tells an application where it is" },
			{ "db-server destroy", "stops the server and removes all its data" },
			{ 0 },
		},
	.max_words = 1,
	.run = run_server,
};

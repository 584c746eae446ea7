/* What the files of the script engine share among themselves. */
#ifndef SQL_SCRIPT_INTERNAL_H
#define SQL_SCRIPT_INTERNAL_H

#include "base/strlist.h"
#include "sql/script.h"
#include "sql/slash.h"
#include "sql/source.h"

#include <sys/stat.h>

/* psql has no limit and dies of a file that includes itself. */
#define SCRIPT_DEPTH 64

enum branch_state {
	BRANCH_TRUE,       /* taken */
	BRANCH_FALSE,      /* not taken; a later one may be */
	BRANCH_IGNORED,    /* not taken, nor will a later one be */
	BRANCH_ELSE_TRUE,  /* the \else is taken */
	BRANCH_ELSE_FALSE, /* the \else is not taken */
	BRANCH_UNCERTAIN,  /* of a dry run: every one may be taken */
	BRANCH_ELSE_UNCERTAIN,
};

struct branch {
	enum branch_state state;
	struct script_reader_mark mark;
	struct script_origin origin; /* of its \if */
};

/* A file that is being read. */
struct frame {
	struct script_reader *reader;
	const char *path; /* in script->names, as is the reader's name */
	int fd;           /* -1: not a file of ours */
	bool regular;
	struct stat opened;
	struct branch *branches;
	size_t branch_count;
	bool quit;
};

struct script {
	struct script_options options;
	struct script_host host;
	struct slash_variables lookup;
	struct variables variables;
	struct strlist names;
	struct frame frames[SCRIPT_DEPTH + 1];
	size_t count;
	uint64_t bytes; /* of the files that have been left */

	bool autocommits, stops_on_error; /* as the variables say */
	bool standard_strings;
	bool session_strings; /* of a dry run: the same once the transaction is over */
	enum encoding encoding;
	char *restrict_key; /* NULL: not restricted */
	bool unknown;       /* of a dry run: variables may have any value */
	size_t uncertain;   /* branches that are */
	size_t lookups;     /* of variables */
	bool can_go_on;
	bool discard; /* the query buffer, once the line of the \r is done */

	/* What an action refers to. */
	struct strbuf text;
	struct strbuf sql;
	struct strbuf command; /* with its backslash */
	char *words[5];
	struct origin_detail *place; /* of a statement that stands where its meta-command does */
	char *warning;               /* to be handed out before anything else */
	char *include_path, *include_name; /* what \i found, to be read once its line is done */
};

/* The file that is being read; there has to be one. */
struct frame *script_top(struct script *script);

/* Whether what is being read is to be carried out. */
bool script_is_active(const struct script *script);

/* Begins to read a file; the name is for messages. */
int script_push(struct script *script, const char *path, const char *name, struct err *err);

/*
 * Carries out the meta-command that the reader has met: 1 with *action filled, 0 when there is
 * nothing to do for the caller, -1 with err set, without a place.
 */
int script_meta(
	struct script *script, const char *name, struct script_action *action, struct err *err);

/* In a dry run: the outcome of the script must not be kept because of its meta-command. */
void script_obstacle(struct script *script, const char *what);

/* The next argument of the meta-command; as slash_next. */
int script_argument(struct script *script, enum slash_mode mode, bool strip_semicolons,
	struct slash_argument *argument, struct err *err);

/* The same copied, NULL when there is none; *ret_text is the caller's. */
int script_word(struct script *script, enum slash_mode mode, bool strip_semicolons, char **ret_text,
	struct err *err);

/* Carries out a command in a branch that is taken; returns as script_meta. */
typedef int meta_fn(
	struct script *script, const char *name, struct script_action *action, struct err *err);

meta_fn script_connect, script_encoding;

/* Hands script->text out to be printed; returns 1. */
int script_print(struct script *script, enum script_action_kind kind, struct script_action *action);

/* \copy: args is the rest of its line. */
int script_copy_parse(
	struct script *script, const char *args, struct script_action *action, struct err *err);

/* \if, \elif, \else, \endif */
int script_branch(struct script *script, const char *name, struct err *err);

/* --- variables ------------------------------------------------------------------------------- */

void script_variables_init(struct script *script);

/* \set, \unset (value NULL), with psql's rules for the variables that it treats specially. */
int script_set(struct script *script, const char *name, const char *value, struct err *err);

/* For struct slash_variables. */
int script_lookup(
	void *context, const char *name, enum variable_form form, char **ret_text, struct err *err);

#endif

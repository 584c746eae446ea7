# dbrig: `make help` lists the targets.

VERSION := 0.1.0

MODE ?= release
BUILD := build/$(MODE)
# Executables of the release mode land in bin/, those of other modes beside their objects.
BIN := $(if $(filter release,$(MODE)),bin,$(BUILD)/bin)

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions

CC ?= cc
PKG_CONFIG ?= pkg-config
AWK ?= awk
LIBRARIES := libpq jansson libcurl libssl libcrypto expat
LIB_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LIBRARIES) 2>/dev/null)
LIB_LIBS := $(shell $(PKG_CONFIG) --libs $(LIBRARIES) 2>/dev/null)

WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wpointer-arith -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wundef -Wwrite-strings -Wcast-qual -Wformat=2 \
	-Wvla -Wdate-time -Wno-format-nonliteral
HARDENING := -fstack-protector-strong -fPIE -pthread
ifeq ($(shell uname -s),Linux)
LINK_HARDENING := -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed
endif

OPTIMIZE_release := -O2 -g -D_FORTIFY_SOURCE=3
OPTIMIZE_debug := -O0 -g3
OPTIMIZE_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all -DDBRIG_SANITIZED=1
OPTIMIZE_cov := -O0 -g --coverage
# For the checks: each compiler with warnings as errors, and the static analyzer.
OPTIMIZE_clang := -O2 -g
OPTIMIZE_gcc := $(OPTIMIZE_release)
OPTIMIZE_analyze := -O1 -g -fanalyzer
OPTIMIZE_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -DDBRIG_SANITIZED=1
ifneq ($(filter clang fuzz,$(MODE)),)
CC := clang
endif

# CFLAGS, CPPFLAGS and LDFLAGS are the user's.
ALL_CFLAGS = -std=gnu11 $(WARNINGS) $(WERROR) $(HARDENING) $(OPTIMIZE_$(MODE)) $(LIB_CFLAGS) $(CFLAGS)
ALL_CPPFLAGS = -D_GNU_SOURCE -DDBRIG_VERSION='"$(VERSION)"' -Isrc -I$(BUILD)/gen $(CPPFLAGS)
ALL_LDFLAGS = $(LINK_HARDENING) $(filter -fsanitize=% --coverage,$(OPTIMIZE_$(MODE))) $(LDFLAGS)

COMMANDS := $(basename $(notdir $(wildcard src/cmd/*.c)))
LIB_SOURCES := $(wildcard $(addprefix src/,$(addsuffix /*.c,base term sql cli pg aws app)))
LIB_OBJECTS := $(LIB_SOURCES:src/%.c=$(BUILD)/%.o)
LIBRARY := $(BUILD)/libdbrig.a
QUERIES := $(wildcard src/pg/queries/*.sql)
QUERY_PARTS := $(wildcard src/pg/queries/part/*.sql)
UNIT_TESTS := $(basename $(notdir $(wildcard tests/unit/test_*.c)))
FUZZERS := $(basename $(notdir $(wildcard tests/fuzz/fuzz_*.c)))
MANPAGES := $(COMMANDS:%=$(BUILD)/man/%.1)

.PHONY: all debug asan cov gcc clang analyze test test-unit test-e2e test-matrix test-fresh test-moto bench fuzz \
	lint format man install uninstall dist help clean objects programs unit-programs
.DELETE_ON_ERROR:
.SECONDARY:

all: programs man ## build everything into bin/ and build/

programs: $(COMMANDS:%=$(BIN)/%)

objects: $(LIB_OBJECTS) $(COMMANDS:%=$(BUILD)/cmd/%.o) $(BUILD)/main/main.o $(BUILD)/main/docs.o

debug asan cov: ## build with that mode's flags into build/MODE/bin/
	$(MAKE) MODE=$@ programs

gcc: ## compile everything with gcc, warnings are errors
	$(MAKE) MODE=gcc WERROR=-Werror CC=gcc objects unit-programs

clang: ## compile everything with clang, warnings are errors
	$(MAKE) MODE=clang WERROR=-Werror objects

analyze: ## compile everything with gcc's static analyzer, findings are errors
	$(MAKE) MODE=analyze WERROR=-Werror CC=gcc objects

$(BUILD)/gen/queries.h: $(QUERIES) $(QUERY_PARTS) scripts/embed-sql
	@mkdir -p $(@D)
	scripts/embed-sql $(QUERIES) >$@

$(BUILD)/%.o: src/%.c | $(BUILD)/gen/queries.h
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(LIBRARY): $(LIB_OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $(LIB_OBJECTS)

$(BIN)/%: $(BUILD)/main/main.o $(BUILD)/cmd/%.o $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIB_LIBS)

# The program that writes a command's man page and completion from its option table.
$(BUILD)/docs/%: $(BUILD)/main/docs.o $(BUILD)/cmd/%.o $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIB_LIBS)

$(BUILD)/man/%.1: $(BUILD)/docs/% man/%.1.in
	@mkdir -p $(@D)
	$(BUILD)/docs/$* --man <man/$*.1.in >$@

# What the commands have in common; any of their programs writes its tables.
$(BUILD)/man/dbrig.7: $(BUILD)/docs/db-setup man/dbrig.7.in
	@mkdir -p $(@D)
	$< --man <man/dbrig.7.in >$@

$(BUILD)/completions/%: $(BUILD)/docs/%
	@mkdir -p $(@D)
	$(BUILD)/docs/$* --completion >$@

man: $(MANPAGES) $(BUILD)/man/dbrig.7 $(COMMANDS:%=$(BUILD)/completions/%) ## man pages and shell completions, in build/release/

# --- tests -----------------------------------------------------------------------------------

$(BUILD)/unit/%: tests/unit/%.c $(LIBRARY) | $(BUILD)/gen/queries.h
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) -Itests/unit $(ALL_CFLAGS) $(ALL_LDFLAGS) -MMD -MP -MF $@.d -o $@ $< $(LIBRARY) $(LIB_LIBS) $(TEST_LIBS) -lcmocka

$(BUILD)/unit/test_parser: TEST_LIBS := -lpg_query


unit-programs: $(UNIT_TESTS:%=$(BUILD)/unit/%)

test: ## build, then all unit and end-to-end tests
	scripts/run-tests all

test-unit: ## the unit tests
	scripts/run-tests unit

test-e2e: ## the end-to-end tests, against a PostgreSQL server of their own
	scripts/run-tests e2e

test-matrix: ## the end-to-end tests against PostgreSQL 13 to 18 (fetches binaries with npm)
	scripts/test-matrix

test-moto: programs ## the rds-* programs against moto_server (python3 -m pip install moto)
	scripts/test-moto

test-fresh: ## scripts/demo and scripts/test in a minimal Debian tree (root, debootstrap)
	scripts/test-fresh

bench: all ## compare with psql, createdb, dbmate and the aws CLI where installed; prints ratios
	tests/bench/run
	tests/bench/resets
	tests/bench/loads
	tests/bench/aws

fuzz: ## build the fuzzers and run each for FUZZ_SECONDS (default 30)
	$(MAKE) MODE=fuzz fuzz-run

.PHONY: fuzz-run
fuzz-run: $(FUZZERS:%=$(BUILD)/fuzz/%)
	scripts/run-fuzzers $^

$(BUILD)/fuzz/%: tests/fuzz/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -fsanitize=fuzzer,address,undefined $(LDFLAGS) -o $@ $< $(LIBRARY) $(LIB_LIBS)

# --- care ------------------------------------------------------------------------------------

lint: ## include floors, both compilers, analyzer, clang-tidy, cppcheck, shellcheck, formatting
	scripts/lint

format: ## clang-format every C file in place
	clang-format -i $$(git ls-files 'src/*.[ch]' 'tests/*.[ch]')

install: all ## install into $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man7 \
		$(DESTDIR)$(BASHCOMPDIR)
	install -m 755 $(COMMANDS:%=bin/%) $(DESTDIR)$(BINDIR)
	install -m 644 $(MANPAGES) $(DESTDIR)$(MANDIR)/man1
	install -m 644 $(BUILD)/man/dbrig.7 $(DESTDIR)$(MANDIR)/man7
	install -m 644 $(COMMANDS:%=$(BUILD)/completions/%) $(DESTDIR)$(BASHCOMPDIR)

uninstall: ## remove what install put there
	rm -f $(COMMANDS:%=$(DESTDIR)$(BINDIR)/%) $(COMMANDS:%=$(DESTDIR)$(MANDIR)/man1/%.1) \
		$(COMMANDS:%=$(DESTDIR)$(BASHCOMPDIR)/%) \
		$(DESTDIR)$(MANDIR)/man7/dbrig.7

dist: ## dbrig-VERSION.tar.gz from the committed tree
	git archive --format=tar.gz --prefix=dbrig-$(VERSION)/ -o dbrig-$(VERSION).tar.gz HEAD

clean: ## remove build products
	rm -rf build dbrig-*.tar.gz $(COMMANDS:%=bin/%)

help: ## this list
	@sed -n 's/^\([a-z][a-z0-9 -]*\):.*## \(.*\)/  \1|\2/p' Makefile | $(AWK) -F'|' '{ printf "%-22s %s\n", $$1, $$2 }'

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

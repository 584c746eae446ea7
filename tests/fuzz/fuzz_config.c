/*
 * AWS configuration files of arbitrary bytes, as both of the files. What must hold: no crash; a
 * refused one says so by a line that exists and shows nothing of the text; what is found in it
 * holds no end of a line at its own end; a profile that has a value is there.
 */
#include "aws/config.h"
#include "base/mem.h"
#include "base/strbuf.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds, const char *what)
{
	if (!holds)
		BUG(what);
}

static void check_error(const uint8_t *data, size_t size, const char *path, const struct err *err)
{
	static const char *const beginnings[] = { "expected NAME = value in line ",
		"section header without a name or without \"]\" in line ",
		"a section that was there before in line ",
		"a setting that was there before in line ",
		"a setting before any [section] in line " };
	CLEANUP(mem_cleanup) char *binary = mem_printf("\"%s\" is not a text file", path);
	size_t lines = 1, line = 0;

	expect(err->kind == ERR_USAGE && !err->detail, "refused without an error");
	if (size > 0 && memchr(data, '\0', size)) {
		expect(strcmp(err->message, binary) == 0, "binary");
		return;
	}
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++) {
		size_t length = strlen(beginnings[i]);
		CLEANUP(mem_cleanup) char *expected = NULL;

		if (strncmp(err->message, beginnings[i], length) != 0)
			continue;
		line = strtoul(err->message + length, NULL, 10);
		expected = mem_printf("%s%zu of \"%s\"", beginnings[i], line, path);
		expect(strcmp(err->message, expected) == 0, "the message holds something else");
	}
	expect(line >= 1 && line <= lines, "a line that is none");
}

static void check_values(const struct config *config)
{
	static const char *const names[] = { "a", "aws_access_key_id", "services", "s/a" };
	static const char *const profiles[] = { "default", "x", "" };

	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(names); j++) {
			const char *path = NULL;
			const char *value = config_get(config, profiles[i], names[j], &path);

			if (!value)
				continue;
			expect(*value && path, "an empty value");
			expect(value[strlen(value) - 1] != '\n', "a value with a line's end");
			expect(config_has_profile(config, profiles[i]), "a value without profile");
		}
		config_service_endpoint(config, profiles[i], "ec2");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const variables[] = { "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE" };
	CLEANUP(env_release) struct env env = ENV_INIT;
	int fd = memfd_create("config", MFD_CLOEXEC);
	CLEANUP(mem_cleanup) char *path = mem_printf("/proc/self/fd/%d", fd);

	expect(fd >= 0 && write(fd, data, size) == (ssize_t)size, "no file");
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		CLEANUP(config_cleanup) struct config *config = NULL;
		CLEANUP(err_release) struct err err = ERR_INIT;

		setenv(variables[i], path, 1);
		setenv(variables[1 - i], "/nowhere", 1);
		if (config_read(&env, &config, &err) != 0)
			check_error(data, size, path, &err);
		else
			check_values(config);
	}
	close(fd);
	return 0;
}

/* A whole file as a string that the caller frees; ends the program when it cannot be read. */
#ifndef BENCH_READ_ALL_H
#define BENCH_READ_ALL_H

#include <stdio.h>
#include <stdlib.h>

static char *read_all(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text;
	long size;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0) {
		perror(path);
		exit(1);
	}
	rewind(file);
	text = malloc((size_t)size + 1);
	if (text == NULL || fread(text, 1, (size_t)size, file) != (size_t)size) {
		perror(path);
		exit(1);
	}
	text[size] = '\0';
	fclose(file);
	return text;
}

#endif

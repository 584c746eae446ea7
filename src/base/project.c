#include "base/project.h"

#include "base/file.h"
#include "base/mem.h"

#include <string.h>
#include <unistd.h>

char *project_cwd(struct err *err)
{
	char *path = getcwd(NULL, 0);

	if (!path)
		err_errno(err, "could not determine the current directory");
	return path;
}

char *project_find_root(const char *start, const char *db_dir)
{
	CLEANUP(mem_cleanup) char *directory = mem_strdup(start);

	for (;;) {
		CLEANUP(mem_cleanup) char *candidate = path_join(directory, db_dir ? db_dir : "db");
		char *slash;

		if (path_is_directory(candidate))
			return take_ptr(directory);
		slash = strrchr(directory, '/');
		if (!slash || strcmp(directory, "/") == 0)
			return NULL;
		slash[slash == directory ? 1 : 0] = '\0';
	}
}

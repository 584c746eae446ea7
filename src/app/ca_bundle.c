#include "app/ca_bundle.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/strbuf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void bio_cleanup(BIO **bio)
{
	BIO_free(*bio);
}

static void x509_cleanup(X509 **certificate)
{
	X509_free(*certificate);
}

/* --- looking --------------------------------------------------------------------------------- */

/* The reader of certificates passes over keys and whatever else stands between them. */
static size_t count_blocks(const char *text, size_t length)
{
	static const char begin[] = "-----BEGIN ";
	const char *end = text + length;
	size_t count = 0;

	for (const char *at = text;
		(at = memmem(at, (size_t)(end - at), begin, strlen(begin))) != NULL;
		at += strlen(begin))
		count++;
	return count;
}

/* The next certificate; NULL at the end of the bundle, or with err set. */
static X509 *next_certificate(BIO *bio, size_t number, const char *origin, struct err *err)
{
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	unsigned long reason = ERR_peek_last_error();

	ERR_clear_error();
	if (!certificate && !(ERR_GET_LIB(reason) == ERR_LIB_PEM &&
				    ERR_GET_REASON(reason) == PEM_R_NO_START_LINE)) {
		err_set(err, ERR_FAILED, "%s is no CA bundle: certificate %zu cannot be read",
			origin, number);
		err_detail(err, "%s.", ERR_reason_error_string(reason));
	}
	return certificate;
}

static time_t seconds_of(const ASN1_TIME *when)
{
	struct tm utc;

	return ASN1_TIME_to_tm(when, &utc) == 1 ? timegm(&utc) : 0;
}

static int look_at(X509 *certificate, const char *origin, time_t now, struct ca_bundle *bundle,
	struct err *err)
{
	time_t expiry, begin;

	bundle->count++;
	if (X509_check_ca(certificate) == 0)
		return err_set(err, ERR_FAILED,
			"%s is no CA bundle: certificate %zu is not that of an authority", origin,
			bundle->count);
	begin = seconds_of(X509_get0_notBefore(certificate));
	expiry = seconds_of(X509_get0_notAfter(certificate));
	if (expiry <= now)
		bundle->expired++;
	else if (begin > now)
		bundle->future++;
	else if (bundle->expiry == 0 || expiry < bundle->expiry)
		bundle->expiry = expiry;
	return 0;
}

int ca_bundle_check(const char *text, size_t length, const char *origin, time_t now,
	struct ca_bundle *ret_bundle, struct err *err)
{
	CLEANUP(bio_cleanup) BIO *bio = NULL;
	struct ca_bundle bundle = { .count = 0 };

	if (length > INT_MAX)
		return err_set(err, ERR_FAILED, "%s is too large for a CA bundle", origin);
	bio = BIO_new_mem_buf(text, (int)length);
	if (!bio)
		BUG("OpenSSL is out of memory");
	for (;;) {
		CLEANUP(x509_cleanup)
		X509 *certificate = next_certificate(bio, bundle.count + 1, origin, err);

		if (!certificate && err->kind)
			return -1;
		if (!certificate)
			break;
		if (look_at(certificate, origin, now, &bundle, err) != 0)
			return -1;
	}
	if (bundle.count == 0)
		return err_set(
			err, ERR_FAILED, "%s is no CA bundle: it holds no certificate", origin);
	if (count_blocks(text, length) != bundle.count)
		return err_set(err, ERR_FAILED,
			"%s is no CA bundle: it holds something besides certificates", origin);
	if (bundle.expired == bundle.count)
		return err_set(err, ERR_FAILED,
			"%s is of no use: all of its certificates have expired", origin);
	if (bundle.expired + bundle.future == bundle.count) {
		err_set(err, ERR_FAILED, "%s is of no use: none of its certificates is valid yet",
			origin);
		err_hint(err, "Is this machine's clock right?");
		return -1;
	}
	*ret_bundle = bundle;
	return 0;
}

/* --- installing ------------------------------------------------------------------------------ */

#define TEMPORARY_PREFIX ".rds-ca-bundle-"
/* No run takes that long: the file is of one that was killed. */
#define ABANDONED_SECONDS 3600

static bool holds_already(const char *path, const char *text, size_t length)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	CLEANUP(strbuf_release) struct strbuf old = STRBUF_INIT_CEILING(length + 1);

	return path_exists(path) && file_read_all(path, &old, &ignored) == 0 &&
	       old.length == length && memcmp(old.data, text, length) == 0;
}

static int make_directories(char *path, struct err *err)
{
	for (char *slash = path + 1;; slash++) {
		char after;

		slash += strcspn(slash, "/");
		after = *slash;
		*slash = '\0';
		if (mkdir(path, 0755) != 0) {
			int reason = errno;

			if (!path_is_directory(path)) {
				errno = reason;
				return err_errno(err, "could not make directory \"%s\"", path);
			}
		}
		if (!after)
			return 0;
		*slash = after;
	}
}

static int write_whole(int fd, const char *path, const char *text, size_t length, struct err *err)
{
	while (length > 0) {
		ssize_t written = write(fd, text, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return err_errno(err, "could not write file \"%s\"", path);
		text += written;
		length -= (size_t)written;
	}
	if (fchmod(fd, 0644) != 0 || fsync(fd) != 0)
		return err_errno(err, "could not write file \"%s\"", path);
	return 0;
}

static void directory_cleanup(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/* What runs left behind that were killed. That one stays is no failure. */
static void remove_abandoned(const char *directory)
{
	CLEANUP(directory_cleanup) DIR *entries = opendir(directory);
	size_t length = strlen(TEMPORARY_PREFIX);
	const struct dirent *entry;

	while (entries && (entry = readdir(entries)) != NULL) {
		struct stat info;

		if (strncmp(entry->d_name, TEMPORARY_PREFIX, length) == 0 &&
			strlen(entry->d_name) == length + 6 &&
			fstatat(dirfd(entries), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(info.st_mode) && info.st_uid == geteuid() &&
			info.st_mtime < time(NULL) - ABANDONED_SECONDS)
			unlinkat(dirfd(entries), entry->d_name, 0);
	}
}

static int replace(
	const char *path, const char *directory, const char *text, size_t length, struct err *err)
{
	CLEANUP(fd_cleanup) int fd = -1;
	CLEANUP(fd_cleanup) int parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(mem_cleanup) char *temporary = path_join(directory, TEMPORARY_PREFIX "XXXXXX");

	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "could not create a file in \"%s\"", directory);
	if (write_whole(fd, path, text, length, err) != 0) {
		unlink(temporary);
		return -1;
	}
	if (rename(temporary, path) != 0) {
		err_errno(err, "could not replace file \"%s\"", path);
		unlink(temporary);
		return -1;
	}
	/* Some file systems cannot do this for a directory; the file is in place all the same. */
	if (parent >= 0)
		(void)fsync(parent);
	return 0;
}

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return mem_strdup(".");
	return mem_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/*
 * The file to replace: what a symbolic link leads to, so that the link stays. Whatever else is not
 * a file of somebody's data (a device, a pipe) must not become one.
 */
static int find_place(const char *path, char **ret_place, struct err *err)
{
	CLEANUP(mem_cleanup) char *place = NULL;
	struct stat info;

	if (lstat(path, &info) != 0) {
		if (errno != ENOENT)
			return err_errno(err, "could not examine \"%s\"", path);
		*ret_place = mem_strdup(path);
		return 0;
	}
	if (S_ISLNK(info.st_mode)) {
		place = mem_calloc(1, PATH_MAX);
		if (!realpath(path, place))
			return err_errno(err, "could not follow the symbolic link \"%s\"", path);
		if (lstat(place, &info) != 0)
			return err_errno(err, "could not examine \"%s\"", place);
	}
	if (S_ISDIR(info.st_mode))
		return err_set(err, ERR_FAILED, "\"%s\" is a directory", path);
	if (!S_ISREG(info.st_mode)) {
		err_set(err, ERR_FAILED, "\"%s\" is not a regular file: it is left as it is", path);
		err_hint(err, "--output - writes the bundle to standard output.");
		return -1;
	}
	*ret_place = place ? take_ptr(place) : mem_strdup(path);
	return 0;
}

int ca_bundle_install(const char *path, bool makes_directory, const char *text, size_t length,
	bool *ret_changed, struct err *err)
{
	CLEANUP(mem_cleanup) char *place = NULL;
	CLEANUP(mem_cleanup) char *directory = NULL;

	*ret_changed = false;
	if (find_place(path, &place, err) != 0 || !place)
		return -1;
	directory = directory_of(place);
	remove_abandoned(directory);
	if (holds_already(place, text, length))
		return 0;
	*ret_changed = true;
	if (makes_directory && make_directories(directory, err) != 0)
		return -1;
	return replace(place, directory, text, length, err);
}

/*
 * credentials.c - see credentials.h.
 */
#include "launcher/enter/credentials.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "launcher/enter/directories.h"
#include "launcher/enter/open.h"

#define CREDENTIALS "/run/credentials"
#define CREDENTIAL_BYTES_MAX (1u << 20) /* systemd's limit for all of them; ours for each */

/* system.posix_acl_access as the kernel takes it: linux/posix_acl_xattr.h, little endian. */
struct acl {
	uint32_t version; /* 2 */
	struct acl_entry {
		uint16_t tag, perm;
		uint32_t id;
	} entries[5];
};

const char *
credentials_directory(const struct enter *e)
{
	static char path[PATH_MAX]; /* pages that only a child touches */
	struct buf b;

	if (e->unit->exec.credentials.n == 0)
		return NULL;
	buf_init(&b, path, sizeof(path));
	(void)buf_puts(&b, CREDENTIALS "/");
	(void)buf_puts(&b, plan_str(e->plan, e->unit->id));
	return path; /* a unit's name is far shorter */
}

/* Root, and the service's user. */
static int
let_in(int fd, const struct plan_exec *x, uint16_t perm)
{
	const uint32_t none = UINT32_MAX;
	const struct acl acl = { 2,
		{ { 0x01, perm, none }, { 0x02, perm, x->uid }, { 0x04, 0, none },
		    { 0x10, perm, none }, { 0x20, 0, none } } };

	if (!x->has_user)
		return fchmod(fd, perm & 1 ? 0500 : 0400) < 0 ? -errno : 0;
	return fsetxattr(fd, "system.posix_acl_access", &acl, sizeof(acl), 0) < 0 ? -errno : 0;
}

/* One file of the directory, as a copy. */
static int
make_file(const struct enter *e, int dir, const char *name, int from)
{
	_cleanup_fd_ int to = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	size_t total = 0;
	ssize_t n = to < 0 ? -1 : 1;

	while (n > 0 && total <= CREDENTIAL_BYTES_MAX) {
		n = sendfile(to, from, NULL, CREDENTIAL_BYTES_MAX);
		total += n > 0 ? (size_t)n : 0;
	}
	if (n != 0)
		return n < 0 ? -errno : -EFBIG;
	return let_in(to, &e->unit->exec, 4);
}

/* A folder: each file in it is a credential ID_NAME. */
static int
make_from_folder(const struct enter *e, int dir, const char *id, int take_folder)
{
	DIR *d =
	    fdopendir(take_folder); /* allocates: there is one thread, and nobody to wait for */
	const struct dirent *entry;
	int r = 0;

	if (!d)
		return -ENOMEM;
	while (r == 0 && (entry = readdir(d))) {
		char name[NAME_MAX + 1];
		struct stat st;
		struct buf b;
		_cleanup_fd_ int from =
		    openat(dirfd(d), entry->d_name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

		buf_init(&b, name, sizeof(name));
		if (from < 0 || fstat(from, &st) < 0)
			r = -errno;
		else if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
			continue;
		else if (buf_puts(&b, id) < 0 || buf_putc(&b, '_') < 0 ||
			 buf_puts(&b, entry->d_name) < 0)
			r = -ENAMETOOLONG;
		else
			r = make_file(e, dir, name, from);
	}
	(void)closedir(d);
	return r;
}

static int
make_credential(const struct enter *e, int dir, const struct plan_credential *c)
{
	const char *id = plan_str(e->plan, c->id), *path = enter_text(e, c->path);
	_cleanup_fd_ int from = -EBADF;
	struct stat st;

	from = open_for(e, path, O_RDONLY);
	if (from < 0)
		return from;
	if (fstat(from, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return make_from_folder(e, dir, id, fd_take(&from));
	return make_file(e, dir, id, from);
}

void
credentials_remove(const struct enter *e)
{
	const char *path = credentials_directory(e);
	const int dir = path ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -EBADF;

	if (dir < 0)
		return;
	(void)fchmod(dir, 0700); /* ours, but read-only even to us */
	directory_empty(dir);
	(void)rmdir(path);
}

int
credentials_make(const struct enter *e)
{
	const char *path = credentials_directory(e);
	_cleanup_fd_ int dir = -EBADF;
	int r = 0;

	if (!path)
		return 0;
	if ((mkdir(CREDENTIALS, 0755) < 0 && errno != EEXIST) ||
	    (mkdir(path, 0700) < 0 && errno != EEXIST))
		return -errno;
	/* The same directory over a reload: a service may have it open, or be confined to it. */
	dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	(void)fchmod(dir, 0700); /* ours, but read-only even to us */
	directory_empty(fcntl(dir, F_DUPFD_CLOEXEC, 0));
	PLAN_FOREACH (e->plan, e->unit->exec.credentials, struct plan_credential, c) {
		r = make_credential(e, dir, c);
		if (r < 0)
			return r;
	}
	return let_in(dir, &e->unit->exec, 5);
}

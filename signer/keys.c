/*
 * keys.c - see keys.h. Reading of one file is in keyfile.c.
 */
#include "signer/keys.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "signer/keyfile.h"

static void
signer_key_done(struct signer_key *key)
{
	key_unready(key);
	EVP_PKEY_free(key->pkey); /* wiped: see secret.c */
	explicit_bzero(key, sizeof(*key));
}

void
keyset_done(struct keyset *set)
{
	for (size_t i = 0; i < set->n; i++)
		signer_key_done(&set->keys[i]);
	free(set->keys);
	*set = (struct keyset){ .generation = set->generation };
}

const struct signer_key *
keyset_find(const struct keyset *set, const uint8_t *id)
{
	for (size_t i = 0; i < set->n; i++)
		if (memcmp(set->keys[i].id, id, SIGN_KEY_ID_BYTES) == 0)
			return &set->keys[i];
	return NULL;
}

size_t
keyset_current(const struct keyset *set)
{
	size_t n = 0;

	while (n < set->n && set->keys[n].retired_usec == 0)
		n++;
	return n;
}

/* Takes the key on success. */
static int
keyset_add_take(struct keyset *set, struct signer_key *key, struct why *why)
{
	struct signer_key *keys;
	const struct signer_key *twin = keyset_find(set, key->id);

	if (twin)
		return why_set(why, -EEXIST, "%s: the same key as %s", key->name, twin->name);
	if (set->n >= SIGN_KEYS_MAX)
		return why_set(why, -E2BIG, "%s: more than %d keys", key->name, SIGN_KEYS_MAX);
	keys = reallocarray(set->keys, set->n + 1, sizeof(*keys));
	if (!keys)
		return why_set(why, -ENOMEM, "%s", key->name);
	set->keys = keys;
	keys[set->n++] = *key;
	explicit_bzero(key, sizeof(*key));
	return 0;
}

/* @must: a file that holds no private key is an error */
static int
load_file(struct keyset *set, int dir, const char *name, bool must, struct why *why)
{
	struct signer_key key = { 0 };
	int r = keyfile_read(dir, name, &key, why);

	if (r == KEYFILE_NOT_A_KEY)
		return must ? why_set(why, -ENOKEY, "%s: no PEM private key in it", name) : 0;
	if (r == 0)
		r = key_ready(&key, why);
	if (r == 0)
		r = keyset_add_take(set, &key, why);
	signer_key_done(&key);
	return r < 0 ? r : 0;
}

static int
load_files(struct keyset *set, const struct key_sources *src, struct why *why)
{
	int r = 0;

	for (size_t i = 0; i < src->n_files && r == 0; i++)
		r = load_file(set, AT_FDCWD, src->files[i], true, why);
	return r;
}

static int
is_visible(const struct dirent *e)
{
	return e->d_name[0] != '.' && !str_ends(e->d_name, KEYFILE_PASS_SUFFIX);
}

static int
load_directory(struct keyset *set, const struct key_sources *src, struct why *why)
{
	_cleanup_fd_ int dir = -EBADF;
	struct dirent **names;
	int n, r = 0;

	if (!src->directory)
		return 0;
	dir = open(src->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	n = dir < 0 ? -1 : scandirat(dir, ".", &names, is_visible, alphasort);
	if (n < 0)
		return why_set(why, -errno, "%s", src->directory);
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = load_file(set, dir, names[i]->d_name, false, why);
		free(names[i]);
	}
	free(names);
	return r;
}

/* One row per place that keys can come from. */
static int (*const key_loaders[])(
    struct keyset *set, const struct key_sources *src, struct why *why) = {
	load_directory,
	load_files,
};

/* A signature that is under way in a worker with the old certificate must still succeed. */
static int
keep_retired(struct keyset *fresh, struct keyset *old, uint64_t now_usec, struct why *why)
{
	for (size_t i = 0; i < old->n && fresh->n < SIGN_KEYS_MAX; i++) {
		struct signer_key copy = old->keys[i];
		int r;

		if (keyset_find(fresh, copy.id))
			continue;
		if (copy.retired_usec == 0)
			copy.retired_usec = now_usec;
		copy.ready = NULL; /* stays with the old one */
		if (EVP_PKEY_up_ref(copy.pkey) != 1)
			return why_set(why, -ENOMEM, "%s", copy.name);
		r = key_ready(&copy, why);
		if (r == 0)
			r = keyset_add_take(fresh, &copy, why);
		signer_key_done(&copy); /* empty once it was taken */
		if (r < 0)
			return r;
	}
	return 0;
}

int
keyset_load(struct keyset *set, const struct key_sources *src, uint64_t now_usec, struct why *why)
{
	struct keyset fresh = { 0 };
	int r = 0;

	for (size_t i = 0; i < ELEMENTSOF(key_loaders) && r == 0; i++)
		r = key_loaders[i](&fresh, src, why);
	if (r == 0 && fresh.n == 0)
		r = why_set(why, -ENOKEY, "no private key found");
	if (r == 0)
		r = keep_retired(&fresh, set, now_usec, why);
	/* Random, so that a worker also sees the change of a whole signer. */
	if (r == 0 && RAND_bytes((unsigned char *)&fresh.generation, sizeof(uint64_t)) != 1)
		r = why_set(why, -EIO, "random numbers");
	if (r < 0) {
		keyset_done(&fresh);
		return r;
	}
	fresh.generation |= 1;
	keyset_done(set);
	*set = fresh;
	return 0;
}

size_t
keyset_expire(struct keyset *set, uint64_t now_usec, uint64_t max_age_usec)
{
	size_t kept = keyset_current(set), gone = 0;

	for (size_t i = kept; i < set->n; i++) {
		if (now_usec < set->keys[i].retired_usec + max_age_usec) {
			set->keys[kept++] = set->keys[i];
			continue;
		}
		signer_key_done(&set->keys[i]);
		gone++;
	}
	for (size_t i = kept; i < set->n; i++) /* freed or moved: only the copy is left */
		explicit_bzero(&set->keys[i], sizeof(set->keys[i]));
	set->n = kept;
	return gone;
}

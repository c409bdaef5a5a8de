/*
 * auth.c - see auth.h.
 */
#include "worker/site/auth.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "worker/http/field.h"

#define CREDENTIALS_MAX 512
#define HASH_BYTES 32
#define HASHINGS_PER_SECOND 8

struct user {
	char *name, *hash;
	bool known; /* verified once, as `seen` */
	uint8_t seen[HASH_BYTES];
};

struct htpasswd {
	size_t n;
	struct user *users;
	uint8_t key[HASH_BYTES]; /* of this process */
	int64_t second;
	unsigned hashings; /* in that second */
};

static int
htpasswd_line(struct htpasswd *h, char *line)
{
	char *colon;
	struct user *users;

	line[strcspn(line, "\r\n")] = '\0';
	if (line[0] == '\0' || line[0] == '#')
		return 0;
	colon = strchr(line, ':');
	/* A hash of crypt(3) begins with '$' or '_', or is the old 13-letter one, refused here. */
	if (!colon || colon == line || (colon[1] != '$' && colon[1] != '_'))
		return -EBADMSG;
	*colon = '\0';
	users = reallocarray(h->users, h->n + 1, sizeof(*users));
	if (!users)
		return -ENOMEM;
	h->users = users;
	users[h->n] = (struct user){ .name = strdup(line), .hash = strdup(colon + 1) };
	if (!users[h->n].name || !users[h->n].hash) {
		free(users[h->n].name);
		free(users[h->n].hash);
		return -ENOMEM;
	}
	h->n++;
	return 0;
}

int
htpasswd_load(const char *path, struct htpasswd **ret, struct why *why)
{
	_cleanup_file_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	struct htpasswd *h;
	size_t size = 0;
	unsigned number = 0;
	int r = 0;

	if (!f)
		return why_set(why, -errno, "%s", path);
	h = calloc(1, sizeof(*h));
	if (!h || getentropy(h->key, sizeof(h->key)) < 0) {
		free(h);
		return why_set(why, -ENOMEM, "%s", path);
	}
	while (r == 0 && getline(&line, &size, f) >= 0) {
		number++;
		r = htpasswd_line(h, line);
	}
	if (r < 0) {
		htpasswd_free(h);
		return why_set(
		    why, r, "%s:%u: want \"user:$hash\" (mkpasswd, htpasswd -B)", path, number);
	}
	*ret = h;
	return 0;
}

void
htpasswd_free(struct htpasswd *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->n; i++) {
		free(h->users[i].name);
		free(h->users[i].hash);
	}
	free(h->users);
	free(h);
}

/* Base64 (RFC 4648) into dst. Return: length, or -EINVAL. */
static int
base64_decode(struct span text, char *dst, size_t size)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t acc = 0;
	unsigned bits = 0;
	size_t n = 0;

	while (text.len > 0 && text.ptr[text.len - 1] == '=')
		text.len--;
	for (size_t i = 0; i < text.len; i++) {
		const char *p = text.ptr[i] ? strchr(letters, text.ptr[i]) : NULL;

		if (!p || n >= size)
			return -EINVAL;
		acc = acc << 6 | (uint32_t)(p - letters);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			dst[n++] = (char)(acc >> bits);
		}
	}
	return (int)n;
}

static bool
credentials_hash(const struct htpasswd *h, const char *text, size_t len, uint8_t ret[HASH_BYTES])
{
	uint8_t bytes[HASH_BYTES + CREDENTIALS_MAX];
	size_t n = HASH_BYTES;
	bool ok;

	memcpy(bytes, h->key, HASH_BYTES);
	memcpy(bytes + HASH_BYTES, text, len);
	ok = EVP_Q_digest(NULL, "SHA256", NULL, bytes, HASH_BYTES + len, ret, &n) == 1;
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return ok;
}

static bool
password_matches(const char *hash, const char *password)
{
	struct crypt_data *data = calloc(1, sizeof(*data)); /* 32 KB: not on the stack */
	const char *got;
	bool same = false;

	if (!data)
		return false;
	got = crypt_r(password, hash, data);
	if (got && got[0] != '*' && strlen(got) == strlen(hash))
		same = CRYPTO_memcmp(got, hash, strlen(hash)) == 0;
	OPENSSL_cleanse(data, sizeof(*data));
	free(data);
	return same;
}

/* text is "user:password", len bytes and a NUL. */
static enum auth
auth_credentials(struct htpasswd *h, char *text, size_t len, int64_t now, const char **ret_user)
{
	char *colon = memchr(text, ':', len);
	uint8_t hash[HASH_BYTES];
	struct user *u = NULL;

	if (!colon || strlen(text) != len || !credentials_hash(h, text, len, hash))
		return AUTH_NEEDED;
	*colon = '\0';
	for (size_t i = 0; i < h->n && !u; i++)
		if (strcmp(h->users[i].name, text) == 0)
			u = &h->users[i];
	if (!u)
		return AUTH_NEEDED;
	*ret_user = u->name;
	if (u->known && CRYPTO_memcmp(u->seen, hash, HASH_BYTES) == 0)
		return AUTH_OK;
	if (h->second != now) {
		h->second = now;
		h->hashings = 0;
	}
	if (h->hashings++ >= HASHINGS_PER_SECOND)
		return AUTH_BUSY;
	if (!password_matches(u->hash, colon + 1))
		return AUTH_NEEDED;
	memcpy(u->seen, hash, HASH_BYTES);
	u->known = true;
	return AUTH_OK;
}

enum auth
auth_check(struct htpasswd *h, const struct request *r, int64_t now, const char **ret_user)
{
	const struct span value = request_field(r, FIELD_AUTHORIZATION);
	char text[CREDENTIALS_MAX + 1];
	enum auth got = AUTH_NEEDED;
	int n;

	if (value.len < 7 || !span_same((struct span){ value.ptr, 6 }, "basic "))
		return AUTH_NEEDED;
	n = base64_decode(
	    span_trim((struct span){ value.ptr + 6, value.len - 6 }), text, CREDENTIALS_MAX);
	if (n > 0) {
		text[n] = '\0';
		got = auth_credentials(h, text, (size_t)n, now, ret_user);
	}
	OPENSSL_cleanse(text, sizeof(text));
	return got;
}

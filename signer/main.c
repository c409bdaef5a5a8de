/*
 * main.c - sallyport-keyd(8): holds private keys, signs TLS handshakes and nothing else. Wiring
 *          only.
 * Runs as: user sallyport-keyd, no capability, no network; refuses anything more.
 * Trusts:  the service manager: its socket, $CREDENTIALS_DIRECTORY, the command line.
 * Tests:   tests/tls/test_keyd.py
 */
#include <sysexits.h>

#include <openssl/crypto.h>

#include "common/log.h"
#include "signer/confine.h"
#include "signer/loop.h"
#include "signer/secret.h"

static int
keyd_give_up(int code, const struct why *why)
{
	log_error("%s", why->text);
	return code;
}

static void
keyd_print_keys(const struct keyset *set)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct signer_key *key = &set->keys[i];

		(void)printf("%s: %s %u bits, public key sha256 ", key->name,
		    sign_kind_text(key->kind), key->bits);
		for (size_t b = 0; b < SIGN_KEY_ID_BYTES; b++)
			(void)printf("%02x", key->id[b]);
		(void)putchar('\n');
	}
}

/* Memory first, then identity, and only then a key. */
static int
keyd_prepare(struct keyd *k, struct why *why)
{
	int r = secret_setup(why);

	if (r < 0)
		return r;
	r = k->options.check ? 0 : secret_check_identity(why); /* root may look at its own files */
	if (r < 0)
		return r;
	/* No openssl.cnf: its engines and providers are code that the keys would be lent to. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return why_set(why, -EIO, "OpenSSL");
	return keyset_load(&k->set, &k->options.sources, 0, why);
}

static int
keyd_serve(struct keyd *k, struct why *why)
{
	int r = keyd_listeners(k, why);

	if (r == 0)
		r = keyd_signals(k, why);
	if (r == 0)
		r = confine_signer(&k->options.sources, why);
	if (r == CONFINED_WITHOUT_LANDLOCK)
		log_warning("not confined to the key files: %s", why->text);
	if (r < 0)
		return r;
	log_info("%zu keys", keyset_current(&k->set));
	return keyd_loop(k, why);
}

int
main(int argc, char **argv)
{
	struct keyd keyd = { .signals = -EBADF };
	struct why why;
	int r = keyd_options_parse(argc, argv, &keyd.options, &why);

	if (r == OPTIONS_EXIT)
		return EX_OK;
	log_setup("sallyport-keyd", keyd.options.json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT,
	    keyd.options.debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	if (r < 0)
		return keyd_give_up(EX_USAGE, &why);
	r = keyd_prepare(&keyd, &why);
	if (r < 0)
		return keyd_give_up(r == -EPERM ? EX_NOPERM : EX_CONFIG, &why);
	if (keyd.options.check) {
		keyd_print_keys(&keyd.set);
		keyset_done(&keyd.set);
		return EX_OK;
	}
	r = keyd_serve(&keyd, &why);
	keyset_done(&keyd.set);
	(void)fd_close(keyd.signals);
	return r < 0 ? keyd_give_up(EX_OSERR, &why) : EX_OK;
}

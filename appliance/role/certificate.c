/* certificate - see certificate.h. */
#include "appliance/role/certificate.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#define CHAIN_MAX 10 /* certificates */

/* Of somebody else's file we only want to hear what we were asked for, so that a key behind a
 * passphrase is an error and not a question at the terminal. */
static int
no_passphrase(char *buf, int size, int rw, void *arg)
{
	(void)buf;
	(void)size;
	(void)rw;
	*(bool *)arg = true;
	return -1;
}

void
certificate_init(void)
{
	unsigned char some[16];

	(void)OPENSSL_init_ssl(
	    OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_NO_ATEXIT,
	    NULL);
	(void)RAND_bytes(some, sizeof some); /* the generator is seeded from here on */
}

static void
because(char why[CERTIFICATE_WHY_MAX], const char *what)
{
	unsigned long e = ERR_peek_last_error();
	const char *reason = e != 0 ? ERR_reason_error_string(e) : NULL;

	snprintf(why, CERTIFICATE_WHY_MAX, "%s%s%s%s", what, reason != NULL ? " (" : "",
	    reason != NULL ? reason : "", reason != NULL ? ")" : "");
	ERR_clear_error();
}

static void
note_end(const X509 *x, time_t *not_after)
{
	struct tm tm;
	time_t end;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) != 1)
		return;
	end = timegm(&tm);
	if (*not_after == 0 || end < *not_after)
		*not_after = end;
}

/* The next certificate of the file; NULL: the end, or what is there is none (the error queue says). */
static X509 *
next_certificate(BIO *in)
{
	bool asked = false;

	return PEM_read_bio_X509(in, NULL, no_passphrase, &asked);
}

static bool
at_end(void)
{
	unsigned long e = ERR_peek_last_error();

	return e == 0 ||
	       (ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE);
}

static bool
use_chain(SSL_CTX *ctx, struct octets cert, time_t *not_after, char why[CERTIFICATE_WHY_MAX])
{
	BIO *in = BIO_new_mem_buf(cert.data, (int)cert.len);
	X509 *x;
	int n = 0;
	bool ok = in != NULL;

	*not_after = 0;
	while (ok && (x = next_certificate(in)) != NULL) {
		note_end(x, not_after);
		if (n == 0)
			ok = SSL_CTX_use_certificate(ctx, x) == 1 &&
			     SSL_CTX_clear_chain_certs(ctx) == 1;
		else
			ok = n < CHAIN_MAX && SSL_CTX_add1_chain_cert(ctx, x) == 1;
		X509_free(x);
		n++;
	}
	BIO_free(in);
	if (!ok)
		because(why, n > CHAIN_MAX ? "more certificates than a chain has"
					   : "the certificate cannot be used");
	else if (n == 0 || !at_end())
		because(why, n == 0 ? "holds no PEM certificate" : "is broken behind the first");
	ok = ok && n > 0 && at_end() && why[0] == '\0';
	ERR_clear_error();
	return ok;
}

static EVP_PKEY *
read_key(struct octets key, char why[CERTIFICATE_WHY_MAX])
{
	BIO *in = BIO_new_mem_buf(key.data, (int)key.len);
	bool asked = false;
	EVP_PKEY *k = in != NULL ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, &asked) : NULL;

	if (k == NULL && asked) {
		ERR_clear_error();
		snprintf(why, CERTIFICATE_WHY_MAX, "%s",
		    "is protected by a passphrase, which nobody could type here");
	} else if (k == NULL) {
		because(why, "holds no PEM private key");
	}
	BIO_free(in);
	return k;
}

enum certificate_fault
certificate_use(SSL_CTX *ctx, struct octets cert, struct octets key, time_t *not_after,
    char why[CERTIFICATE_WHY_MAX])
{
	EVP_PKEY *k;
	bool same, used;

	ERR_clear_error();
	why[0] = '\0';
	if (!use_chain(ctx, cert, not_after, why))
		return CERTIFICATE_BAD;
	k = read_key(key, why);
	if (k == NULL)
		return CERTIFICATE_KEY_BAD;
	same = X509_check_private_key(SSL_CTX_get0_certificate(ctx), k) == 1;
	ERR_clear_error();
	used = same && SSL_CTX_use_PrivateKey(ctx, k) == 1;
	EVP_PKEY_free(k);
	if (used)
		return CERTIFICATE_OK;
	if (same)
		because(why, "the key cannot be used");
	else
		snprintf(why, CERTIFICATE_WHY_MAX, "%s", "is not the key of the certificate");
	return CERTIFICATE_KEY_BAD;
}

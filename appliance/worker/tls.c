/* tls - see tls.h. */
#include "appliance/worker/tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "ipc/base/xalloc.h"

#define TICKETS 2 /* current, former */

struct tls {
	SSL_CTX *ctx; /* NULL: nothing was loaded */
	BIO_METHOD *method;
	uint8_t tickets[TICKETS][TICKET_KEY];
	size_t n_tickets;
};

struct tls_conn {
	SSL *ssl;
	int fd;
	bool done; /* the handshake */
	bool broken; /* OpenSSL must not be called again */
	bool eof; /* of the socket */
	uint32_t budget; /* octets that may still be read in this turn */
	uint8_t *rest; /* malloc'd while there is one */
	uint32_t rest_pos, rest_len;
};

/* ---- the socket, as OpenSSL sees it ---- */

static bool
would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENOBUFS;
}

static int
bio_read(BIO *b, char *p, int n)
{
	struct tls_conn *c = BIO_get_data(b);
	ssize_t got;

	BIO_clear_retry_flags(b);
	if (c->budget == 0) {
		BIO_set_retry_read(b);
		return -1;
	}
	got = recv(c->fd, p, (uint32_t)n < c->budget ? (uint32_t)n : c->budget, MSG_DONTWAIT);
	if (got < 0 && would_block())
		BIO_set_retry_read(b);
	c->eof = got == 0;
	if (got > 0)
		c->budget -= (uint32_t)got;
	return (int)got;
}

static bool
keep_rest(struct tls_conn *c, const char *p, size_t n)
{
	uint8_t *grown;

	if (n > TLS_REST_MAX - c->rest_len)
		return false; /* a peer that reads nothing and makes us write: enough */
	grown = realloc(c->rest, c->rest_len + n);
	if (grown == NULL)
		return false;
	memcpy(grown + c->rest_len, p, n);
	c->rest = grown;
	c->rest_len += (uint32_t)n;
	return true;
}

/* Takes everything, so that OpenSSL never has to come again with the same octets. */
static int
bio_write(BIO *b, const char *p, int n)
{
	struct tls_conn *c = BIO_get_data(b);
	ssize_t put = 0;

	BIO_clear_retry_flags(b);
	if (n <= 0)
		return 0;
	if (c->rest == NULL) {
		put = send(c->fd, p, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (put < 0 && !would_block())
			return -1;
		put = put < 0 ? 0 : put;
	}
	if (put < n && !keep_rest(c, p + put, (size_t)(n - put)))
		return -1;
	return n;
}

static long
bio_ctrl(BIO *b, int what, long n, void *p)
{
	const struct tls_conn *c = BIO_get_data(b);

	(void)n;
	(void)p;
	return what == BIO_CTRL_FLUSH || (what == BIO_CTRL_EOF && c->eof);
}

static int
bio_create(BIO *b)
{
	BIO_set_init(b, 1);
	return 1;
}

static BIO_METHOD *
method_new(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "client");

	if (m != NULL && BIO_meth_set_read(m, bio_read) && BIO_meth_set_write(m, bio_write) &&
	    BIO_meth_set_ctrl(m, bio_ctrl) && BIO_meth_set_create(m, bio_create))
		return m;
	BIO_meth_free(m);
	return NULL;
}

/* ---- tickets (RFC 5077, RFC 8446 4.6.1) ---- */

/* Cipher and MAC by the key; OpenSSL does the rest. */
static bool
ticket_set(
    const uint8_t *key, const uint8_t *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seal)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY,
		    (void *)(uintptr_t)(key + TICKET_NAME + TICKET_HALF), TICKET_HALF),
		OSSL_PARAM_construct_utf8_string(
		    OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t) "SHA256", 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_CTX_set_params(mac, params) == 1 &&
	       EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key + TICKET_NAME, iv, seal) == 1;
}

/* 1: here is the key; 2: open it and give out a new one; 0: not one of ours, a full handshake. */
static int
on_ticket(SSL *ssl, unsigned char name[TICKET_NAME], unsigned char *iv, EVP_CIPHER_CTX *cipher,
    EVP_MAC_CTX *mac, int seal)
{
	const struct tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	size_t i;

	if (seal) {
		if (t->n_tickets == 0 ||
		    RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
			return 0;
		memcpy(name, t->tickets[0], TICKET_NAME);
		return ticket_set(t->tickets[0], iv, cipher, mac, 1) ? 1 : -1;
	}
	for (i = 0; i < t->n_tickets; i++)
		if (memcmp(name, t->tickets[i], TICKET_NAME) == 0)
			return !ticket_set(t->tickets[i], iv, cipher, mac, 0) ? -1 : i == 0 ? 1 : 2;
	return 0;
}

/* RFC 7301 3.2: a client that names protocols and not ours is told so; it came to the wrong port. */
static int
on_alpn(SSL *ssl, const unsigned char **out, unsigned char *len, const unsigned char *in,
    unsigned in_len, void *arg)
{
	static const unsigned char ours[] = { 3, 'd', 'o', 't' };
	unsigned char *found;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&found, len, ours, sizeof ours, in, in_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = found;
	return SSL_TLSEXT_ERR_OK;
}

/* ---- the context ---- */

static SSL_CTX *
context_new(struct tls *t)
{
	static const unsigned char id[] = "dot";
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL)
		return NULL;
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
	    SSL_CTX_set_session_id_context(ctx, id, sizeof id - 1) != 1 ||
	    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket) != 1) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_app_data(ctx, t);
	/* A peer may end without close_notify: the lengths of DNS show whether a message is whole. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
				     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
				     SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets only */
	SSL_CTX_set_timeout(ctx, TLS_SESSION_S);
	SSL_CTX_set_num_tickets(ctx, 1); /* a client keeps one connection, as a rule */
	SSL_CTX_set_max_early_data(ctx, 0); /* what can be replayed can be amplified */
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
	return ctx;
}

struct tls *
tls_new(void)
{
	struct tls *t = xcalloc(1, sizeof *t);

	t->method = method_new();
	return t;
}

void
tls_destroy(struct tls **tp)
{
	struct tls *t = *tp;

	if (t == NULL)
		return;
	SSL_CTX_free(t->ctx);
	BIO_meth_free(t->method);
	OPENSSL_cleanse(t, sizeof *t);
	free(t);
	*tp = NULL;
}

static void
load_tickets(struct tls *t, const Ns__TlsMaterial *m)
{
	size_t i;

	t->n_tickets = 0;
	for (i = 0; i < m->n_tickets && i < TICKETS && m->tickets[i].len == TICKET_KEY; i++)
		memcpy(t->tickets[t->n_tickets++], m->tickets[i].data, TICKET_KEY);
}

bool
tls_load(struct tls *t, const Ns__TlsMaterial *m, char why[CERTIFICATE_WHY_MAX])
{
	SSL_CTX *ctx = t->method != NULL ? context_new(t) : NULL;
	time_t not_after;

	(void)snprintf(why, CERTIFICATE_WHY_MAX, "OpenSSL makes no context");
	if (ctx == NULL ||
	    certificate_use(ctx, (struct octets){ m->cert.data, m->cert.len },
		(struct octets){ m->key.data, m->key.len }, &not_after, why) != CERTIFICATE_OK) {
		SSL_CTX_free(ctx);
		return false;
	}
	SSL_CTX_free(t->ctx); /* connections that began with it hold it */
	t->ctx = ctx;
	load_tickets(t, m);
	return true;
}

/* ---- one connection ---- */

struct tls_conn *
tls_open(struct tls *t, int fd)
{
	struct tls_conn *c = t->ctx != NULL ? calloc(1, sizeof *c) : NULL;
	BIO *b = c != NULL ? BIO_new(t->method) : NULL;

	if (b != NULL)
		c->ssl = SSL_new(t->ctx);
	if (b == NULL || c->ssl == NULL) {
		BIO_free(b);
		free(c);
		ERR_clear_error();
		return NULL;
	}
	c->fd = fd;
	BIO_set_data(b, c);
	SSL_set_bio(c->ssl, b, b);
	SSL_set_accept_state(c->ssl);
	return c;
}

void
tls_close(struct tls_conn **cp, bool notify)
{
	struct tls_conn *c = *cp;

	if (c == NULL)
		return;
	/* Behind unsent octets it would never be seen. */
	if (notify && c->done && !c->broken && c->rest == NULL)
		(void)SSL_shutdown(c->ssl);
	SSL_free(c->ssl);
	ERR_clear_error();
	free(c->rest);
	free(c);
	*cp = NULL;
}

/* What an operation of OpenSSL that did not succeed means. */
static enum tls_step
step_of(struct tls_conn *c, int rc)
{
	int e = SSL_get_error(c->ssl, rc);

	if (e == SSL_ERROR_WANT_READ)
		return TLS_WAIT;
	if (e == SSL_ERROR_ZERO_RETURN)
		return TLS_ENDED;
	c->broken = true;
	ERR_clear_error();
	return TLS_FAILED;
}

enum tls_step
tls_handshake(struct tls_conn *c)
{
	int rc;

	ERR_clear_error();
	rc = SSL_do_handshake(c->ssl);
	c->done = rc == 1;
	return rc == 1 ? TLS_DONE : step_of(c, rc) == TLS_WAIT ? TLS_WAIT : TLS_FAILED;
}

bool
tls_resumed(const struct tls_conn *c)
{
	return SSL_session_reused(c->ssl) == 1;
}

void
tls_turn(struct tls_conn *c)
{
	c->budget = TLS_TURN;
}

enum tls_step
tls_read(struct tls_conn *c, uint8_t *p, size_t room, size_t *n)
{
	int rc;

	*n = 0;
	ERR_clear_error();
	rc = SSL_read_ex(c->ssl, p, room, n);
	return rc == 1 ? TLS_DONE : step_of(c, rc);
}

bool
tls_has_more(const struct tls_conn *c)
{
	return SSL_pending(c->ssl) > 0;
}

/* Fills one record from several replies: what was pipelined leaves in few records. */
static size_t
fill_record(uint8_t *record, const struct iovec *iov, size_t n, size_t *at, size_t *pos)
{
	size_t used = 0, k;

	while (*at < n && used < TLS_RECORD) {
		k = iov[*at].iov_len - *pos;
		k = k < TLS_RECORD - used ? k : TLS_RECORD - used;
		memcpy(record + used, (const uint8_t *)iov[*at].iov_base + *pos, k);
		used += k;
		*pos += k;
		if (*pos == iov[*at].iov_len) {
			(*at)++;
			*pos = 0;
		}
	}
	return used;
}

enum tls_step
tls_write(struct tls_conn *c, const struct iovec *iov, size_t n, size_t *octets)
{
	static uint8_t record[TLS_RECORD];
	size_t at = 0, pos = 0, len, put;

	*octets = 0;
	ERR_clear_error();
	while (c->rest == NULL && (len = fill_record(record, iov, n, &at, &pos)) > 0) {
		if (SSL_write_ex(c->ssl, record, len, &put) != 1) {
			c->broken = true;
			ERR_clear_error();
			return TLS_FAILED;
		}
		*octets += len; /* all of it: the BIO takes everything */
	}
	return TLS_DONE;
}

bool
tls_blocked(const struct tls_conn *c)
{
	return c->rest != NULL;
}

enum tls_step
tls_flush(struct tls_conn *c)
{
	ssize_t n;

	if (c->rest == NULL)
		return TLS_DONE;
	n = send(
	    c->fd, c->rest + c->rest_pos, c->rest_len - c->rest_pos, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return would_block() ? TLS_WAIT : TLS_FAILED;
	c->rest_pos += (uint32_t)n;
	if (c->rest_pos < c->rest_len)
		return TLS_WAIT;
	free(c->rest);
	c->rest = NULL;
	c->rest_pos = c->rest_len = 0;
	return TLS_DONE;
}

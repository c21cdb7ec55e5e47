/* tls: the worker's side against OpenSSL's client over a socket pair: octets arrive as they were
 * sent however slowly the peer reads, tickets live as long as their keys, and what a peer may do
 * wrong ends its connection and nothing else.  The certificate is made here. */
// link: appliance/worker/tls.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "appliance/worker/tls.h"

#define STREAM (300u << 10)

static struct tls *tls;
static SSL_CTX *client;
static char *cert_pem, *key_pem, *other_key_pem;
static size_t cert_len, key_len, other_key_len;
static uint8_t tickets[3][TICKET_KEY];
static uint8_t sent[STREAM], got[STREAM];

static char *
text_of(BIO *b, size_t *len)
{
	char *data, *copy;
	long n = BIO_get_mem_data(b, &data);

	assert_true(n > 0);
	*len = (size_t)n;
	copy = malloc(*len);
	assert_non_null(copy);
	memcpy(copy, data, *len);
	BIO_free(b);
	return copy;
}

static char *
key_text(EVP_PKEY *key, size_t *len)
{
	BIO *b = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL), 1);
	return text_of(b, len);
}

static void
make_pair(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	BIO *b = BIO_new(BIO_s_mem());

	assert_true(key != NULL && other != NULL && x != NULL);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
	    (const unsigned char *)"ns.example", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, key);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(b, x), 1);
	cert_pem = text_of(b, &cert_len);
	key_pem = key_text(key, &key_len);
	other_key_pem = key_text(other, &other_key_len);
	X509_free(x);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

/* Loads the pair with the ticket keys from `first` on. */
static bool
load(const char *key, size_t len, unsigned first, unsigned n)
{
	Ns__TlsMaterial m = NS__TLS_MATERIAL__INIT;
	ProtobufCBinaryData t[2];
	char why[CERTIFICATE_WHY_MAX];
	unsigned i;

	m.cert = (ProtobufCBinaryData){ .data = (uint8_t *)cert_pem, .len = cert_len };
	m.key = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)key, .len = len };
	for (i = 0; i < n; i++)
		t[i] = (ProtobufCBinaryData){ .data = tickets[first - i], .len = TICKET_KEY };
	m.tickets = t;
	m.n_tickets = n;
	return tls_load(tls, &m, why);
}

static int
setup(void **state)
{
	size_t i;

	(void)state;
	certificate_init();
	make_pair();
	for (i = 0; i < sizeof tickets; i++)
		((uint8_t *)tickets)[i] = (uint8_t)(i * 7 + i / TICKET_KEY);
	for (i = 0; i < STREAM; i++)
		sent[i] = (uint8_t)(i * 31 + i / 251);
	tls = tls_new();
	assert_null(tls_open(tls, 0)); /* nothing to serve with */
	assert_true(load(key_pem, key_len, 0, 1));
	client = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_OFF); /* else it uses one only once */
	return client != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	SSL_CTX_free(client);
	tls_destroy(&tls);
	free(cert_pem);
	free(key_pem);
	free(other_key_pem);
	return 0;
}

/* One connection: ours, the client's, and the two ends of the socket. */
struct link {
	int ours, theirs;
	struct tls_conn *c;
	SSL *peer;
};

static void
link_open(struct link *l, int sndbuf)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	l->ours = pair[0];
	l->theirs = pair[1];
	if (sndbuf > 0)
		assert_int_equal(
		    setsockopt(l->ours, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof sndbuf), 0);
	l->c = tls_open(tls, l->ours);
	assert_non_null(l->c);
	l->peer = SSL_new(client);
	assert_int_equal(SSL_set_fd(l->peer, l->theirs), 1);
	SSL_set_connect_state(l->peer);
}

static void
link_close(struct link *l)
{
	tls_close(&l->c, true);
	assert_null(l->c);
	SSL_set_shutdown(l->peer, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(l->peer);
	close(l->ours);
	close(l->theirs);
}

/* Both sides until ours says what became of it. */
static enum tls_step
shake(struct link *l)
{
	enum tls_step step = TLS_WAIT;
	int i;

	for (i = 0; i < 50 && step == TLS_WAIT; i++) {
		(void)SSL_do_handshake(l->peer);
		tls_turn(l->c);
		if (tls_flush(l->c) != TLS_FAILED)
			step = tls_handshake(l->c);
	}
	(void)SSL_do_handshake(l->peer);
	return step;
}

/* What the client gets in one read. */
static size_t
peer_read(struct link *l, uint8_t *p, size_t room)
{
	size_t n = 0;

	return SSL_read_ex(l->peer, p, room, &n) == 1 ? n : 0;
}

/* A session of a whole connection, with the ticket that comes behind the handshake. */
static SSL_SESSION *
session(SSL_SESSION *resume, bool *resumed)
{
	struct link l;
	SSL_SESSION *s;
	uint8_t octet;

	link_open(&l, 0);
	if (resume != NULL)
		assert_int_equal(SSL_set_session(l.peer, resume), 1);
	assert_int_equal(shake(&l), TLS_DONE);
	assert_int_equal(peer_read(&l, &octet, 1), 0);
	*resumed = tls_resumed(l.c);
	assert_int_equal(SSL_session_reused(l.peer), *resumed);
	s = SSL_get1_session(l.peer);
	link_close(&l);
	return s;
}

static void
test_stream_for_a_slow_reader(void **state)
{
	static const size_t steps[] = { 1, 13, 4096, 100000 };
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		size_t total = steps[i] == 1 ? 20000 : STREAM, out = 0, in = 0, blocked = 0;
		struct link l;

		link_open(&l, 4096);
		assert_int_equal(shake(&l), TLS_DONE);
		while (in < total) {
			/* Two pieces, cut anywhere, as replies are. */
			size_t half = (total - out) / 3;
			struct iovec iov[2] = {
				{ .iov_base = sent + out, .iov_len = half },
				{ .iov_base = sent + out + half, .iov_len = total - out - half },
			};

			assert_int_not_equal(tls_flush(l.c), TLS_FAILED);
			if (!tls_blocked(l.c) && out < total) {
				assert_int_equal(tls_write(l.c, iov, 2, &n), TLS_DONE);
				out += n;
				assert_true(out <= total);
			}
			blocked += tls_blocked(l.c);
			n = steps[i] < total - in ? steps[i] : total - in;
			in += peer_read(&l, got + in, n);
		}
		assert_true(blocked > 0);
		assert_memory_equal(got, sent, total);
		link_close(&l);
	}
}

/* Octets of the client, one record or many: read as there is room, within the turn's budget. */
static void
test_reads(void **state)
{
	struct link l;
	size_t in = 0, out = 0, n;
	enum tls_step step;

	(void)state;
	link_open(&l, 0);
	assert_int_equal(shake(&l), TLS_DONE);
	while (in < STREAM) {
		size_t turn = 0;

		if (out < STREAM && SSL_write_ex(l.peer, sent + out, STREAM - out, &n) == 1)
			out += n;
		tls_turn(l.c);
		while ((step = tls_read(l.c, got + in, 777 < STREAM - in ? 777 : STREAM - in,
			    &n)) == TLS_DONE &&
		       in + n < STREAM) {
			in += n;
			turn += n;
		}
		in += n;
		assert_true(step == TLS_WAIT || in == STREAM);
		assert_true(turn <= TLS_TURN);
	}
	assert_memory_equal(got, sent, STREAM);
	/* Half a record cannot be seen by epoll, the rest of a whole one neither. */
	assert_int_equal(SSL_write_ex(l.peer, sent, 100, &n), 1);
	tls_turn(l.c);
	assert_int_equal(tls_read(l.c, got, 60, &n), TLS_DONE);
	assert_true(tls_has_more(l.c));
	assert_int_equal(tls_read(l.c, got, 60, &n), TLS_DONE);
	assert_int_equal(n, 40);
	assert_false(tls_has_more(l.c));
	/* Both ways to end. */
	(void)SSL_shutdown(l.peer);
	assert_int_equal(tls_read(l.c, got, 60, &n), TLS_ENDED);
	link_close(&l);
	link_open(&l, 0);
	assert_int_equal(shake(&l), TLS_DONE);
	assert_int_equal(shutdown(l.theirs, SHUT_WR), 0);
	tls_turn(l.c);
	assert_int_equal(tls_read(l.c, got, 60, &n), TLS_ENDED);
	link_close(&l);
}

static void
test_tickets(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof versions / sizeof versions[0]; i++) {
		SSL_SESSION *first, *s;
		bool resumed;

		SSL_CTX_set_min_proto_version(client, versions[i]);
		SSL_CTX_set_max_proto_version(client, versions[i]);
		assert_true(load(key_pem, key_len, 0, 1));
		first = session(NULL, &resumed);
		assert_false(resumed);
		SSL_SESSION_free(session(first, &resumed));
		assert_true(resumed);
		/* The key was rolled: the former opens, and a ticket of the new one comes back. */
		assert_true(load(key_pem, key_len, 1, 2));
		s = session(first, &resumed);
		assert_true(resumed);
		/* Rolled again: the first is forgotten, that one is not. */
		assert_true(load(key_pem, key_len, 2, 2));
		SSL_SESSION_free(session(first, &resumed));
		assert_false(resumed);
		SSL_SESSION_free(session(s, &resumed));
		assert_true(resumed);
		/* A new certificate forgets all. */
		assert_true(load(key_pem, key_len, 0, 1));
		SSL_SESSION_free(session(s, &resumed));
		assert_false(resumed);
		assert_int_equal(SSL_SESSION_get_max_early_data(s), 0);
		SSL_SESSION_free(first);
		SSL_SESSION_free(s);
	}
	SSL_CTX_set_min_proto_version(client, 0);
	SSL_CTX_set_max_proto_version(client, 0);
}

/* What cannot be loaded changes nothing. */
static void
test_load(void **state)
{
	struct link l;

	(void)state;
	link_open(&l, 0);
	assert_false(load(other_key_pem, other_key_len, 0, 1));
	assert_false(load("none", 4, 0, 1));
	assert_int_equal(shake(&l), TLS_DONE);
	link_close(&l);
	link_open(&l, 0);
	assert_int_equal(shake(&l), TLS_DONE);
	link_close(&l);
}

/* A peer that asks for new keys again and again and reads none of our answers holds TLS_REST_MAX. */
static void
test_flood_of_key_updates(void **state)
{
	enum tls_step step = TLS_WAIT;
	struct link l;
	size_t n;
	int i;

	(void)state;
	link_open(&l, 4096);
	assert_int_equal(shake(&l), TLS_DONE);
	for (i = 0; i < 20000 && step == TLS_WAIT; i++) {
		if (SSL_key_update(l.peer, SSL_KEY_UPDATE_REQUESTED) == 1)
			(void)SSL_do_handshake(l.peer);
		tls_turn(l.c);
		step = tls_read(l.c, got, sizeof got, &n);
		if (tls_blocked(l.c))
			break; /* tcp_turn.c does not read from it any more */
	}
	assert_true(tls_blocked(l.c) || step == TLS_FAILED);
	link_close(&l);
}

static void
test_garbage(void **state)
{
	static const uint8_t *const data[] = { (const uint8_t *)"GET / HTTP/1.0\r\n\r\n",
		(const uint8_t *)"\x16\x03\x01\x00\x05\x01\xff\xff\xff\xff" };
	struct link l;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		link_open(&l, 0);
		assert_true(write(l.theirs, data[i], i == 0 ? 18 : 10) > 0);
		tls_turn(l.c);
		assert_int_equal(tls_handshake(l.c), TLS_FAILED);
		link_close(&l);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream_for_a_slow_reader),
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_tickets),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_flood_of_key_updates),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

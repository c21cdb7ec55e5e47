/* tls - DNS over TLS below the framing: octets of a socket in, octets of the stream out (RFC 7858).
 *
 * OpenSSL, TLS 1.2 and 1.3, sessions in tickets that any worker opens, no early data, no client
 * certificates.  Called by tcp.c in the one thread; never blocks.  What OpenSSL encrypts goes to the
 * socket at once, and what that does not take is kept here (`rest`), so OpenSSL never waits to write
 * and keeps no buffers while a connection is idle.  A connection that has said nothing yet has none
 * of this: tls_open() is for the first octet. */
#ifndef NS_WORKER_TLS_H
#define NS_WORKER_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "appliance/role/certificate.h"
#include "ipc/nameserve.pb-c.h"

#define TLS_RECORD 4096u /* octets of replies in one record: small, as most replies are */
#define TLS_TURN (32u << 10) /* octets read from one socket per turn: two full records */
#define TLS_REST_MAX (64u << 10) /* unsent octets of one connection: a first flight, or a record */
#define TLS_SESSION_S (12 * 3600) /* tickets are good for at least this long (the roll of their keys) */

struct tls;
struct tls_conn;

enum tls_step {
	TLS_DONE,
	TLS_WAIT, /* for octets of the peer */
	TLS_ENDED, /* the peer sends no more */
	TLS_FAILED, /* nothing can be done with this connection but to close it */
};

struct tls *tls_new(void);
void tls_destroy(struct tls **);
/* Takes certificate, key and ticket keys into use, for connections from now on; false: `why`, and
 * all is as it was. */
bool tls_load(struct tls *, const Ns__TlsMaterial *, char why[CERTIFICATE_WHY_MAX]);

struct tls_conn *tls_open(struct tls *, int fd); /* NULL: no memory, or nothing was loaded */
/* notify: tell the peer that this is the end (close_notify), if the socket takes it.  The socket
 * stays open; NULL is fine. */
void tls_close(struct tls_conn **, bool notify);

enum tls_step tls_handshake(struct tls_conn *);
bool tls_resumed(const struct tls_conn *);
/* One read of up to `room` octets, within the budget of a turn, which tls_turn() begins. */
void tls_turn(struct tls_conn *);
enum tls_step tls_read(struct tls_conn *, uint8_t *p, size_t room, size_t *n);
bool tls_has_more(const struct tls_conn *); /* octets that epoll does not know of */
/* Encrypts until the socket is full; *octets of the stream are gone then. */
enum tls_step tls_write(struct tls_conn *, const struct iovec *, size_t n, size_t *octets);
/* Unsent octets wait for the socket; tls_flush() tries again. */
bool tls_blocked(const struct tls_conn *);
enum tls_step tls_flush(struct tls_conn *);

#endif

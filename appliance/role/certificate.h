/* certificate - what TLS is served with: a certificate chain, its private key, and ticket keys.
 *
 * One reader for both ends: the supervisor tries a pair before anybody is given it, the worker puts
 * the same octets into its context, so what the one accepts does not fail in the other.  Opens no
 * file and reads no openssl.cnf.  One thread. */
#ifndef NS_ROLE_CERTIFICATE_H
#define NS_ROLE_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <openssl/ssl.h>

#define CERTIFICATE_MAX (32u << 10) /* octets of a chain: six large RSA certificates fit in a third */
#define CERTIFICATE_KEY_MAX (16u << 10) /* octets: RSA of 8,192 bits has 6,400 */
#define CERTIFICATE_WHY_MAX 256

/* How sessions are sealed into tickets (RFC 5077): the same in every worker, so that a client may
 * resume with any of them.  The former key still opens, it does not seal. */
#define TICKET_NAME 16
#define TICKET_HALF 32 /* octets of the AES-256 key and of the HMAC-SHA-256 key */
#define TICKET_KEY  (TICKET_NAME + 2 * TICKET_HALF)

struct octets {
	const uint8_t *data;
	size_t len;
};

/* Which of the two is to blame. */
enum certificate_fault { CERTIFICATE_OK, CERTIFICATE_BAD, CERTIFICATE_KEY_BAD };

/* Once in a process, before anything else of TLS: all that OpenSSL might want to look up later. */
void certificate_init(void);
/* Puts chain and key (PEM) into ctx; *not_after: when the first of the chain to expire does.  Else
 * `why` says in words what is wrong. */
enum certificate_fault
certificate_use(SSL_CTX *ctx, struct octets cert, struct octets key, time_t *not_after,
    char why[CERTIFICATE_WHY_MAX]) __attribute__((warn_unused_result));

#endif

/* stream - messages on a byte stream: what `nameserve proxy --stdio` and its client say to each other.
 *
 * Pure but for the memory it holds.  The proxy begins with STREAM_GREETING, so that what a login shell prints is
 * not taken for messages; then each message, in both directions, is its length (4 octets, the highest first, 1 to
 * NS_MSG_MAX) and an Ns__Envelope.  What was read is hostile input: bounded here, checked by ns_envelope_unpack(). */
#ifndef NS_IPC_CLIENT_STREAM_H
#define NS_IPC_CLIENT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STREAM_GREETING	    "NameServe proxy 1\n"
#define STREAM_GREETING_LEN (sizeof STREAM_GREETING - 1)
#define STREAM_READ	    65536u /* octets that are read at once */

enum stream_verdict { STREAM_NONE, STREAM_MESSAGE, STREAM_BROKEN };

/* Octets that came and are not taken yet, or wait to be written: zero is empty. */
struct stream {
	uint8_t *base;
	size_t at, len, room; /* from `at` to `len` they count */
	bool greeted; /* nothing to wait for before the first message */
};

void stream_free(struct stream *);
size_t stream_left(const struct stream *);
/* Room for n octets behind the last one; then stream_grew(). */
uint8_t *stream_space(struct stream *, size_t n);
void stream_grew(struct stream *, size_t n);
void stream_eat(struct stream *, size_t n); /* from the front */
/* A message behind the others: its length first. */
void stream_put(struct stream *, const void *message, size_t len);
/* The first whole message; *at is in the stream, until stream_eat(*n + 4).  STREAM_BROKEN: not our protocol. */
enum stream_verdict stream_next(struct stream *, const uint8_t **at, size_t *n);

#endif

/* stream.c - see stream.h. */
#include "ipc/client/stream.h"

#include <stdlib.h>
#include <string.h>

#include "ipc/base/xalloc.h"
#include "ipc/sock.h"

#define HEAD 4u

void
stream_free(struct stream *s)
{
	free(s->base);
	*s = (struct stream){ 0 };
}

size_t
stream_left(const struct stream *s)
{
	return s->len - s->at;
}

uint8_t *
stream_space(struct stream *s, size_t n)
{
	if (s->at > 0 && s->len + n > s->room) {
		memmove(s->base, s->base + s->at, s->len - s->at);
		s->len -= s->at;
		s->at = 0;
	}
	if (s->len + n > s->room) {
		s->room = s->len + n;
		s->base = xreallocarray(s->base, s->room, 1);
	}
	return s->base + s->len;
}

void
stream_grew(struct stream *s, size_t n)
{
	s->len += n;
}

void
stream_eat(struct stream *s, size_t n)
{
	s->at += n;
	if (s->at < s->len)
		return;
	/* One large message does not cost its memory for ever. */
	if (s->room > 4 * STREAM_READ) {
		bool greeted = s->greeted;

		stream_free(s);
		s->greeted = greeted;
	}
	s->at = s->len = 0;
}

void
stream_put(struct stream *s, const void *message, size_t len)
{
	uint8_t *p = stream_space(s, HEAD + len);

	for (unsigned i = 0; i < HEAD; i++)
		p[i] = (uint8_t)(len >> (24 - 8 * i));
	memcpy(p + HEAD, message, len);
	stream_grew(s, HEAD + len);
}

/* The greeting is compared as far as it came: what is something else is known at its first octet. */
static enum stream_verdict
take_greeting(struct stream *s)
{
	size_t n = stream_left(s) < STREAM_GREETING_LEN ? stream_left(s) : STREAM_GREETING_LEN;

	if (n > 0 && memcmp(s->base + s->at, STREAM_GREETING, n) != 0)
		return STREAM_BROKEN;
	if (n < STREAM_GREETING_LEN)
		return STREAM_NONE;
	s->greeted = true;
	stream_eat(s, n);
	return STREAM_MESSAGE;
}

enum stream_verdict
stream_next(struct stream *s, const uint8_t **at, size_t *n)
{
	enum stream_verdict verdict = s->greeted ? STREAM_MESSAGE : take_greeting(s);
	size_t len = 0;

	if (verdict != STREAM_MESSAGE)
		return verdict;
	if (stream_left(s) < HEAD)
		return STREAM_NONE;
	for (unsigned i = 0; i < HEAD; i++)
		len = len << 8 | s->base[s->at + i];
	if (len == 0 || len > NS_MSG_MAX)
		return STREAM_BROKEN;
	if (stream_left(s) < HEAD + len)
		return STREAM_NONE;
	*at = s->base + s->at + HEAD;
	*n = len;
	return STREAM_MESSAGE;
}

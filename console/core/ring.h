/* ring - the last messages: what the message line said, what libraries wrote to stderr.  Sanitized on the
 * way in; the oldest goes when it is full. */
#ifndef NS_CONSOLE_CORE_RING_H
#define NS_CONSOLE_CORE_RING_H

#include <stddef.h>
#include <stdint.h>

#define RING_MAX  200u
#define RING_TEXT 512u

struct message {
	int64_t wall_ms;
	char text[RING_TEXT];
};

struct ring {
	struct message list[RING_MAX];
	size_t n, first;
	uint64_t count; /* in all, also those that went */
};

void message_add(struct ring *, int64_t wall_ms, const char *text);
/* The i-th newest; NULL: there is none. */
const struct message *message_at(const struct ring *, size_t i);

#endif

/* ring.c - see ring.h. */
#include "console/core/ring.h"

#include "console/core/sanitize.h"

void
message_add(struct ring *r, int64_t wall_ms, const char *text)
{
	struct message *m = &r->list[(r->first + r->n) % RING_MAX];

	if (r->n == RING_MAX)
		r->first = (r->first + 1) % RING_MAX;
	else
		r->n++;
	r->count++;
	m->wall_ms = wall_ms;
	sanitize(m->text, sizeof m->text, text, false);
}

const struct message *
message_at(const struct ring *r, size_t i)
{
	return i < r->n ? &r->list[(r->first + r->n - 1 - i) % RING_MAX] : NULL;
}

/* publish.c - see publish.h. */
#include "appliance/fleet/publish.h"

int
cursor_cmp(struct cursor a, struct cursor b)
{
	if (a.revision != b.revision)
		return a.revision < b.revision ? -1 : 1;
	return a.offset < b.offset ? -1 : a.offset > b.offset;
}

static struct piece *
item(const struct ring *r, size_t i)
{
	return (struct piece *)(uintptr_t)&r->items[(r->first + i) % PUBLISH_RING];
}

static void
drop_first(struct ring *r)
{
	struct piece *p = item(r, 0);

	r->octets -= p->packet->len;
	packet_unref(p->packet);
	r->first = (r->first + 1) % PUBLISH_RING;
	r->count--;
}

void
ring_clear(struct ring *r)
{
	while (r->count > 0)
		drop_first(r);
}

void
ring_push(struct ring *r, const struct piece *p)
{
	if (r->count > 0 && cursor_cmp(item(r, r->count - 1)->next, p->at) != 0)
		ring_clear(r);
	while (r->count == PUBLISH_RING ||
	       (r->count > 0 && r->octets + p->packet->len > PUBLISH_RING_OCTETS))
		drop_first(r);
	*item(r, r->count++) = *p;
	r->octets += p->packet->len;
}

const struct piece *
ring_at(const struct ring *r, struct cursor at)
{
	size_t from = 0, to = r->count;

	while (from < to) {
		size_t mid = (from + to) / 2;
		int c = cursor_cmp(item(r, mid)->at, at);

		if (c == 0)
			return item(r, mid);
		if (c < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return NULL;
}

bool
follower_living(const struct follower *f, uint64_t now_ns)
{
	return f->ever && now_ns < f->heard_ns + FLEET_SILENT_NS;
}

bool
follower_open(const struct follower *f, size_t len)
{
	uint64_t out = f->sent - f->acked;

	return out == 0 ||
	       (out + len <= PUBLISH_WINDOW && f->sent_msgs - f->acked_msgs < PUBLISH_MESSAGES);
}

void
follower_sent(struct follower *f, const struct piece *p)
{
	f->next = p->next;
	f->sent += p->packet->len;
	f->sent_msgs++;
}

bool
follower_ack(struct follower *f, const struct ack *a, uint64_t head, uint64_t now_ns)
{
	if (a->octets > f->sent || a->messages > f->sent_msgs || a->stored > head ||
	    a->served > head)
		return false;
	f->acked = a->octets;
	f->acked_msgs = a->messages;
	f->stored = a->stored;
	f->served = a->served;
	if (f->served >= head)
		f->behind_ns = 0;
	else if (f->behind_ns == 0)
		f->behind_ns = now_ns;
	return true;
}

const char *
follower_state(const struct follower *f, uint64_t head, uint64_t now_ns)
{
	if (!follower_living(f, now_ns))
		return "silent";
	if (f->served < head && f->behind_ns != 0 && now_ns - f->behind_ns > FLEET_LAG_NS)
		return "lag";
	return "ok";
}

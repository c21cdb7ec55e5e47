/* pack.c - a set of names compressed against the question too: the last resort before truncation.
 *
 * A rendered set knows its owner and itself, not the labels that the question has below a cut.  Where a
 * referral does not fit, those octets may be what its glue needs, so it is written again, name by
 * name.  Only for types whose rdata is one name (NS). */
#include "appliance/serve/work.h"

#include <string.h>

#include "ipc/base/wbuf.h"

#define SEEN_MAX 128u

struct seen {
	uint16_t place;
	uint8_t labels, len; /* of the rest of the name from there on */
	uint8_t name[32]; /* the end of it, lower case, to tell most apart */
};
struct packer {
	struct reply *r;
	unsigned nseen;
	struct seen seen[SEEN_MAX];
};

/* The last octets of a name: equal length and equal ends are not yet equal names. */
static void
tail_of(const uint8_t *name, size_t len, uint8_t out[32])
{
	size_t n = len < 32 ? len : 32;

	memset(out, 0, 32);
	name_lower(out, name + len - n, n);
}

/* Does the name at `place` of the reply equal this one?  Follows pointers, which lead backwards. */
static bool
same_in_reply(const struct reply *r, size_t place, const uint8_t *name)
{
	unsigned hops = 0;

	for (;;) {
		uint8_t label[64];
		unsigned n;

		if (place >= r->len)
			return false;
		n = r->out[place];
		if (n >= 0xc0) {
			if (++hops > NAME_MAX_LABELS || place + 1 >= r->len)
				return false;
			place = get_u16(r->out + place) & POINTER_REACH;
			continue;
		}
		if (n != *name || n > 63 || place + n >= r->len)
			return false;
		if (n == 0)
			return true;
		name_lower(label, r->out + place + 1, n);
		if (memcmp(label, name + 1, n) != 0)
			return false;
		place += n + 1;
		name += n + 1;
	}
}

static unsigned
find_seen(const struct packer *p, const uint8_t *name, unsigned labels)
{
	uint8_t tail[32];
	size_t len = name_len(name);

	tail_of(name, len, tail);
	for (unsigned i = 0; i < p->nseen; i++) {
		const struct seen *s = &p->seen[i];

		if (s->labels == labels && s->len == len && memcmp(s->name, tail, 32) == 0 &&
		    same_in_reply(p->r, s->place, name))
			return s->place;
	}
	return 0;
}

static void
remember(struct packer *p, const uint8_t *name, unsigned labels, size_t place)
{
	struct seen *s;

	if (p->nseen == SEEN_MAX || place > POINTER_REACH)
		return;
	s = &p->seen[p->nseen++];
	s->place = (uint16_t)place;
	s->labels = (uint8_t)labels;
	s->len = (uint8_t)name_len(name);
	tail_of(name, s->len, s->name);
}

/* One name at the end of the reply; false: no room. */
static bool
put_name(struct packer *p, const uint8_t *name)
{
	struct reply *r = p->r;
	unsigned labels = name_labels(name);

	for (; labels > 0; labels--, name += *name + 1) {
		unsigned place = find_seen(p, name, labels);

		if (place != 0) {
			if (r->limit - r->len < 2)
				return false;
			put_u16(r->out + r->len, (uint16_t)(0xc000u | place));
			r->len += 2;
			return true;
		}
		if (r->limit - r->len < *name + 1u)
			return false;
		memcpy(r->out + r->len, name, *name + 1u);
		remember(p, name, labels, r->len);
		r->len += *name + 1u;
	}
	if (r->limit - r->len < 1)
		return false;
	r->out[r->len++] = 0;
	return true;
}

static bool
put_record(struct packer *p, const struct image_set *set, unsigned at, unsigned owner)
{
	struct reply *r = p->r;
	uint8_t name[NAME_MAX_WIRE];
	uint8_t *head = r->out + r->len;
	size_t len = image_set_name(&r->hop.zone, set, r->hop.name, at + RR_HEAD, name);

	if (len == 0 || r->limit - r->len < RR_HEAD)
		return false;
	put_u16(head, (uint16_t)(0xc000u | owner));
	memcpy(head + 2, set->body + at + 2, 8);
	r->len += RR_HEAD;
	name_lower(name, name, len);
	if (!put_name(p, name))
		return false;
	put_u16(head + 10, (uint16_t)(r->out + r->len - head - (int)RR_HEAD));
	return true;
}

bool
emit_packed(struct reply *r, enum section section, const struct image_set *set, unsigned label,
    struct packed *where)
{
	struct packer p = { .r = r };
	const struct hop *h = &r->hop;
	unsigned owner = hop_place(h, label), next;
	size_t start = r->len;

	where->n = 0;
	if (owner > POINTER_REACH || label == h->labels)
		return false;
	for (unsigned i = 0; i < h->labels; i++)
		remember(&p, h->name + h->off[i], h->labels - i, hop_place(h, i));
	for (unsigned at = 0; at < set->body_len; at = next) {
		next = image_rr_next(set->body, set->body_len, at);
		if (next == 0 || where->n == PACKED_MAX)
			goto cut;
		where->from[where->n] = (uint16_t)(at + RR_HEAD);
		where->to[where->n++] = (uint16_t)(r->len + RR_HEAD);
		if (!put_record(&p, set, at, owner))
			goto cut;
	}
	r->count[section] = (uint16_t)(r->count[section] + set->count);
	return true;
cut:
	r->len = start;
	return false;
}

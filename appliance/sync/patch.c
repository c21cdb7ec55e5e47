/* patch - see patch.h. */
#include "appliance/sync/patch.h"

#include "appliance/dns/name.h"
#include "appliance/dns/zwire.h"

struct side {
	struct zwire_iter it;
	struct rrset set;
	bool has;
};

static struct side
side_of(struct bytes b)
{
	struct side s = { .it = zwire_iter(b.data, b.len) };

	s.has = zwire_next(&s.it, &s.set);
	return s;
}

static void
step(struct side *s)
{
	s->has = zwire_next(&s->it, &s->set);
}

/* Order of two sides' sets; an ended side is behind everything. */
static int
order(const struct side *a, const struct side *b)
{
	if (!a->has || !b->has)
		return a->has ? -1 : b->has ? 1 : 0;
	return rrset_cmp(&a->set, &b->set);
}

enum ns_err
patch_zwire(struct bytes now, struct bytes removed, struct bytes added, struct wbuf *out)
{
	struct side n = side_of(now), r = side_of(removed), a = side_of(added);

	while (n.has || r.has || a.has) {
		if (r.has && order(&r, &n) <= 0) {
			/* What goes must be there as it was. */
			if (order(&r, &n) < 0 || !rrset_same_data(&r.set, &n.set))
				return NS_CONFLICT;
			step(&r);
			step(&n);
		} else if (a.has && order(&a, &n) <= 0) {
			if (order(&a, &n) == 0)
				return NS_CONFLICT;
			zwire_put(out, &a.set);
			step(&a);
		} else if (n.has) {
			zwire_put(out, &n.set);
			step(&n);
		}
	}
	if (!rbuf_ok(&n.it.r) || !rbuf_ok(&r.it.r) || !rbuf_ok(&a.it.r) || !wbuf_ok(out))
		return NS_CORRUPT;
	return NS_OK;
}

/* The first owner at an offset; NULL: nothing more, or broken. */
static const uint8_t *
owner_at(struct bytes b, size_t at)
{
	struct zwire_iter it = zwire_iter((const uint8_t *)b.data + at, b.len - at);
	struct rrset s;

	return at < b.len && zwire_next(&it, &s) ? s.owner : NULL;
}

/* The sets of that owner from an offset on, which moves behind them. */
static struct bytes
owner_sets(struct bytes b, size_t *at, const uint8_t *owner)
{
	const uint8_t *from = (const uint8_t *)b.data + *at;
	struct zwire_iter it = zwire_iter(from, b.len - *at);
	struct bytes out = { from, 0 };
	struct rrset s;

	while (zwire_next(&it, &s) && name_equal(s.owner, owner))
		out.len += s.raw_len;
	*at += out.len;
	return out;
}

bool
owner_next(struct bytes a, struct bytes b, size_t *at_a, size_t *at_b, struct owner_run *run)
{
	const uint8_t *in_a = owner_at(a, *at_a), *in_b = owner_at(b, *at_b);

	if (in_a == NULL && in_b == NULL)
		return false;
	if (in_a == NULL || (in_b != NULL && name_cmp(in_b, in_a) < 0))
		run->owner = in_b;
	else
		run->owner = in_a;
	run->a = owner_sets(a, at_a, run->owner);
	run->b = owner_sets(b, at_b, run->owner);
	return true;
}

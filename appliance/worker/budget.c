/* budget - see budget.h. */
#include "appliance/worker/budget.h"

#include "appliance/worker/rrl.h"
#include "appliance/zonemap/word.h"

bool
budget_init(struct budget *b, struct worker_page *page, const uint64_t key[2])
{
	*b = (struct budget){ .page = page };
	b->nxdomain = bucket_rate(BUDGET_NXDOMAIN, BUDGET_NXDOMAIN_BURST);
	b->made_up = bucket_rate(BUDGET_MADE_UP, BUDGET_MADE_UP_BURST);
	return bucket_init(&b->table, BUDGET_SET_BITS, key);
}

void
budget_fini(struct budget *b)
{
	bucket_fini(&b->table);
}

void
budget_batch(struct budget *b, size_t n, uint64_t now_ns)
{
	b->now_ns = now_ns;
	b->full = n == SERVE_BATCH ? b->full + 1 : 0;
	if (b->full >= 2)
		b->busy_until_ns = now_ns + BUDGET_BUSY_NS;
}

/* For status: the zone's line, or that of the one that has been quiet for the longest. */
static void
note_flood(struct budget *b, uint64_t zone_hash)
{
	struct page_flood *f = b->page->floods, *line = NULL;
	uint64_t oldest = UINT64_MAX, last;

	for (unsigned i = 0; i < PAGE_FLOODS; i++) {
		last = word_load(&f[i].last_ns);
		if (word_load(&f[i].zone_hash) == zone_hash) {
			line = &f[i];
			break;
		}
		if (last < oldest) {
			oldest = last;
			line = &f[i];
		}
	}
	if (word_load(&line->zone_hash) != zone_hash) {
		word_store(&line->limited, 0);
		word_store(&line->zone_hash, zone_hash);
	}
	word_add(&line->limited, 1);
	word_store(&line->last_ns, b->now_ns);
}

static enum serve_gate
refuse(struct budget *b, uint64_t zone_hash)
{
	note_flood(b, zone_hash);
	if (++b->refused % BUDGET_SLIP == 0) {
		word_add(&b->page->budget_slipped, 1);
		return SERVE_GATE_SLIP;
	}
	word_add(&b->page->budget_dropped, 1);
	return SERVE_GATE_SHUT;
}

enum serve_gate
budget_gate(void *arg, const struct query *q, enum serve_class class)
{
	struct budget *b = arg;
	const struct bucket_rate *rate = class == SERVE_CLASS_NXDOMAIN ? &b->nxdomain : &b->made_up;
	uint64_t hash;

	if (q->transport != SERVE_UDP || q->cookie_ok)
		return SERVE_GATE_OPEN;
	hash = bucket_hash(&b->table, q->zone_hash, class);
	if (bucket_take(&b->table, hash, rate, b->now_ns) == BUCKET_PASS ||
	    b->now_ns >= b->busy_until_ns || rrl_is_loopback(&q->client))
		return SERVE_GATE_OPEN;
	return refuse(b, q->zone_hash);
}

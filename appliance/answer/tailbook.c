/* tailbook - see tailbook.h. */
#include "appliance/answer/tailbook.h"

#include <stdlib.h>
#include <string.h>

#include "ipc/base/xalloc.h"

/* ---- wishes ---- */
void
tailbook_wish(struct tailbook *b, struct tail_wish *page, uint32_t one_in, uint64_t now_ns)
{
	unsigned at = 0;
	uint32_t least;

	if (one_in == 0 || one_in > TAIL_ONE_IN_MAX)
		one_in = one_in == 0 ? 1 : TAIL_ONE_IN_MAX;
	least = one_in;
	for (unsigned i = 0; i < TAILBOOK_WISHES; i++) {
		if (b->wishes[i].until_ns > now_ns && b->wishes[i].one_in < least)
			least = b->wishes[i].one_in;
		/* Its own from before, or the one that ends first. */
		if (b->wishes[i].one_in == one_in ||
		    (b->wishes[at].one_in != one_in &&
			b->wishes[i].until_ns < b->wishes[at].until_ns))
			at = i;
	}
	b->wishes[at].one_in = one_in;
	b->wishes[at].until_ns = now_ns + TAILBOOK_WISH_NS;
	if (page == NULL)
		return;
	atomic_store_explicit(&page->one_in, least, memory_order_relaxed);
	atomic_store_explicit(&page->until_ns, now_ns + TAILBOOK_WISH_NS, memory_order_relaxed);
}

static bool
wished(const struct tailbook *b, uint64_t now_ns)
{
	for (unsigned i = 0; i < TAILBOOK_WISHES; i++)
		if (b->wishes[i].until_ns > now_ns)
			return true;
	return false;
}

/* ---- rows ---- */
bool
tailbook_open(
    struct tailbook *b, const struct worker_memory *const *m, size_t workers, uint64_t now_us)
{
	if (b->rows != NULL)
		return false;
	b->rows = xcalloc(TAILBOOK_ROWS, sizeof *b->rows);
	b->fresh = xcalloc(workers * TAIL_SLOTS, sizeof *b->fresh);
	b->rings = xcalloc(workers, sizeof *b->rings);
	b->workers = workers;
	b->opened = b->first = b->next = now_us > b->next ? now_us : b->next;
	for (size_t i = 0; i < workers; i++) {
		b->rings[i].seen = atomic_load(&m[i]->tail.head);
		b->rings[i].missed = atomic_load(&m[i]->tail.missed);
	}
	return true;
}

void
tailbook_close(struct tailbook *b)
{
	free(b->rows);
	free(b->fresh);
	free(b->rings);
	b->rows = NULL;
	b->fresh = NULL;
	b->rings = NULL;
}

static int
by_time(const void *a, const void *b)
{
	uint64_t ta = ((const struct tail_row *)a)->at_ns, tb = ((const struct tail_row *)b)->at_ns;

	return ta < tb ? -1 : ta > tb;
}

/* The rows of one worker since the last time; a head that went back or far ahead is not one of ours. */
static size_t
take(struct tailbook *b, size_t worker, const struct tail *t, struct tail_row *out)
{
	uint64_t head = atomic_load_explicit(&t->head, memory_order_acquire);
	uint64_t missed = atomic_load_explicit(&t->missed, memory_order_relaxed);
	uint64_t *seen = &b->rings[worker].seen;
	size_t n = 0;

	if (missed > b->rings[worker].missed)
		b->lost += missed - b->rings[worker].missed;
	b->rings[worker].missed = missed;
	if (head < *seen)
		*seen = head;
	if (head - *seen > TAIL_SLOTS) {
		b->lost += head - *seen - TAIL_SLOTS;
		*seen = head - TAIL_SLOTS;
	}
	for (; *seen < head; ++*seen) {
		if (tail_get(t, *seen, &out[n]))
			n++;
		else
			b->lost++;
	}
	return n;
}

bool
tailbook_collect(
    struct tailbook *b, const struct worker_memory *const *m, size_t workers, uint64_t now_ns)
{
	size_t n = 0;

	if (b->rows == NULL)
		return false;
	if (!wished(b, now_ns)) {
		tailbook_close(b);
		return false;
	}
	for (size_t i = 0; i < workers && i < b->workers; i++)
		n += take(b, i, &m[i]->tail, b->fresh + n);
	qsort(b->fresh, n, sizeof *b->fresh, by_time);
	for (size_t i = 0; i < n; i++) {
		struct tailbook_entry *e = &b->rows[b->next % TAILBOOK_ROWS];

		e->row = b->fresh[i];
		e->lost = b->lost;
		b->next++;
	}
	if (b->next - b->first > TAILBOOK_ROWS)
		b->first = b->next - TAILBOOK_ROWS;
	return true;
}

/* One in `one_in` of rows that already stand for `each`: the same ones whoever asks. */
static bool
chosen(uint64_t number, uint32_t each, uint32_t one_in)
{
	return one_in <= each || (number * 0x9e3779b97f4a7c15u >> 32) % one_in < each;
}

void
tailbook_read(const struct tailbook *b, const struct tailfilter *f, uint64_t after, uint32_t one_in,
    size_t max, struct tailbook_out *out)
{
	size_t kept = 0;

	*out = (struct tailbook_out){ .next = b->next, .one_in = one_in };
	if (max == 0)
		max = TAILBOOK_DEFAULT;
	if (max > TAILBOOK_OUT)
		max = TAILBOOK_OUT;
	if (b->rows == NULL || after < b->opened || after > b->next)
		return;
	if (after > b->first)
		out->dropped = b->lost - b->rows[(after - 1) % TAILBOOK_ROWS].lost;
	if (after < b->first) {
		out->dropped = b->first - after;
		after = b->first;
	}
	/* From the newest back. */
	for (uint64_t i = b->next; i > after; i--) {
		const struct tail_row *r = &b->rows[(i - 1) % TAILBOOK_ROWS].row;

		if (!chosen(i - 1, r->one_in, one_in) || !tailfilter_match(f, r))
			continue;
		if (kept == max)
			out->dropped++;
		else
			out->rows[kept++] = r;
	}
	out->n = kept;
	for (size_t i = 0; i < kept / 2; i++) {
		const struct tail_row *r = out->rows[i];

		out->rows[i] = out->rows[kept - 1 - i];
		out->rows[kept - 1 - i] = r;
	}
}

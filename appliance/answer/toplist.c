/* toplist - see toplist.h. */
#include "appliance/answer/toplist.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/base/xalloc.h"

#define LEAD_PART 16u /* a name is said that leads by more than this part of all */

void
toplist_begin(struct toplist *t, uint32_t limit)
{
	t->n = 0;
	t->max = limit == 0 ? TOPLIST_DEFAULT : limit < TOPLIST_MAX ? limit : TOPLIST_MAX;
	for (size_t i = 0; i < TOPLIST_MAX; i++)
		t->list[i] = &t->rows[i];
}

/* The next row, its name still to be written to names[]. */
static Ns__StatsReply__Top *
row(struct toplist *t, uint64_t count)
{
	Ns__StatsReply__Top *r = &t->rows[t->n];

	ns__stats_reply__top__init(r);
	r->name = t->names[t->n++];
	r->count = count;
	return r;
}

/* Some of the most asked may be gone from the map: so more are looked at than are shown. */
void
toplist_zones(struct toplist *t, const struct zonetotals *totals, const struct zonepast *past,
    const struct map *map, uint64_t now_ms)
{
	const struct zonetotal *top[ZONENAMES_MAX];
	uint64_t ids[ZONENAMES_MAX], hashes[ZONENAMES_MAX];
	size_t n = zonetotals_top(totals, top, ZONENAMES_MAX, now_ms);

	for (size_t i = 0; i < n; i++)
		ids[i] = top[i]->id;
	zonenames_of_ids(map, ids, hashes, n);
	for (size_t i = 0; i < n && t->n < t->max; i++) {
		const struct zonepast_row *kept;
		Ns__StatsReply__Top *r;

		if (hashes[i] == 0 || !zonenames_of_hash(map, hashes[i], t->names[t->n]))
			continue;
		r = row(t, top[i]->total[ZONE_QUERIES]);
		r->nxdomain = top[i]->total[ZONE_NXDOMAIN];
		r->errors = top[i]->total[ZONE_ERRORS];
		r->qps = zonetotals_rate(top[i], now_ms);
		kept = past != NULL ? zonepast_find(past, top[i]->id) : NULL;
		r->past = kept != NULL ? (float *)(uintptr_t)kept->list[ZONE_QUERIES] : NULL;
		r->n_past = kept != NULL ? ZONEPAST_POINTS : 0;
	}
}

/* ---- sketches ---- */

struct merged {
	uint64_t count; /* at least so many */
	double qps;
	struct topk_value value;
	struct clientnote_value note; /* all 0: there is none */
};

static int
by_key(const void *a, const void *b)
{
	const struct topk_value *va = &((const struct merged *)a)->value;
	const struct topk_value *vb = &((const struct merged *)b)->value;

	if (va->len != vb->len)
		return va->len < vb->len ? -1 : 1;
	return memcmp(va->key, vb->key, va->len);
}

static int
by_count(const void *a, const void *b)
{
	uint64_t ca = ((const struct merged *)a)->count, cb = ((const struct merged *)b)->count;

	return ca != cb ? (ca > cb ? -1 : 1) : by_key(a, b);
}

static size_t
collect(struct merged *all, const struct topk *k, const struct clientnote notes[2][TOPK_SLOTS],
    uint64_t now_ns)
{
	size_t n = 0;
	double span;
	bool both = false;

	for (unsigned i = 0; i < 2 * TOPK_SLOTS; i++) {
		unsigned window = i / TOPK_SLOTS, slot = i % TOPK_SLOTS;
		struct merged *m = &all[n];
		struct page_client c;

		if (!topk_read(k, window, slot, now_ns, &m->value) ||
		    m->value.weight <= m->value.error || m->value.weight > TOTALS_MAX)
			continue;
		both = both || window == 1;
		m->count = m->value.weight - m->value.error;
		if (notes != NULL && m->value.len == sizeof c) {
			memcpy(&c, m->value.key, sizeof c);
			if (!clientnote_read(&notes[topk_window(k, window)][slot],
				page_client_owner(&c), &m->note))
				memset(&m->note, 0, sizeof m->note);
		}
		n++;
	}
	span = topk_span(k, both, now_ns);
	for (size_t i = 0; i < n; i++)
		all[i].qps = (double)all[i].count / span;
	return n;
}

/* What the notes of one client say, as one; its name is that of the larger. */
static void
note_merge(struct clientnote_value *to, const struct clientnote_value *from)
{
	struct clientnote_value sum = from->all > to->all ? *from : *to;

	sum.all = to->all + from->all;
	sum.nxdomain = to->nxdomain + from->nxdomain;
	sum.errors = to->errors + from->errors;
	*to = sum;
}

/* Rows of one key become one. */
static size_t
merge(struct merged *all, size_t n)
{
	size_t k = 0;

	qsort(all, n, sizeof *all, by_key);
	for (size_t i = 1; i < n; i++) {
		if (by_key(&all[k], &all[i]) == 0) {
			all[k].count += all[i].count;
			all[k].qps += all[i].qps;
			note_merge(&all[k].note, &all[i].note);
		} else
			all[++k] = all[i];
	}
	n = n > 0 ? k + 1 : 0;
	qsort(all, n, sizeof *all, by_count);
	return n;
}

static bool
client_text(const struct topk_value *v, char *text)
{
	struct page_client c;
	uint8_t address[16] = { 0 };
	char plain[INET6_ADDRSTRLEN];

	if (v->len != sizeof c)
		return false;
	memcpy(&c, v->key, sizeof c);
	if (c.family != 4 && c.family != 6)
		return false;
	memcpy(address, c.prefix, c.family == 4 ? 3 : 7);
	inet_ntop(c.family == 4 ? AF_INET : AF_INET6, address, plain, sizeof plain);
	snprintf(text, NAME_MAX_TEXT, "%s/%d", plain, c.family == 4 ? 24 : 56);
	return true;
}

static bool
name_text(const struct topk_value *v, char *text)
{
	if (v->len > NAME_MAX_WIRE || name_check(v->key, v->len) != v->len)
		return false;
	name_to_text(v->key, text);
	return true;
}

/* A part of `count`, as the note has it. */
static uint64_t
part(uint64_t count, uint64_t of, uint64_t all)
{
	return all > 0 && of <= all && all <= TOTALS_MAX
		   ? (uint64_t)((double)count * (double)of / (double)all)
		   : 0;
}

/* The name only if it leads clearly: among names of chance one always does by a few. */
static void
say_note(struct toplist *t, Ns__StatsReply__Top *r, const struct clientnote_value *n)
{
	char *most = t->most[t->n - 1];

	r->nxdomain = part(r->count, n->nxdomain, n->all);
	r->errors = part(r->count, n->errors, n->all);
	if (n->lead > n->all / LEAD_PART && n->len > 0 && n->len <= NAME_MAX_WIRE &&
	    name_check(n->name, n->len) == n->len) {
		name_to_text(n->name, most);
		r->most = most;
	}
}

/* Of every worker's sketch; `at`: which, in its memory. */
static void
sketches(struct toplist *t, const struct worker_memory *const *m, size_t workers, size_t at,
    uint64_t now_ns, bool (*to_text)(const struct topk_value *, char *))
{
	struct merged *all = xcalloc(workers * 2 * TOPK_SLOTS, sizeof *all);
	bool notes = at == offsetof(struct worker_memory, clients);
	size_t n = 0;

	for (size_t i = 0; i < workers; i++)
		n += collect(all + n, (const struct topk *)(const void *)((const char *)m[i] + at),
		    notes ? m[i]->notes : NULL, now_ns);
	n = merge(all, n);
	for (size_t i = 0; i < n && t->n < t->max; i++) {
		Ns__StatsReply__Top *r;

		if (!to_text(&all[i].value, t->names[t->n]))
			continue;
		r = row(t, all[i].count);
		r->qps = all[i].qps;
		say_note(t, r, &all[i].note);
	}
	free(all);
}

void
toplist_clients(
    struct toplist *t, const struct worker_memory *const *m, size_t workers, uint64_t now_ns)
{
	sketches(t, m, workers, offsetof(struct worker_memory, clients), now_ns, client_text);
}

void
toplist_names(
    struct toplist *t, const struct worker_memory *const *m, size_t workers, uint64_t now_ns)
{
	sketches(t, m, workers, offsetof(struct worker_memory, names), now_ns, name_text);
}

void
toplist_qtypes(struct toplist *t, const struct totals *totals)
{
	bool shown[PAGE_QTYPES] = { false };
	unsigned best;

	for (;;) {
		best = PAGE_QTYPES;
		for (unsigned i = 0; i < PAGE_QTYPES; i++)
			if (!shown[i] && totals->qtypes[i] > 0 &&
			    (best == PAGE_QTYPES || totals->qtypes[i] > totals->qtypes[best]))
				best = i;
		if (best == PAGE_QTYPES || t->n == t->max)
			return;
		shown[best] = true;
		snprintf(t->names[t->n], NAME_MAX_TEXT, "%s", page_qtype_name(best));
		row(t, totals->qtypes[best]);
	}
}

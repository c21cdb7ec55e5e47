/* topk - see topk.h.  Writer: the worker, for sampled queries; reader: answer. */
#include "appliance/zonemap/topk.h"

#include <string.h>

#include "appliance/zonemap/word.h"

static void
clear(struct topk *t, unsigned window)
{
	for (unsigned i = 0; i < TOPK_SLOTS; i++)
		word_store(&t->window[window][i].hash, 0);
}

static void
begin(struct topk_writer *w, unsigned window, uint64_t now_ns)
{
	clear(w->shared, window);
	memset(w->tag, 0, sizeof w->tag);
	memset(w->weight, 0, sizeof w->weight);
	w->floor = 0;
	w->cursor = 0;
	w->current = window;
	w->began_ns = now_ns;
	atomic_store_explicit(&w->shared->current, window, memory_order_relaxed);
	word_store(&w->shared->began_ns, now_ns);
}

void
topk_open(struct topk_writer *w, struct topk *t, uint64_t now_ns)
{
	w->shared = t;
	w->began_ns = word_load(&t->began_ns);
	w->current = atomic_load_explicit(&t->current, memory_order_relaxed) & 1;
	if (w->began_ns == 0 || w->began_ns > now_ns) {
		clear(t, w->current ^ 1);
		begin(w, w->current, now_ns);
		return;
	}
	w->floor = 0;
	w->cursor = 0;
	for (unsigned i = 0; i < TOPK_SLOTS; i++) {
		w->tag[i] = (uint32_t)(word_load(&t->window[w->current][i].hash) >> 32);
		w->weight[i] = w->tag[i] != 0 ? word_load(&t->window[w->current][i].weight) : 0;
	}
}

void
topk_tick(struct topk_writer *w, uint64_t now_ns)
{
	uint64_t passed = now_ns - w->began_ns;

	if (passed < TOPK_WINDOW_NS)
		return;
	if (passed >= 2 * TOPK_WINDOW_NS)
		clear(w->shared, w->current);
	begin(w, w->current ^ 1, now_ns);
}

/* Its first word's hash goes last: a slot that a reader finds with the new hash has the new key. */
static void
replace(struct topk_writer *w, unsigned at, uint64_t hash, const void *key, size_t len)
{
	struct topk_slot *s = &w->shared->window[w->current][at];
	const uint8_t *p = key;
	uint64_t word;

	word_store(&s->hash, 0);
	atomic_thread_fence(memory_order_release);
	word_store(&s->error, w->weight[at]);
	word_store(&s->len, len);
	for (size_t i = 0; i < len; i += 8) {
		word = 0;
		memcpy(&word, p + i, len - i < 8 ? len - i : 8);
		word_store(&s->key[i / 8], word);
	}
	w->tag[at] = (uint32_t)(hash >> 32);
}

typedef uint32_t four __attribute__((vector_size(16)));

/* The slot of that tag; TOPK_SLOTS: none. */
static inline unsigned
find(const struct topk_writer *w, uint32_t tag)
{
	const four *tags = (const four *)(const void *)w->tag, want = (four){ 0 } + tag;
	four hit = { 0 }, number = { 1, 2, 3, 4 };
	unsigned at;

	for (unsigned i = 0; i < TOPK_SLOTS / 4; i++) {
		hit |= (tags[i] == want) & number;
		number += 4;
	}
	at = hit[0] | hit[1] | hit[2] | hit[3]; /* a tag is there once */
	return at == 0 || at > TOPK_SLOTS ? TOPK_SLOTS : at - 1;
}

/* A slot with the smallest weight.  Weights only grow, so the search goes on where it stopped, and only
 * after a round without one the floor is looked for. */
static unsigned
smallest(struct topk_writer *w)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < TOPK_SLOTS; i++) {
		unsigned at = (w->cursor + i) % TOPK_SLOTS;

		if (w->weight[at] <= w->floor) {
			w->cursor = at + 1;
			return at;
		}
		if (w->weight[at] < least)
			least = w->weight[at];
	}
	w->floor = least;
	return smallest(w);
}

unsigned
topk_add(
    struct topk_writer *w, uint64_t hash, const void *key, size_t len, uint64_t weight, bool *taken)
{
	struct topk_slot *s;
	unsigned at;
	bool new;

	if (hash >> 32 == 0)
		hash |= 1ull << 32;
	at = find(w, (uint32_t)(hash >> 32));
	new = at == TOPK_SLOTS;
	if (new) {
		at = smallest(w);
		replace(w, at, hash, key, len < TOPK_KEY ? len : TOPK_KEY);
	}
	s = &w->shared->window[w->current][at];
	w->weight[at] += weight;
	word_store(&s->weight, w->weight[at]);
	if (new)
		atomic_store_explicit(&s->hash, hash, memory_order_release);
	if (taken != NULL)
		*taken = new;
	return at;
}

unsigned
topk_window(const struct topk *t, unsigned window)
{
	return (atomic_load_explicit(&t->current, memory_order_relaxed) ^ window) & 1;
}

double
topk_span(const struct topk *t, bool both, uint64_t now_ns)
{
	uint64_t began = word_load(&t->began_ns), passed = now_ns > began ? now_ns - began : 0;

	if (passed > 2 * TOPK_WINDOW_NS)
		passed = 2 * TOPK_WINDOW_NS;
	passed += both ? TOPK_WINDOW_NS : 0;
	return passed > 1000000000 ? (double)passed / 1e9 : 1;
}

/* Which window that is now; false: too old to count.  Nobody turns the windows while nobody asks. */
static bool
is_fresh(const struct topk *t, unsigned window, uint64_t now_ns)
{
	uint64_t began = word_load(&t->began_ns), passed = now_ns > began ? now_ns - began : 0;

	return began != 0 && passed < (window == 0 ? 2 : 1) * TOPK_WINDOW_NS;
}

bool
topk_read(
    const struct topk *t, unsigned window, unsigned slot, uint64_t now_ns, struct topk_value *v)
{
	const struct topk_slot *s = &t->window[topk_window(t, window)][slot % TOPK_SLOTS];
	uint64_t hash = atomic_load_explicit(&s->hash, memory_order_acquire), word;

	if (hash == 0 || !is_fresh(t, window, now_ns))
		return false;
	v->weight = word_load(&s->weight);
	v->error = word_load(&s->error);
	v->len = (size_t)word_load(&s->len);
	if (v->len > TOPK_KEY)
		return false;
	for (size_t i = 0; i < TOPK_KEY / 8; i++) {
		word = word_load(&s->key[i]);
		memcpy(v->key + 8 * i, &word, sizeof word);
	}
	atomic_thread_fence(memory_order_acquire);
	return word_load(&s->hash) == hash;
}

/* clientnote - see clientnote.h.  Writer: the worker, for sampled queries; reader: answer. */
#include "appliance/zonemap/clientnote.h"

#include <string.h>

static inline uint64_t
load(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void
store(_Atomic uint64_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

static void
begin(struct clientnote *n)
{
	store(&n->owner, 0);
	atomic_thread_fence(memory_order_release);
}

static void
end(struct clientnote *n, uint64_t owner)
{
	atomic_store_explicit(&n->owner, owner, memory_order_release);
}

static void
name_take(struct clientnote *n, const struct clientnote_query *q)
{
	size_t len = q->len < CLIENTNOTE_NAME ? q->len : CLIENTNOTE_NAME;
	uint64_t word;

	for (size_t i = 0; i < len; i += 8) {
		word = 0;
		memcpy(&word, q->name + i, len - i < 8 ? len - i : 8);
		store(&n->name[i / 8], word);
	}
	store(&n->len, len);
	store(&n->name_hash, q->name_hash);
	store(&n->lead, q->weight);
}

static void
vote(struct clientnote *n, const struct clientnote_query *q)
{
	uint64_t lead = load(&n->lead);

	if (load(&n->name_hash) == q->name_hash && (load(&n->len) > 0) == (q->len > 0))
		store(&n->lead, lead + q->weight);
	else if (lead > q->weight)
		store(&n->lead, lead - q->weight);
	else
		name_take(n, q);
}

void
clientnote_add(struct clientnote *n, uint64_t owner, bool taken, const struct clientnote_query *q)
{
	begin(n);
	if (taken) {
		store(&n->all, 0);
		store(&n->nxdomain, 0);
		store(&n->errors, 0);
		store(&n->lead, 0);
		store(&n->len, 0);
	}
	store(&n->all, load(&n->all) + q->weight);
	store(&n->nxdomain, load(&n->nxdomain) + (q->nxdomain ? q->weight : 0));
	store(&n->errors, load(&n->errors) + (q->error ? q->weight : 0));
	vote(n, q);
	end(n, owner);
}

bool
clientnote_read(const struct clientnote *n, uint64_t owner, struct clientnote_value *v)
{
	uint64_t word;

	if (atomic_load_explicit(&n->owner, memory_order_acquire) != owner)
		return false;
	v->all = load(&n->all);
	v->nxdomain = load(&n->nxdomain);
	v->errors = load(&n->errors);
	v->lead = load(&n->lead);
	v->len = (size_t)load(&n->len);
	if (v->len > CLIENTNOTE_NAME)
		return false;
	for (size_t i = 0; i < CLIENTNOTE_NAME / 8; i++) {
		word = load(&n->name[i]);
		memcpy(v->name + 8 * i, &word, sizeof word);
	}
	atomic_thread_fence(memory_order_acquire);
	return load(&n->owner) == owner;
}

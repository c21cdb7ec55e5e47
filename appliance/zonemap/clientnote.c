/* clientnote - see clientnote.h.  Writer: the worker, for sampled queries; reader: answer. */
#include "appliance/zonemap/clientnote.h"

#include <string.h>

#include "appliance/zonemap/word.h"

static void
begin(struct clientnote *n)
{
	word_store(&n->owner, 0);
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
		word_store(&n->name[i / 8], word);
	}
	word_store(&n->len, len);
	word_store(&n->name_hash, q->name_hash);
	word_store(&n->lead, q->weight);
}

static void
vote(struct clientnote *n, const struct clientnote_query *q)
{
	uint64_t lead = word_load(&n->lead);

	if (word_load(&n->name_hash) == q->name_hash && (word_load(&n->len) > 0) == (q->len > 0))
		word_store(&n->lead, lead + q->weight);
	else if (lead > q->weight)
		word_store(&n->lead, lead - q->weight);
	else
		name_take(n, q);
}

void
clientnote_add(struct clientnote *n, uint64_t owner, bool taken, const struct clientnote_query *q)
{
	begin(n);
	if (taken) {
		word_store(&n->all, 0);
		word_store(&n->nxdomain, 0);
		word_store(&n->errors, 0);
		word_store(&n->lead, 0);
		word_store(&n->len, 0);
	}
	word_store(&n->all, word_load(&n->all) + q->weight);
	word_store(&n->nxdomain, word_load(&n->nxdomain) + (q->nxdomain ? q->weight : 0));
	word_store(&n->errors, word_load(&n->errors) + (q->error ? q->weight : 0));
	vote(n, q);
	end(n, owner);
}

bool
clientnote_read(const struct clientnote *n, uint64_t owner, struct clientnote_value *v)
{
	uint64_t word;

	if (atomic_load_explicit(&n->owner, memory_order_acquire) != owner)
		return false;
	v->all = word_load(&n->all);
	v->nxdomain = word_load(&n->nxdomain);
	v->errors = word_load(&n->errors);
	v->lead = word_load(&n->lead);
	v->len = (size_t)word_load(&n->len);
	if (v->len > CLIENTNOTE_NAME)
		return false;
	for (size_t i = 0; i < CLIENTNOTE_NAME / 8; i++) {
		word = word_load(&n->name[i]);
		memcpy(v->name + 8 * i, &word, sizeof word);
	}
	atomic_thread_fence(memory_order_acquire);
	return word_load(&n->owner) == owner;
}

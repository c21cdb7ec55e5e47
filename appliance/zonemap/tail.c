/* tail - see tail.h.  Writer: the worker; reader: answer. */
#include "appliance/zonemap/tail.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "appliance/zonemap/word.h"

void
tail_put(struct tail *t, const struct tail_row *r)
{
	uint64_t number = word_load(&t->head), word;
	struct tail_slot *s = &t->slots[number % TAIL_SLOTS];

	word_store(&s->turn, 2 * number + 1);
	atomic_thread_fence(memory_order_release);
	word_store(&s->words[0], r->at_ns);
	word_store(&s->words[1], (uint64_t)r->us10 << 32 | (uint64_t)r->qtype << 16 |
				     (uint64_t)r->rcode << 8 | r->flags);
	word_store(&s->words[2], r->zone_hash);
	word_store(&s->words[3],
	    (uint64_t)r->one_in << 32 | (uint64_t)r->family << 8 | (uint64_t)r->name_len);
	for (unsigned i = 0; i < 2; i++) {
		memcpy(&word, r->address + 8 * i, 8);
		word_store(&s->words[4 + i], word);
	}
	for (unsigned i = 0; i < r->name_len; i += 8) {
		word = 0;
		memcpy(&word, r->name + i, r->name_len - i < 8 ? r->name_len - i : 8);
		word_store(&s->words[6 + i / 8], word);
	}
	atomic_store_explicit(&s->turn, 2 * number + 2, memory_order_release);
	atomic_store_explicit(&t->head, number + 1, memory_order_release);
}

static bool
unpack(const uint64_t words[TAIL_WORDS], struct tail_row *r)
{
	r->at_ns = words[0];
	r->us10 = (uint32_t)(words[1] >> 32);
	r->qtype = (uint16_t)(words[1] >> 16);
	r->rcode = (uint8_t)(words[1] >> 8);
	r->flags = (uint8_t)words[1];
	r->zone_hash = words[2];
	r->one_in = (uint32_t)(words[3] >> 32);
	if (r->one_in == 0 || r->one_in > TAIL_ONE_IN_MAX)
		r->one_in = 1;
	r->family = (uint8_t)(words[3] >> 8);
	if (r->family != 4 && r->family != 6)
		r->family = 0;
	r->name_len = (uint8_t)words[3];
	memcpy(r->address, &words[4], sizeof r->address);
	memcpy(r->name, &words[6], TAIL_NAME);
	return r->name_len > 0;
}

bool
tail_get(const struct tail *t, uint64_t number, struct tail_row *r)
{
	const struct tail_slot *s = &t->slots[number % TAIL_SLOTS];
	uint64_t words[TAIL_WORDS];

	if (atomic_load_explicit(&s->turn, memory_order_acquire) != 2 * number + 2)
		return false;
	for (unsigned i = 0; i < TAIL_WORDS; i++)
		words[i] = word_load(&s->words[i]);
	atomic_thread_fence(memory_order_acquire);
	return word_load(&s->turn) == 2 * number + 2 && unpack(words, r);
}

struct tail_wish *
tail_wish_map(int fd, bool writable)
{
	struct stat st;
	void *at;

	/* Shorter: reading past the end would kill us. */
	if (fstat(fd, &st) != 0 || st.st_size < (off_t)TAIL_WISH_FILE)
		return NULL;
	at = mmap(NULL, TAIL_WISH_FILE, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
	return at == MAP_FAILED ? NULL : at;
}

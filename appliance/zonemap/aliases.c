/* aliases.c - see aliases.h. */
#include "appliance/zonemap/aliases.h"

#include <string.h>

#include "ipc/base/hash.h"

#define TRIES 8u /* a writer that is faster than a copy of a kilobyte, so often, is none of ours */

const char *
alias_fault_text(enum alias_fault fault)
{
	static const char *const texts[ALIAS_FAULTS] = {
		[ALIAS_OK] = "ok",
		[ALIAS_SILENT] = "the resolver does not answer",
		[ALIAS_SERVFAIL] = "the resolver cannot resolve it (SERVFAIL)",
		[ALIAS_NXDOMAIN] = "there is no such name (NXDOMAIN)",
		[ALIAS_NO_ADDRESS] = "the name has no address",
		[ALIAS_CLOSED] =
		    "its addresses are in a network that is not open, see [probe] allow",
		[ALIAS_NO_RESOLVER] = "no resolver is configured: set [resolver] address",
	};

	return fault < ALIAS_FAULTS ? texts[fault] : "unknown";
}

static uint64_t
tag_of(const struct alias_table *t, const uint8_t *name, size_t len)
{
	uint64_t words[2] = { atomic_load_explicit(&t->key[0], memory_order_relaxed),
		atomic_load_explicit(&t->key[1], memory_order_relaxed) };
	uint8_t key[16];
	uint64_t tag;

	memcpy(key, words, sizeof key);
	tag = hash_sip24(key, name, len);
	return tag != 0 ? tag : 1;
}

static uint32_t
place(uint64_t tag, uint32_t i)
{
	return (uint32_t)((tag >> 32) + i) % ALIAS_SLOTS;
}

/* ---- readers ---- */
static bool
copy_slot(const struct alias_slot *s, const uint8_t *name, size_t len, struct alias_known *out)
{
	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t number = atomic_load_explicit(&s->number, memory_order_acquire);
		bool same = memcmp(s->name, name, len) == 0;

		memcpy(out, &s->copy[number & 1], sizeof *out);
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&s->number, memory_order_relaxed) == number)
			return same;
	}
	return false;
}

bool
alias_read(const struct alias_table *t, const uint8_t *name, struct alias_known *out)
{
	size_t len = name_len(name);
	uint64_t tag;

	if (t == NULL)
		return false;
	tag = tag_of(t, name, len);
	for (uint32_t i = 0; i < ALIAS_WINDOW; i++) {
		uint32_t at = place(tag, i);

		if (atomic_load_explicit(&t->tag[at], memory_order_acquire) != tag ||
		    !copy_slot(&t->slot[at], name, len, out))
			continue;
		for (unsigned f = 0; f < ALIAS_FAMILIES; f++) {
			struct alias_addresses *a = &out->family[f];

			if (a->count > ALIAS_ADDRESSES)
				a->count = ALIAS_ADDRESSES;
			if (a->state >= ALIAS_STATES)
				a->state = ALIAS_UNKNOWN;
		}
		return true;
	}
	return false;
}

bool
alias_ttl(const struct alias_addresses *a, uint32_t now_s, uint32_t *ttl)
{
	if (a->state != ALIAS_HERE || a->count == 0 || now_s >= a->keep)
		return false;
	*ttl = now_s < a->until ? a->until - now_s : ALIAS_TTL_STALE;
	return true;
}

static uint64_t
print_of(const struct alias_known *k)
{
	static const uint8_t key[16];
	uint8_t octets[ALIAS_FAMILIES * (2 + sizeof k->family[0].octets)] = { 0 }, *p = octets;
	uint64_t print;

	for (unsigned f = 0; f < ALIAS_FAMILIES; f++) {
		const struct alias_addresses *a = &k->family[f];
		unsigned n = a->count < ALIAS_ADDRESSES ? a->count : ALIAS_ADDRESSES;

		*p++ = a->state;
		*p++ = (uint8_t)n;
		for (unsigned i = 0; a->state == ALIAS_HERE && i < n; i++, p += 16)
			memcpy(p, a->octets[i], f == ALIAS_V4 ? 4 : 16);
	}
	print = hash_sip24(key, octets, (size_t)(p - octets));
	return print != 0 ? print : 1;
}

uint64_t
alias_print(const struct alias_table *t, const uint8_t *name)
{
	struct alias_known k;

	return alias_read(t, name, &k) ? print_of(&k) : 0;
}

uint64_t
alias_changes(const struct alias_table *t)
{
	return t != NULL ? atomic_load_explicit(&t->changes, memory_order_acquire) : 0;
}

/* ---- the writer ---- */
void
alias_begin(struct alias_table *t, const uint64_t key[2])
{
	if (atomic_load(&t->key[0]) != 0)
		return;
	atomic_store(&t->key[1], key[1]);
	atomic_store(&t->key[0], key[0] != 0 ? key[0] : 1);
}

/* Its slot, or a free one; ALIAS_SLOTS: none. */
static uint32_t
find(const struct alias_table *t, const uint8_t *name, size_t len, uint64_t tag, bool *there)
{
	uint32_t room = ALIAS_SLOTS;

	*there = false;
	for (uint32_t i = 0; i < ALIAS_WINDOW; i++) {
		uint32_t at = place(tag, i);
		uint64_t has = atomic_load_explicit(&t->tag[at], memory_order_relaxed);

		if (has == tag && memcmp(t->slot[at].name, name, len) == 0) {
			*there = true;
			return at;
		}
		if (has == 0 && room == ALIAS_SLOTS)
			room = at;
	}
	return room;
}

bool
alias_write(struct alias_table *t, const uint8_t *name, const struct alias_known *known)
{
	size_t len = name_len(name);
	uint64_t tag = tag_of(t, name, len), number;
	bool there, same;
	uint32_t at = find(t, name, len, tag, &there);
	struct alias_slot *s;

	if (at == ALIAS_SLOTS)
		return false;
	s = &t->slot[at];
	number = atomic_load_explicit(&s->number, memory_order_relaxed);
	same = there && print_of(&s->copy[number & 1]) == print_of(known);
	if (!there) {
		/* Who still reads what stood here finds that the number has moved. */
		number += 2;
		atomic_store_explicit(&s->number, number, memory_order_relaxed);
		atomic_thread_fence(memory_order_release);
		memcpy(s->name, name, len);
	}
	memcpy(&s->copy[(number + 1) & 1], known, sizeof *known);
	atomic_store_explicit(&s->number, number + 1, memory_order_release);
	atomic_store_explicit(&t->tag[at], tag, memory_order_release);
	if (!same)
		atomic_fetch_add_explicit(&t->changes, 1, memory_order_release);
	return true;
}

void
alias_remove(struct alias_table *t, const uint8_t *name)
{
	size_t len = name_len(name);
	bool there;
	uint32_t at = find(t, name, len, tag_of(t, name, len), &there);

	if (!there)
		return;
	atomic_store_explicit(&t->tag[at], 0, memory_order_release);
	atomic_fetch_add_explicit(&t->changes, 1, memory_order_release);
}

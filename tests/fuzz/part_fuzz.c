/* part_fuzz - the bytes of a part as a damaged database could hand them over. */
// link: appliance/store/part.c
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/zwire.h"
#include "appliance/store/part.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_span(const struct part_span *s, size_t len)
{
	assert(s->from <= s->to && s->to <= len);
	assert((s->from == s->to) == (s->owners == 0));
	assert(s->rrsets >= s->owners && s->records >= s->rrsets);
}

/* All functions that look for one owner, before and after it. */
static void
try_owner(const uint8_t *body, size_t len, const uint8_t *owner)
{
	struct part_span at, next;
	size_t last;

	if (part_find(body, len, owner, &at)) {
		check_span(&at, len);
		assert(at.owners <= 1);
	}
	if (part_after(body, len, owner, &next))
		check_span(&next, len);
	if (part_run(body, len, owner, 100, &next, &last) && next.owners > 0) {
		check_span(&next, len);
		assert(last < len && name_check(body + last, len - last) > 0);
		assert(owner == NULL || name_cmp(body + last, owner) > 0);
	}
}

/* Cutting a sound part and walking its pieces gives the same owners. */
static void
try_cut(const uint8_t *body, size_t len, const struct part_span *all, size_t limit)
{
	size_t target = part_target(len, limit), at = 0, fattest;
	struct part_span piece, sum = { 0 };

	while (at < len) {
		size_t cut = part_cut(body + at, len - at, target, limit);

		assert(cut > 0 && cut <= len - at);
		assert(part_measure(body + at, cut, &piece, &fattest));
		assert(cut <= limit || piece.owners == 1);
		sum.owners += piece.owners;
		sum.records += piece.records;
		at += cut;
	}
	assert(sum.owners == all->owners && sum.records == all->records);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* u8 limit, a name to look for, the part. */
	struct part_span all;
	uint8_t key[PART_KEY_MAX], owner[NAME_MAX_WIRE];
	size_t fattest, key_len, n, limit;
	uint8_t *body;

	if (size < 2 || (n = name_check(data + 1, size - 1)) == 0)
		return 0;
	limit = data[0] * 8u + 1;
	name_lower(owner, data + 1, n);
	size -= 1 + n;
	/* A copy of its own, so that a read past its end is seen. */
	body = malloc(size > 0 ? size : 1);
	memcpy(body, data + 1 + n, size);
	try_owner(body, size, owner);
	if (part_after(body, size, NULL, &all))
		check_span(&all, size);
	if (part_first_key(body, size, key, &key_len))
		assert(key_len < PART_KEY_MAX);
	part_cut(body, size, limit, limit);
	if (part_measure(body, size, &all, &fattest) && size > 0) {
		check_span(&all, size);
		assert(fattest <= size);
		try_cut(body, size, &all, limit);
	}
	part_sum(size, body, size);
	free(body);
	return 0;
}

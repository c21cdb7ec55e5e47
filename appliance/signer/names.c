/* names - see names.h.  The signer's only thread. */
#include "appliance/signer/names.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "ipc/base/xalloc.h"

#define BLOCK_NAMES 256u

struct block {
	size_t n;
	uint8_t *name[BLOCK_NAMES];
};

struct names {
	struct block **block; /* none is empty */
	size_t nblocks, cap, count;
};

/* Where a name is or would be. */
struct place {
	size_t block, at;
	bool found;
};

struct names *
names_new(void)
{
	return xcalloc(1, sizeof(struct names));
}

void
names_clear(struct names *s)
{
	for (size_t b = 0; b < s->nblocks; b++) {
		for (size_t i = 0; i < s->block[b]->n; i++)
			free(s->block[b]->name[i]);
		free(s->block[b]);
	}
	free(s->block);
	memset(s, 0, sizeof *s);
}

void
names_destroy(struct names **sp)
{
	if (*sp == NULL)
		return;
	names_clear(*sp);
	free(*sp);
	*sp = NULL;
}

/* Last block whose first name is not behind `name`, then the first name there not before it. */
static struct place
find(const struct names *s, const uint8_t *name)
{
	struct place p = { 0 };
	size_t lo = 0, hi = s->nblocks, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (name_cmp(s->block[mid]->name[0], name) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	p.block = lo > 0 ? lo - 1 : 0;
	if (s->nblocks == 0)
		return p;
	for (lo = 0, hi = s->block[p.block]->n; lo < hi;) {
		int c;

		mid = lo + (hi - lo) / 2;
		c = name_cmp(s->block[p.block]->name[mid], name);
		p.found = p.found || c == 0;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	p.at = lo;
	return p;
}

static void
insert_block(struct names *s, size_t at, struct block *b)
{
	if (s->nblocks == s->cap) {
		s->cap = s->cap == 0 ? 16 : s->cap * 2;
		s->block = xreallocarray(s->block, s->cap, sizeof(struct block *));
	}
	memmove(s->block + at + 1, s->block + at, (s->nblocks - at) * sizeof(struct block *));
	s->block[at] = b;
	s->nblocks++;
}

/* A full block gives its later half away; names that come in order leave full blocks behind. */
static void
make_room(struct names *s, struct place *p)
{
	struct block *b = s->block[p->block], *next;
	size_t keep = p->at == BLOCK_NAMES ? BLOCK_NAMES : BLOCK_NAMES / 2;

	if (b->n < BLOCK_NAMES)
		return;
	next = xcalloc(1, sizeof *next);
	next->n = b->n - keep;
	memcpy(next->name, b->name + keep, next->n * sizeof(uint8_t *));
	b->n = keep;
	insert_block(s, p->block + 1, next);
	if (p->at > keep || p->at == BLOCK_NAMES) {
		p->block++;
		p->at -= keep;
	}
}

bool
names_add(struct names *s, const uint8_t *name)
{
	struct place p = find(s, name);
	struct block *b;

	if (p.found)
		return false;
	if (s->nblocks == 0)
		insert_block(s, 0, xcalloc(1, sizeof *b));
	make_room(s, &p);
	b = s->block[p.block];
	memmove(b->name + p.at + 1, b->name + p.at, (b->n - p.at) * sizeof(uint8_t *));
	b->name[p.at] = xmemdup(name, name_len(name));
	b->n++;
	s->count++;
	return true;
}

bool
names_remove(struct names *s, const uint8_t *name)
{
	struct place p = find(s, name);
	struct block *b;

	if (!p.found)
		return false;
	b = s->block[p.block];
	free(b->name[p.at]);
	b->n--;
	s->count--;
	memmove(b->name + p.at, b->name + p.at + 1, (b->n - p.at) * sizeof(uint8_t *));
	if (b->n == 0) {
		free(b);
		s->nblocks--;
		memmove(s->block + p.block, s->block + p.block + 1,
		    (s->nblocks - p.block) * sizeof(struct block *));
	}
	return true;
}

size_t
names_count(const struct names *s)
{
	return s->count;
}

const uint8_t *
names_after(const struct names *s, const uint8_t *name)
{
	struct place p = { 0 };

	if (name != NULL) {
		p = find(s, name);
		p.at += p.found;
	}
	if (p.block < s->nblocks && p.at == s->block[p.block]->n) {
		p.block++;
		p.at = 0;
	}
	return p.block < s->nblocks ? s->block[p.block]->name[p.at] : NULL;
}

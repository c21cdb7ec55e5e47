/* aliasbook.c - see aliasbook.h.  The signer's only thread. */
#include "appliance/signer/aliasbook.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/signer/names.h"
#include "ipc/base/xalloc.h"

struct followed {
	uint8_t *name;
	uint64_t print; /* alias_print() when it was noted first */
	struct names *zones;
};
struct aliasbook {
	struct followed *list; /* in canonical order: the names of a zone stand together */
	size_t n, cap;
	uint64_t changes; /* alias_changes() at the last look */
};

struct aliasbook *
aliasbook_new(void)
{
	return xcalloc(1, sizeof(struct aliasbook));
}

static void
drop(struct followed *f)
{
	free(f->name);
	names_destroy(&f->zones);
}

void
aliasbook_destroy(struct aliasbook **bp)
{
	struct aliasbook *b = *bp;

	*bp = NULL;
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->n; i++)
		drop(&b->list[i]);
	free(b->list);
	free(b);
}

bool
aliasbook_is_empty(const struct aliasbook *b)
{
	return b->n == 0;
}

/* The first that is not before that name. */
static size_t
find(const struct aliasbook *b, const uint8_t *name)
{
	size_t lo = 0, hi = b->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (name_cmp(b->list[mid].name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void
aliasbook_follow(
    struct aliasbook *b, const uint8_t *apex, const uint8_t *name, const struct alias_table *table)
{
	size_t at = find(b, name);

	if (at == b->n || !name_equal(b->list[at].name, name)) {
		if (b->n == b->cap) {
			b->cap = b->cap > 0 ? b->cap * 2 : 16;
			b->list = xreallocarray(b->list, b->cap, sizeof *b->list);
		}
		memmove(b->list + at + 1, b->list + at, (b->n - at) * sizeof *b->list);
		b->n++;
		b->list[at] = (struct followed){ .name = xmemdup(name, name_len(name)),
			.print = alias_print(table, name),
			.zones = names_new() };
	}
	(void)names_add(b->list[at].zones, apex);
}

static void
tell(const struct followed *f, aliasbook_fn *fn, void *arg)
{
	for (const uint8_t *n = names_after(f->zones, NULL); n != NULL;
	     n = names_after(f->zones, n))
		fn(arg, n);
}

void
aliasbook_changed(struct aliasbook *b, const uint8_t *changed, aliasbook_fn *fn, void *arg)
{
	size_t from = find(b, changed), to = from;

	for (; to < b->n && name_in(b->list[to].name, changed); to++) {
		tell(&b->list[to], fn, arg);
		drop(&b->list[to]);
	}
	if (to > from)
		memmove(b->list + from, b->list + to, (b->n - to) * sizeof *b->list);
	b->n -= to - from;
}

void
aliasbook_look(struct aliasbook *b, const struct alias_table *table, aliasbook_fn *fn, void *arg)
{
	uint64_t changes = alias_changes(table);
	size_t kept = 0;

	if (changes == b->changes)
		return;
	b->changes = changes;
	for (size_t i = 0; i < b->n; i++) {
		struct followed f = b->list[i];

		if (alias_print(table, f.name) == f.print) {
			b->list[kept++] = f;
			continue;
		}
		tell(&f, fn, arg);
		drop(&f);
	}
	b->n = kept;
}

/* watch.c - see watch.h.  The signer's only thread.  A zone that no longer looks at a check is forgotten when that
 * flips: at the worst it is signed once for nothing. */
#include "appliance/signer/watch.h"

#include <stdlib.h>

#include "appliance/dns/name.h"
#include "appliance/signer/names.h"
#include "appliance/zonemap/image_format.h"
#include "ipc/base/xalloc.h"

struct watched {
	uint64_t check;
	bool up;
	struct names *zones;
};
struct watch {
	struct watched *check; /* by number */
	size_t n, cap;
	struct names *todo;
};

struct watch *
watch_new(void)
{
	struct watch *w = xcalloc(1, sizeof *w);

	w->todo = names_new();
	return w;
}

void
watch_destroy(struct watch **wp)
{
	struct watch *w = *wp;

	*wp = NULL;
	if (w == NULL)
		return;
	for (size_t i = 0; i < w->n; i++)
		names_destroy(&w->check[i].zones);
	names_destroy(&w->todo);
	free(w->check);
	free(w);
}

static struct watched *
find(struct watch *w, uint64_t check, const struct board *board)
{
	size_t lo = 0, hi = w->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (w->check[mid].check < check)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < w->n && w->check[lo].check == check)
		return &w->check[lo];
	if (w->n == w->cap) {
		w->cap = w->cap > 0 ? w->cap * 2 : 64;
		w->check = xreallocarray(w->check, w->cap, sizeof *w->check);
	}
	memmove(w->check + lo + 1, w->check + lo, (w->n - lo) * sizeof *w->check);
	w->n++;
	w->check[lo] =
	    (struct watched){ .check = check, .up = board_up(board, check), .zones = names_new() };
	return &w->check[lo];
}

void
watch_check(struct watch *w, const struct board *board, const uint8_t *apex, uint64_t check)
{
	(void)names_add(find(w, check, board)->zones, apex);
}

void
watch_look(struct watch *w, const struct board *board)
{
	for (size_t i = 0; i < w->n; i++) {
		struct watched *c = &w->check[i];
		bool up = board_up(board, c->check);

		if (up == c->up)
			continue;
		c->up = up;
		for (const uint8_t *n = names_after(c->zones, NULL); n != NULL;
		     n = names_after(c->zones, n))
			(void)names_add(w->todo, n);
		names_clear(c->zones);
	}
}

struct adopted {
	struct watch *w;
	const struct map_view *view;
};

static void
note_adopted(void *arg, uint64_t hash, map_off off)
{
	struct adopted *a = arg;
	const struct image *img;
	const uint8_t *apex;
	size_t len;

	(void)hash;
	img = map_block_at(a->view, off, &len);
	if (img == NULL || len < sizeof *img ||
	    (img->flags & (IMAGE_HERE | IMAGE_POLICY)) != (IMAGE_HERE | IMAGE_POLICY))
		return;
	apex = map_image_apex(a->view, off, &len);
	if (apex != NULL && name_check(apex, len) == len)
		(void)names_add(a->w->todo, apex);
}

void
watch_adopted(struct watch *w, const struct map_view *view)
{
	struct adopted a = { .w = w, .view = view };
	uint64_t cursor = 0;

	while (map_zone_page(view, &cursor, note_adopted, &a))
		continue;
}

void
watch_note(struct watch *w, const uint8_t *apex)
{
	(void)names_add(w->todo, apex);
}

const uint8_t *
watch_next(const struct watch *w)
{
	return names_after(w->todo, NULL);
}

void
watch_done(struct watch *w, const uint8_t *apex)
{
	(void)names_remove(w->todo, apex);
}

bool
watch_is_empty(const struct watch *w)
{
	return w->n == 0 && names_count(w->todo) == 0;
}

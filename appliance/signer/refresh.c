/* refresh.c - see refresh.h.  The signer's only thread. */
#include "appliance/signer/refresh.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/signer/names.h"
#include "appliance/signer/rrsig.h"
#include "appliance/zonemap/image_format.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

struct refresh {
	struct writer *w;
	struct feed *feed;
	struct names *due;
	struct map_view view; /* while a page is looked at */
	uint64_t cursor;
	uint32_t now;
	struct refresh_state now_state, last_state;
};

struct refresh *
refresh_new(struct writer *w, struct feed *feed)
{
	struct refresh *r = xcalloc(1, sizeof *r);

	r->w = w;
	r->feed = feed;
	r->due = names_new();
	return r;
}

void
refresh_destroy(struct refresh **rp)
{
	struct refresh *r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	names_destroy(&r->due);
	free(r);
}

static bool
is_before(uint32_t a, uint32_t b, uint32_t now)
{
	return (int32_t)(a - now) < (int32_t)(b - now);
}

static void
note_first(uint32_t ends, uint32_t *first, uint8_t *whose, const uint8_t *apex, uint32_t now)
{
	if (*first != 0 && !is_before(ends, *first, now))
		return;
	*first = ends;
	memcpy(whose, apex, name_len(apex));
}

static void
look(void *arg, uint64_t hash, map_off off)
{
	struct refresh *r = arg;
	struct refresh_state *st = &r->now_state;
	const uint8_t *apex;
	const struct image *img;
	size_t len;

	(void)hash;
	img = map_block_at(&r->view, off, &len);
	if (img == NULL || len < sizeof *img || img->expires == 0 ||
	    (apex = map_image_apex(&r->view, off, &len)) == NULL || name_check(apex, len) != len)
		return;
	if ((img->flags & IMAGE_HERE) != 0) {
		st->zones++;
		note_first(img->expires, &st->expires, st->zone, apex, r->now);
		if ((int32_t)(img->expires - r->now) < (int32_t)RRSIG_SPARE)
			names_add(r->due, apex);
	} else if ((img->flags & IMAGE_SIGNED) != 0) {
		st->external++;
		st->external_expired += (int32_t)(img->expires - r->now) < 0;
		note_first(img->expires, &st->external_expires, st->external_zone, apex, r->now);
	}
}

bool
refresh_sweep(struct refresh *r, uint32_t now, uint64_t deadline_ns)
{
	r->now = now;
	if (writer_view(r->w, &r->view))
		while (map_zone_page(&r->view, &r->cursor, look, r))
			if (clock_is_past(deadline_ns))
				return false;
	r->cursor = 0;
	r->last_state = r->now_state;
	r->now_state = (struct refresh_state){ 0 };
	return true;
}

bool
refresh_step(struct refresh *r, uint64_t deadline_ns)
{
	uint8_t name[NAME_MAX_WIRE];
	const uint8_t *n;

	while ((n = names_after(r->due, NULL)) != NULL) {
		if (clock_is_past(deadline_ns))
			return true;
		memcpy(name, n, name_len(n));
		if (!feed_refresh(r->feed, name, FEED_DUE))
			return false;
		names_remove(r->due, name);
	}
	return false;
}

void
refresh_state(const struct refresh *r, struct refresh_state *out)
{
	*out = r->last_state;
	out->due = names_count(r->due);
}

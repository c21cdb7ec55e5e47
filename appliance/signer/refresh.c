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
	if (img == NULL || len < sizeof *img || (img->flags & IMAGE_HERE) == 0)
		return;
	st->zones++;
	if (st->expires == 0 || (int32_t)(img->expires - r->now) < (int32_t)(st->expires - r->now))
		st->expires = img->expires;
	apex = map_image_apex(&r->view, off, &len);
	if ((int32_t)(img->expires - r->now) < (int32_t)RRSIG_SPARE && apex != NULL &&
	    name_check(apex, len) == len)
		names_add(r->due, apex);
}

void
refresh_sweep(struct refresh *r, uint32_t now)
{
	r->now = now;
	if (writer_view(r->w, &r->view) && map_zone_page(&r->view, &r->cursor, look, r))
		return;
	r->cursor = 0;
	r->last_state = r->now_state;
	r->now_state = (struct refresh_state){ 0 };
}

bool
refresh_step(struct refresh *r, uint64_t deadline_ns)
{
	uint8_t name[NAME_MAX_WIRE];
	const uint8_t *n;

	while ((n = names_after(r->due, NULL)) != NULL) {
		if (clock_mono_ns() >= deadline_ns)
			return true;
		memcpy(name, n, name_len(n));
		if (!feed_refresh(r->feed, name, false))
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

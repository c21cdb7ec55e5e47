/* signstate.c - see signstate.h. */
#include "appliance/signer/signstate.h"

#include "appliance/zonemap/image_format.h"

/* Serial arithmetic back to seconds since 1970 (RFC 4034 3.1.5). */
static int64_t
whole_time(uint32_t t, uint32_t now)
{
	return t == 0 ? 0 : (int64_t)now + (int32_t)(t - now);
}

void
signstate_fill(
    struct signstate *s, const struct refresh_state *r, const struct feed *f, uint32_t now)
{
	const struct compile_stats *c = feed_signed(f);
	const uint8_t *making;

	ns__signer_state__init(&s->msg);
	s->msg.zones = r->zones;
	s->msg.expires = whole_time(r->expires, now);
	s->msg.due = r->due;
	s->msg.external = r->external;
	s->msg.external_expired = r->external_expired;
	s->msg.external_expires = whole_time(r->external_expires, now);
	if (r->expires != 0)
		s->msg.expires_zone = name_to_text(r->zone, s->zone);
	if (r->external_expires != 0)
		s->msg.external_zone = name_to_text(r->external_zone, s->external);
	s->msg.made = c->made;
	s->msg.kept = c->kept;
	s->msg.verified = c->verified;
	s->msg.refused = c->refused;
	making = feed_making(f, &s->msg.making_zones, &s->msg.making_percent);
	if (making != NULL)
		s->msg.making = name_to_text(making, s->making);
}

void
signstate_of_zone(struct writer *w, uint32_t now, Ns__ZoneSignatures *m)
{
	uint8_t name[NAME_MAX_WIRE];
	const struct image *img;
	struct map_view view;
	size_t len;

	if (name_check(m->zone.data, m->zone.len) != m->zone.len || m->zone.len == 0)
		return;
	name_lower(name, m->zone.data, m->zone.len);
	(void)writer_view(w, &view);
	img = map_block_at(&view, writer_zone_find(w, name), &len);
	if (img == NULL || len < sizeof *img || (img->flags & IMAGE_SIGNED) == 0)
		return;
	m->here = (img->flags & IMAGE_HERE) != 0;
	m->expires = whole_time(img->expires, now);
}

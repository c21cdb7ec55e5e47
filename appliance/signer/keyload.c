/* keyload.c - see keyload.h.  The signer's only thread. */
#include "appliance/signer/keyload.h"

#include "appliance/signer/current.h"
#include "appliance/signer/signcheck.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"

/* What is served of it, if these keys made it; *unsound: none of its signatures is to be kept. */
static enum ns_err
check_served(const struct keyload *l, const uint8_t *apex, const struct zone_keys *keys,
    uint32_t now, bool *unsound, struct ns_why *why)
{
	struct signcheck check = { .apex = apex, .keys = keys, .now = now, .signer = l->signer };
	enum ns_err err = NS_OK;
	struct signed_image img;
	struct map_view view;

	(void)writer_view(l->w, &view);
	if (signed_open(&img, &view, writer_zone_find(l->w, apex)) && current_is_by(&img, keys)) {
		const struct wbuf *owner = signed_owner(&img, apex);

		err = signcheck_part(&check, owner->base, owner->len, why);
	}
	*unsound = check.unsound;
	signed_close(&img);
	return err;
}

static void
load(const struct keyload *l, const uint8_t *apex, uint32_t now)
{
	struct zone_keys *keys = NULL;
	struct ns_why why = { 0 };
	char text[NAME_MAX_TEXT];
	bool unsound = false;
	enum ns_err err = keystore_find(l->keys, apex, &keys, &why) == KEYS_FOUND
			      ? zone_keys_open(keys, &why)
			      : NS_FAILED;

	if (err == NS_OK)
		err = check_served(l, apex, keys, now, &unsound, &why);
	zone_keys_unref(&keys);
	keystore_loaded(l->keys, apex);
	if (unsound) {
		log_error("signer.unsound", "zone=%s text=%s", log_quote(name_to_text(apex, text)),
		    log_quote(why.text));
		(void)feed_refresh(l->feed, apex, FEED_ANEW);
	} else if (err != NS_OK) {
		l->locked(l->arg, apex, &why);
		return;
	}
	l->opened(l->arg, apex);
}

bool
keyload_step(const struct keyload *l, uint32_t now, uint64_t deadline_ns)
{
	uint8_t apex[NAME_MAX_WIRE];

	do {
		if (!feed_is_idle(l->feed) || !keystore_unloaded(l->keys, apex))
			return false;
		load(l, apex, now);
	} while (!clock_is_past(deadline_ns));
	return true;
}

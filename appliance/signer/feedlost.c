/* feedlost.c - zones that the staged state lacks: asked for one by one, or all of them. */
#include "appliance/signer/feed_internal.h"

/* More lost zones than this, and the whole store is asked for instead of one by one. */
#define LOST_MAX 10000u
/* Zones asked for at once: sync takes more than twice as many for a wish to start over. */
#define ASK_MAX 24u

static void
ask_more(struct feed *f)
{
	const uint8_t *n = names_after(f->lost, NULL);

	for (; n != NULL && names_count(f->asked) < ASK_MAX; n = names_after(f->lost, n))
		if (names_add(f->asked, n))
			f->calls.ask(f->calls.arg, n, f->why);
}

void
feed_lose(struct feed *f, const uint8_t *name, const char *why)
{
	make_lose(f, name);
	names_add(f->lost, name);
	f->asking = true;
	f->why = why;
	ask_more(f);
}

void
feed_settle(struct feed *f, const uint8_t *name)
{
	if (!names_remove(f->lost, name))
		return;
	names_remove(f->asked, name);
	if (f->asking)
		ask_more(f);
}

void
feed_batch_lose(struct feed *f)
{
	make_batch_lost(f);
	f->lost_whole = f->lost_whole || f->whole;
	for (const uint8_t *n = names_after(f->batch, NULL); n != NULL;
	     n = names_after(f->batch, n)) {
		make_lose(f, n);
		names_add(f->lost, n);
	}
	if (names_count(f->lost) > LOST_MAX)
		f->lost_whole = true;
	if (f->lost_whole)
		names_clear(f->lost);
	names_clear(f->asked);
	feed_batch_clear(f);
	writer_abort(f->w);
	f->asking = false;
}

void
feed_ask_lost(struct feed *f, const char *why)
{
	if (f->lost_whole) {
		f->calls.ask_all(f->calls.arg);
		return;
	}
	f->asking = true;
	f->why = why;
	ask_more(f);
}

void
feed_batch_broken(struct feed *f)
{
	feed_batch_lose(f);
	feed_ask_lost(f, "its edit cannot be applied");
}

void
feed_retry(struct feed *f)
{
	if (feed_is_behind(f))
		feed_ask_lost(f, f->full ? "the zone map was full" : "it did not arrive");
}

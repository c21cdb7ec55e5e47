/* signertime.c - the signer's timers: what it does between feeds, a slice at a time. */
#include <stddef.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/signer/signer_internal.h"
#include "ipc/base/clock.h"

#define SECOND_MS        1000u
#define TRIM_SECONDS     10u
#define HUGE_FIRST_MS    20u /* between two huge pages, or so many times what the last one took: */
#define HUGE_PAUSE       50u /* the kernel waits for all CPUs, and meanwhile we serve no feed */
#define RECLAIM_FIRST_MS 1u /* a batch of a worker takes less */
#define RECLAIM_LAST_MS  128u
#define HOLD_MS          5000u /* that a batch waits for zones that were asked for */
#define RETRY_FIRST_MS   1000u /* after the map was full */
#define RETRY_LAST_MS    30000u
#define RENEW_SLICE_NS   2000000ull /* the same for signatures that are due */
#define SWEEP_SLICE_NS   1000000ull /* a second, of looking at when signatures end */
#define LOAD_SLICE_NS    500000ull /* of opening keys in idle time: 1 % of a core */
#define LOAD_PAUSE_MS    50u
#define DIGEST_SLICE_NS  2000000ull /* a feed waits no longer than this and one zone */
#define WORK_SLICE_NS    2000000ull /* the same for keys that are made */
#define MAKE_SLICE_NS \
	5000000ull /* of signing a large zone, or many, between which feeds are served */

static void
arm(struct event *ev, unsigned ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	(void)event_add(ev, &tv);
}

void
want_soon(struct event *ev)
{
	arm(ev, 0);
}

void
want_look(struct signer *s, unsigned ms)
{
	if (!event_pending(s->health, EV_TIMEOUT, NULL))
		arm(s->health, ms);
}

/* Soon after a publish, then less often: who still reads the old is slow, or stopped. */
static void
on_reclaim(evutil_socket_t fd, short what, void *arg)
{
	struct signer *s = arg;

	(void)fd;
	(void)what;
	writer_reclaim(s->w);
	if (!writer_has_retired(s->w))
		return;
	if (s->reclaim_ms < RECLAIM_LAST_MS)
		s->reclaim_ms *= 2;
	arm(s->reclaim, s->reclaim_ms);
}

void
want_reclaim(struct signer *s)
{
	if (!writer_has_retired(s->w))
		return;
	s->reclaim_ms = RECLAIM_FIRST_MS;
	arm(s->reclaim, s->reclaim_ms);
}

/* ---- waiting and retrying ---- */

static void
want_make(struct signer *s)
{
	uint64_t zones;
	uint32_t percent;
	bool making = feed_making(s->feed, &zones, &percent) != NULL;

	if (feed_is_making(s->feed) && !event_pending(s->make, EV_TIMEOUT, NULL))
		want_soon(s->make);
	if (making != s->making)
		say_state(s);
	say_troubles(s);
	s->making = making;
	if (!aliasbook_is_empty(s->book))
		want_look(s, WATCH_MS);
}

/* Timers wait while one feed of a start follows the other. */
static void
tell_loading(struct signer *s)
{
	uint64_t now = clock_mono_ns(), zones;
	bool loading = feed_is_loading(s->feed, &zones);

	if (loading ? now - s->loading_ns >= SECOND_MS * 1000000ull : s->loading_ns != 0) {
		s->loading_ns = loading ? now : 0;
		say_state(s);
	}
}

void
want_feed(struct signer *s)
{
	want_make(s);
	tell_loading(s);
	if (!feed_is_behind(s->feed)) {
		(void)event_del(s->hold);
		(void)event_del(s->retry);
		return;
	}
	if (feed_is_held(s->feed)) {
		/* Every zone that arrives is a reason to wait longer. */
		if (feed_lost(s->feed) != s->lost || !event_pending(s->hold, EV_TIMEOUT, NULL))
			arm(s->hold, HOLD_MS);
		s->lost = feed_lost(s->feed);
		return;
	}
	(void)event_del(s->hold);
	if (!event_pending(s->retry, EV_TIMEOUT, NULL))
		arm(s->retry, s->retry_ms);
}

static void
on_make(evutil_socket_t fd, short what, void *arg)
{
	struct signer *s = arg;

	(void)fd;
	(void)what;
	/* One that waits goes on after the next feed. */
	if (feed_make(s->feed, clock_mono_ns() + MAKE_SLICE_NS) != FEED_WAITS)
		want_feed(s);
}

static void
on_hold(evutil_socket_t fd, short what, void *arg)
{
	struct signer *s = arg;

	(void)fd;
	(void)what;
	log_error("signer.hold", "text=\"zones that were asked for did not come; going on "
				 "without them\"");
	feed_held_too_long(s->feed);
	want_feed(s);
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct signer *s = arg;

	(void)fd;
	(void)what;
	s->retry_ms = s->retry_ms * 2 < RETRY_LAST_MS ? s->retry_ms * 2 : RETRY_LAST_MS;
	writer_reclaim(s->w);
	feed_retry(s->feed);
	want_feed(s);
}

/* A timer of zero, not event_active(): the sockets get their turn in between. */
static void
on_slice(evutil_socket_t fd, short what, void *arg)
{
	struct signer *s = arg;

	(void)fd;
	(void)what;
	if (digest_step(s->digest, clock_mono_ns() + DIGEST_SLICE_NS))
		arm(s->slice, 0);
}

static void
on_renew(evutil_socket_t fd, short what, void *arg)
{
	struct signer *s = arg;

	(void)fd;
	(void)what;
	if (refresh_step(s->refresh, clock_mono_ns() + RENEW_SLICE_NS) ||
	    (s->file != NULL &&
		sigfile_step(s->file, signer_now(s), clock_mono_ns() + RENEW_SLICE_NS)))
		arm(s->renew, 0);
	want_make(s);
}

static void
on_load(evutil_socket_t fd, short what, void *arg)
{
	struct signer *s = arg;

	(void)fd;
	(void)what;
	if (s->current && keyload_step(&s->loads, signer_now(s), clock_mono_ns() + LOAD_SLICE_NS))
		arm(s->load, LOAD_PAUSE_MS);
	want_make(s);
}

static void
on_work(evutil_socket_t fd, short what, void *arg)
{
	struct signer *s = arg;
	uint64_t end = clock_mono_ns() + WORK_SLICE_NS, id;
	Ns__KeyWork *work;

	(void)fd;
	(void)what;
	while ((work = keyturn_take(s->turn, &id)) != NULL) {
		signer_key_work(s, id, work);
		ns__key_work__free_unpacked(work, NULL);
		if (clock_is_past(end)) {
			want_soon(s->work);
			return;
		}
	}
}

static void
on_alias(void *arg, const uint8_t *apex)
{
	watch_note(((struct signer *)arg)->watch, apex);
}

/* Zones whose policies look at a check that flipped, or whose ALIASes lead elsewhere, one after the other; then the
 * next look. */
static void
on_health(evutil_socket_t fd, short what, void *arg)
{
	struct signer *s = arg;
	uint64_t end = clock_mono_ns() + RENEW_SLICE_NS;
	uint8_t name[NAME_MAX_WIRE];
	const uint8_t *n;

	(void)fd;
	(void)what;
	watch_look(s->watch, &s->board);
	aliasbook_look(s->book, s->board.aliases, on_alias, s);
	while ((n = watch_next(s->watch)) != NULL && clock_mono_ns() < end) {
		memcpy(name, n, name_len(n));
		if (!feed_refresh(s->feed, name, FEED_HEALTH))
			break;
		watch_done(s->watch, name);
	}
	say_troubles(s);
	if (!watch_is_empty(s->watch) || !aliasbook_is_empty(s->book))
		arm(s->health, watch_next(s->watch) != NULL ? 1 : WATCH_MS);
	want_make(s);
}

static void
on_second(evutil_socket_t fd, short what, void *arg)
{
	struct signer *s = arg;

	(void)fd;
	(void)what;
	digest_idle(s->digest, clock_mono_ns());
	if (refresh_sweep(s->refresh, signer_now(s), clock_mono_ns() + SWEEP_SLICE_NS) ||
	    feed_is_making(s->feed))
		say_state(s);
	arm(s->renew, 0);
	if (!event_pending(s->load, EV_TIMEOUT, NULL))
		arm(s->load, LOAD_PAUSE_MS);
	if (++s->seconds % TRIM_SECONDS == 0)
		writer_trim(s->w);
	if (!event_pending(s->huge, EV_TIMEOUT, NULL))
		arm(s->huge, HUGE_FIRST_MS);
	arm(s->second, SECOND_MS);
}

static void
on_huge(evutil_socket_t fd, short what, void *arg)
{
	struct signer *s = arg;
	uint64_t start = clock_mono_ns();
	unsigned took;

	(void)fd;
	(void)what;
	if (!writer_huge(s->w))
		return;
	took = (unsigned)((clock_mono_ns() - start) / 1000000);
	if (!event_pending(s->huge, EV_TIMEOUT, NULL))
		arm(s->huge, took * HUGE_PAUSE > HUGE_FIRST_MS ? took * HUGE_PAUSE : HUGE_FIRST_MS);
}

/* ---- all of them ---- */

#define TIMER(name)                                      \
	{                                                \
		offsetof(struct signer, name), on_##name \
	}
static const struct {
	size_t at;
	event_callback_fn fn;
} timers[] = { TIMER(second), TIMER(reclaim), TIMER(hold), TIMER(retry), TIMER(slice), TIMER(huge),
	TIMER(renew), TIMER(health), TIMER(make), TIMER(load), TIMER(work) };
#define TIMERS (sizeof timers / sizeof timers[0])

static struct event **
timer(struct signer *s, size_t i)
{
	return (struct event **)(void *)((char *)s + timers[i].at);
}

void
timers_make(struct signer *s)
{
	for (size_t i = 0; i < TIMERS; i++) {
		*timer(s, i) = evtimer_new(s->role->base, timers[i].fn, s);
		if (*timer(s, i) == NULL)
			fatal("signer.loop", "text=\"no timers\"");
	}
	s->retry_ms = RETRY_FIRST_MS;
	arm(s->second, SECOND_MS);
}

void
timers_free(struct signer *s)
{
	for (size_t i = 0; i < TIMERS; i++)
		event_free(*timer(s, i));
}

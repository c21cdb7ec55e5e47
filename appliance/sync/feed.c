/* feed - see feed.h. */
#include "appliance/sync/feed.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/sync/bus.h"
#include "appliance/sync/feeder.h"
#include "appliance/sync/gate.h"
#include "appliance/sync/receipts.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define PUMP_BLOCKS 4 /* messages in one turn of the loop */
#define RESYNC_MAX  64 /* zones asked for at once; more: all of them anew */

struct flight { /* sent, not acknowledged */
	TAILQ_ENTRY(flight) link;
	uint64_t seq;
	size_t size;
};

struct feed {
	bool signer;
	struct ns_peer peer;
	uint64_t seq, stream;
	/* To be sent: what is on its way out, and what was committed while streams run. */
	struct feed_block_list pending, held;
	size_t pending_size, held_size;
	unsigned streams; /* orders that the feeder has not finished */
	bool overrun; /* held was given up: catch up once more */
	TAILQ_HEAD(, flight) flights;
	size_t flying;
	uint64_t revision; /* newest that was sent with publish */
	struct {
		uint64_t stream;
		uint8_t zone[255];
	} resync[RESYNC_MAX];
	unsigned nresync;
	uint64_t moved_ns; /* when the signer last took something */
	uint64_t published, map_bytes;
	bool map_full;
	char text[256];
};

struct feed *
feed_new(void)
{
	struct feed *f = xcalloc(1, sizeof *f);

	TAILQ_INIT(&f->pending);
	TAILQ_INIT(&f->held);
	TAILQ_INIT(&f->flights);
	return f;
}

/* A block that came from the feeder counts against what it may have out. */
static void
block_drop(struct feeder *feeder, struct feed_block *b, size_t size)
{
	if (b->stream != 0 && feeder != NULL)
		feeder_release(feeder, size);
	feed_block_destroy(&b);
}

static void
list_drop(struct feeder *feeder, struct feed_block_list *list, size_t *total)
{
	struct feed_block *b;

	while ((b = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, b, link);
		block_drop(feeder, b, b->size);
	}
	*total = 0;
}

static void
flights_drop(struct feed *f, uint64_t up_to)
{
	struct flight *fl;

	while ((fl = TAILQ_FIRST(&f->flights)) != NULL && fl->seq <= up_to) {
		TAILQ_REMOVE(&f->flights, fl, link);
		f->flying -= fl->size;
		free(fl);
	}
}

void
feed_destroy(struct feed **fp)
{
	struct feed *f = *fp;

	if (f == NULL)
		return;
	list_drop(NULL, &f->pending, &f->pending_size);
	list_drop(NULL, &f->held, &f->held_size);
	flights_drop(f, UINT64_MAX);
	free(f);
	*fp = NULL;
}

/* ---- out ---- */
static enum ns_err
send_block(struct sync *s, const struct feed_block *b)
{
	struct feed *f = s->feed;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	struct flight *fl;
	Ns__Feed msg;
	enum ns_err err;

	feed_block_message(b, &msg);
	msg.seq = f->seq + 1;
	env.body_case = NS__ENVELOPE__BODY_FEED;
	env.feed = &msg;
	err = ns_send(s->bus_sock, &f->peer, &env);
	feed_block_message_free(&msg);
	if (err != NS_OK)
		return err;
	if (f->flying == 0)
		f->moved_ns = clock_mono_ns();
	fl = xcalloc(1, sizeof *fl);
	fl->seq = ++f->seq;
	fl->size = b->size;
	TAILQ_INSERT_TAIL(&f->flights, fl, link);
	f->flying += b->size;
	if (b->publish)
		f->revision = b->revision;
	return NS_OK;
}

void
feed_pump(struct sync *s)
{
	static const struct timeval now = { 0, 0 };
	struct feed *f = s->feed;
	struct feed_block *b;

	for (int turn = 0; turn < PUMP_BLOCKS; turn++) {
		b = TAILQ_FIRST(&f->pending);
		if (!f->signer || b == NULL || f->flying >= FEED_WINDOW)
			return;
		/* Its queue is full, or it is gone: the tick tries again, a hello begins anew. */
		if (send_block(s, b) != NS_OK)
			return;
		TAILQ_REMOVE(&f->pending, b, link);
		f->pending_size -= b->size;
		block_drop(s->feeder, b, b->size);
	}
	event_add(s->pump, &now); /* others first: somebody may be waiting for a status */
}

static void
order(struct sync *s, struct feeder_order *o)
{
	o->stream = ++s->feed->stream;
	s->feed->streams++;
	feeder_order(s->feeder, o);
}

static void
catch_up(struct sync *s, uint64_t since, bool start_over)
{
	struct feeder_order o = { .since = since, .upto = gate_fed(s), .start_over = start_over };

	log_info("feed.catchup", "since=%llu head=%llu released=%llu start_over=%d",
	    (unsigned long long)since, (unsigned long long)s->head.revision,
	    (unsigned long long)gate_released(s), start_over);
	order(s, &o);
}

static void
append(struct feed_block_list *list, size_t *total, struct feed_block *b)
{
	TAILQ_INSERT_TAIL(list, b, link);
	*total += b->size;
}

/* What waits is too much: leave what belongs to the revision that is being sent, and let the feeder
 * bring the rest, each zone once. */
static void
fall_back(struct sync *s)
{
	struct feed *f = s->feed;
	struct feed_block *b = TAILQ_FIRST(&f->pending), *next;
	uint64_t since = f->revision;

	while (b != NULL && !b->publish)
		b = TAILQ_NEXT(b, link);
	if (b != NULL)
		since = b->revision;
	for (b = b != NULL ? TAILQ_NEXT(b, link) : NULL; b != NULL; b = next) {
		next = TAILQ_NEXT(b, link);
		TAILQ_REMOVE(&f->pending, b, link);
		f->pending_size -= b->size;
		block_drop(s->feeder, b, b->size);
	}
	log_warn("feed.behind", "revision=%llu", (unsigned long long)since);
	catch_up(s, since, false);
}

void
feed_live(struct sync *s, struct feed_block_list *blocks)
{
	struct feed *f = s->feed;
	struct feed_block *b;

	while ((b = TAILQ_FIRST(blocks)) != NULL) {
		TAILQ_REMOVE(blocks, b, link);
		b->size = feed_block_size(b);
		/* A signer that comes asks for all that it misses. */
		if (!f->signer || f->overrun)
			feed_block_destroy(&b);
		else if (f->streams > 0)
			append(&f->held, &f->held_size, b);
		else
			append(&f->pending, &f->pending_size, b);
	}
	if (f->held_size > FEED_PENDING) {
		list_drop(s->feeder, &f->held, &f->held_size);
		f->overrun = true;
	}
	if (f->streams == 0 && f->pending_size > FEED_PENDING)
		fall_back(s);
	feed_pump(s);
}

void
feed_since(struct sync *s, uint64_t revision)
{
	if (s->feed->signer)
		catch_up(s, revision, false);
}

bool
feed_has_room(const struct feed *f)
{
	return f->pending_size + f->held_size < FEED_ROOM;
}

/* ---- streams ---- */
static void
resync_ended(struct feed *f, uint64_t stream, uint64_t revision)
{
	struct feed_block *b;
	unsigned i = 0;

	while (i < f->nresync && f->resync[i].stream != stream)
		i++;
	if (i == f->nresync)
		return;
	TAILQ_FOREACH(b, &f->held, link)
	feed_block_forget(b, f->resync[i].zone, revision);
	f->resync[i] = f->resync[--f->nresync];
}

static void
held_forget(struct feed *f, uint64_t revision)
{
	struct feed_block *b;

	while ((b = TAILQ_FIRST(&f->held)) != NULL && b->revision <= revision) {
		TAILQ_REMOVE(&f->held, b, link);
		f->held_size -= b->size;
		feed_block_destroy(&b);
	}
}

static void
stream_ended(struct sync *s, bool one, uint64_t stream, uint64_t revision)
{
	struct feed *f = s->feed;

	if (one)
		resync_ended(f, stream, revision);
	else
		held_forget(f, revision);
	if (--f->streams > 0)
		return;
	if (f->overrun) {
		f->overrun = false;
		catch_up(s, one ? f->revision : revision, false);
		return;
	}
	TAILQ_CONCAT(&f->pending, &f->held, link);
	f->pending_size += f->held_size;
	f->held_size = 0;
}

static bool
is_resync(const struct feed *f, uint64_t stream)
{
	for (unsigned i = 0; i < f->nresync; i++)
		if (f->resync[i].stream == stream)
			return true;
	return false;
}

void
feed_block_arrived(struct job *job, struct sync *s)
{
	struct feed_block *b = (struct feed_block *)job;
	struct feed *f = s->feed;
	uint64_t stream = b->stream, revision = b->revision;
	bool end = b->end, one = is_resync(f, stream);

	b->size = feed_block_size(b);
	/* Of a stream that was cancelled: numbers rise, and a hello skips one. */
	if (!f->signer || stream + f->streams <= f->stream) {
		block_drop(s->feeder, b, b->size);
		return;
	}
	/* One zone out of turn says nothing about the others. */
	if (one)
		b->revision = f->revision;
	append(&f->pending, &f->pending_size, b);
	if (end)
		stream_ended(s, one, stream, revision);
	feed_pump(s);
}

/* ---- the signer ---- */
static void
reset(struct sync *s)
{
	struct feed *f = s->feed;

	feeder_cancel(s->feeder);
	list_drop(s->feeder, &f->pending, &f->pending_size);
	list_drop(s->feeder, &f->held, &f->held_size);
	flights_drop(f, UINT64_MAX);
	f->streams = f->nresync = 0;
	f->overrun = f->map_full = false;
	f->text[0] = '\0';
	f->revision = 0;
}

void
feed_signer_hello(struct sync *s, const struct ns_peer *peer, const Ns__RoleHello *hello)
{
	struct feed *f = s->feed;
	bool start_over =
	    !hello->map_loaded || hello->map_revision > s->head.revision || s->head.map_foreign;

	reset(s);
	if (!start_over)
		gate_served(s, hello->map_revision);
	f->signer = true;
	f->peer = *peer;
	f->moved_ns = clock_mono_ns();
	f->revision = f->published = start_over ? 0 : hello->map_revision;
	catch_up(s, f->revision, start_over);
}

void
feed_anew(struct sync *s)
{
	struct feed *f = s->feed;

	s->head.map_foreign = true; /* also for a signer that comes later */
	if (!f->signer)
		return;
	reset(s);
	f->revision = f->published = 0;
	catch_up(s, 0, true);
}

void
feed_signer_gone(struct sync *s)
{
	if (!s->feed->signer)
		return;
	reset(s);
	s->feed->signer = false;
}

void
feed_acked(struct sync *s, uint64_t seq)
{
	flights_drop(s->feed, seq <= s->feed->seq ? seq : 0);
	s->feed->moved_ns = clock_mono_ns();
	feed_pump(s);
}

void
feed_published(struct sync *s, const Ns__Published *p)
{
	struct feed *f = s->feed;
	struct ranges late;

	f->moved_ns = clock_mono_ns();
	f->map_bytes = p->map_bytes;
	snprintf(f->text, sizeof f->text, "%s", p->text);
	if (p->map_full != f->map_full)
		log_warn("map.full", "full=%d text=%s", p->map_full, log_quote(p->text));
	f->map_full = p->map_full;
	if (p->map_full) {
		receipts_give_up(s, f->revision);
		return;
	}
	if (p->revision > s->head.revision)
		return; /* not a revision of this store */
	f->published = p->revision;
	ranges_read(&late, p->late, p->n_late);
	receipts_late(s, p->revision, &late, p->epoch);
	bus_confirm(s, p->revision, p->epoch);
}

void
feed_resync(struct sync *s, const Ns__ResyncZone *in)
{
	struct feed *f = s->feed;
	struct feeder_order o = { .one = true, .upto = gate_fed(s) };
	struct feed_block *b;
	char text[NAME_MAX_TEXT];
	size_t len = name_check(in->name.data, in->name.len);

	if (len == 0 || len != in->name.len)
		return;
	name_lower(o.zone, in->name.data, len);
	log_warn("feed.resync", "zone=%s why=%s", log_quote(name_to_text(o.zone, text)),
	    log_quote(in->why));
	for (unsigned i = 0; i < f->nresync; i++)
		if (name_equal(f->resync[i].zone, o.zone))
			return;
	if (f->nresync == RESYNC_MAX) {
		feeder_cancel(s->feeder);
		list_drop(s->feeder, &f->held, &f->held_size);
		f->streams = f->nresync = 0;
		f->overrun = false;
		catch_up(s, 0, true);
		return;
	}
	/* Nothing that waits can be applied to a zone that the signer has not got. */
	TAILQ_FOREACH(b, &f->pending, link)
	if (b->stream == 0)
		feed_block_forget(b, o.zone, UINT64_MAX);
	order(s, &o);
	f->resync[f->nresync].stream = o.stream;
	memcpy(f->resync[f->nresync++].zone, o.zone, len);
}

void
feed_state(const struct feed *f, struct feed_state *out)
{
	bool waits = f->flying > 0 || !TAILQ_EMPTY(&f->pending);

	*out = (struct feed_state){ .signer = f->signer,
		.streaming = f->streams > 0,
		.map_full = f->map_full,
		.published = f->published,
		.map_bytes = f->map_bytes };
	if (f->signer && waits)
		out->stuck_s = (double)(clock_mono_ns() - f->moved_ns) / 1e9;
	snprintf(out->text, sizeof out->text, "%s", f->text);
}

/* checkrun - one probe for equal checks: when it is done, and what its results make of the verdict. */
#include <arpa/inet.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "appliance/probe/checks_int.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define START_PER_S 2000u /* new checks begin within so much of a second each */
#define BUSY_MS     100u /* no room for a probe: try again */
#define TURN        256u /* probes begun before the loop has its turn */
/* Where others vote we only measure, for latency nodes: that much more seldom, and not below */
#define MEASURE_TIMES 10u
#define MEASURE_MS    60000u
#define CONTROL_MS    500u /* a control target is not looked at sooner again */

static uint32_t
random_number(void)
{
	uint32_t r = 0;

	(void)!getrandom(&r, sizeof r, 0);
	return r;
}

static bool
target_of(const Ns__Check *def, struct target *t)
{
	uint8_t octets[16];
	uint16_t port = (uint16_t)def->port;

	if (inet_pton(AF_INET, def->target, octets) == 1)
		return target_from_octets(t, octets, 4, port);
	return inet_pton(AF_INET6, def->target, octets) == 1 &&
	       target_from_octets(t, octets, 16, port);
}

char *
check_where(
    const struct checks *c, const Ns__Check *def, const struct prober **who, struct target *t)
{
	const char *no;

	*who = prober_of(def->type);
	if (*who == NULL || !target_of(def, t)) {
		*who = NULL;
		return xstrdup(look_never(def));
	}
	no = target_refused(&c->conf.probers->rules, t);
	return no == NULL
		   ? NULL
		   : xasprintf("not done: %s address, which [probe] allow does not open", no);
}

/* The definition without what does not change the asking. */
static uint8_t *
key_of(const Ns__Check *def, size_t *len)
{
	Ns__Check bare = *def;
	uint8_t *key;

	bare.initial = bare.probers = (char *)(uintptr_t)protobuf_c_empty_string;
	bare.override = bare.push = NULL;
	bare.control = false;
	bare.n_of = 0;
	*len = ns__check__get_packed_size(&bare);
	key = xmalloc(*len + 1);
	ns__check__pack(&bare, key);
	return key;
}

/* ---- results ---- */
static void on_result(void *, const struct result *);

static void
again(struct shared *s, uint64_t now, uint64_t after_ms)
{
	schedule_put(&s->of->schedule, &s->due, now + after_ms);
}

static bool
is_mine(const struct shared *s)
{
	const struct entry *e;

	LIST_FOREACH(e, &s->users, of_shared)
	if (e->mine)
		return true;
	return false;
}

static uint64_t
interval_of(const struct shared *s)
{
	uint64_t ms = (uint64_t)(s->def->interval * 1000);

	if (is_mine(s))
		return ms;
	return ms * MEASURE_TIMES > MEASURE_MS ? ms * MEASURE_TIMES : MEASURE_MS;
}

/* ---- control targets ---- */
static bool
is_control(const struct shared *s)
{
	const struct entry *e;

	LIST_FOREACH(e, &s->users, of_shared)
	if (e->def->control)
		return true;
	return false;
}

static void
controls_set(struct checks *c, struct shared *s)
{
	size_t i = 0;
	bool wanted = is_control(s);

	while (i < c->ncontrols && c->controls[i] != s)
		i++;
	if (i == c->ncontrols && wanted && i < CONTROLS_MAX)
		c->controls[c->ncontrols++] = s;
	else if (i < c->ncontrols && !wanted)
		c->controls[i] = c->controls[--c->ncontrols];
}

static enum control
controls_say(const struct checks *c, uint64_t since_ms)
{
	struct control_look looks[CONTROLS_MAX];

	for (size_t i = 0; i < c->ncontrols; i++) {
		const struct shared *s = c->controls[i];

		looks[i].good = s->last.good;
		looks[i].at_ms = s->last.abstain ? 0 : s->last_ms;
	}
	return control_judge(looks, c->ncontrols, since_ms);
}

void
controls_look(struct checks *c)
{
	bool was = c->cut_off;

	c->cut_off = controls_say(c, 0) == CONTROL_CUT;
	if (c->cut_off == was)
		return;
	log_warn("checks.control", "reached=%d", !c->cut_off);
	ballot_anew(c);
}

/* Something looks bad: is it us? */
static void
controls_hurry(struct checks *c, uint64_t now)
{
	for (size_t i = 0; i < c->ncontrols; i++) {
		struct shared *s = c->controls[i];

		if (s->run == NULL && clock_since(now, s->last_ms) > CONTROL_MS)
			again(s, now, 0);
	}
}

/* What a look says of its target, and not of us.  The look that decides a fall has to be borne out by a
 * control target that was reached since the one before it. */
static bool
counts(struct shared *s, const struct result *r, uint64_t now)
{
	struct checks *c = s->of;
	enum control word;

	if (r->abstain)
		return false;
	if (r->good || c->ncontrols == 0 || is_control(s))
		return true;
	controls_hurry(c, now);
	if (!s->hyst.recheck)
		return !c->cut_off;
	word = controls_say(c, s->began_ms > HYST_RECHECK_MS ? s->began_ms - HYST_RECHECK_MS : 0);
	if (word == CONTROL_CUT) {
		s->hyst.recheck = false;
		s->hyst.streak = 0;
	}
	return word == CONTROL_FINE;
}

static void
on_result(void *arg, const struct result *r)
{
	struct shared *s = arg;
	struct checks *c = s->of;
	uint64_t now = clock_mono_ms();
	uint64_t wait, took = now - s->began_ms;
	struct entry *e;

	s->run = NULL;
	c->running--;
	c->probes++;
	s->last = *r;
	s->last_ms = now;
	if (!r->abstain)
		looks_add(&s->looks, !r->good ? 0 : r->rtt_us > 0 ? r->rtt_us : 1);
	if (counts(s, &s->last, now)) {
		(void)rtt_take(&s->rtt, r->good ? r->rtt_us : 0);
		(void)hyst_result(&s->hyst, r->good, s->def->fall, s->def->rise);
	}
	wait = hyst_next_ms(&s->hyst, interval_of(s), random_number());
	/* The interval is from start to start, the second look from the end. */
	again(s, now, s->hyst.recheck ? wait : wait > took ? wait - took : 0);
	if (is_control(s))
		controls_look(c);
	LIST_FOREACH(e, &s->users, of_shared)
	{
		ballot_cast(c, e);
		check_settle(c, e);
	}
	looks_tell(c, s, false);
	shared_start(c);
}

/* ---- begin ---- */
static void
begin(struct checks *c, struct shared *s, uint64_t now)
{
	if (c->running < c->conf.at_once)
		s->run = s->prober->start(c->conf.probers, s->def, &s->target, on_result, s);
	if (s->run == NULL) {
		c->late++;
		again(s, now, BUSY_MS);
		return;
	}
	c->running++;
	s->began_ms = now;
}

static void
on_due(evutil_socket_t fd, short what, void *arg)
{
	struct checks *c = arg;
	uint64_t now = clock_mono_ms();
	struct due *d;

	(void)fd;
	(void)what;
	for (unsigned n = 0; n < TURN && (d = schedule_take(&c->schedule, now)) != NULL; n++)
		begin(c, (struct shared *)(void *)((char *)d - offsetof(struct shared, due)), now);
	shared_start(c);
}

void
shared_start(struct checks *c)
{
	uint64_t next = schedule_next(&c->schedule), now = clock_mono_ms();
	struct timeval tv = { 0, 0 };

	if (c->timer == NULL)
		c->timer = evtimer_new(c->conf.probers->base, on_due, c);
	if (next == UINT64_MAX || c->timer == NULL)
		return;
	if (next > now) {
		tv.tv_sec = (time_t)((next - now) / 1000);
		tv.tv_usec = (suseconds_t)((next - now) % 1000 * 1000);
	}
	(void)event_add(c->timer, &tv);
}

/* ---- who asks ---- */
static struct shared *
find(struct checks *c, const uint8_t *key, size_t len)
{
	struct shared *s;

	LIST_FOREACH(s, &c->by_key[check_hash(key, len)], link)
	if (s->key_len == len && memcmp(s->key, key, len) == 0)
		return s;
	return NULL;
}

/* One alone begins at once; all of them at a start share the time. */
static uint64_t
first_ms(const struct checks *c, const struct shared *s)
{
	uint64_t interval = (uint64_t)(s->def->interval * 1000);
	uint64_t spread = (uint64_t)c->count * 1000 / START_PER_S;

	if (!c->loading)
		return 0;
	if (spread > interval)
		spread = interval;
	return spread > 0 ? random_number() % spread : 0;
}

void
shared_join(struct checks *c, struct entry *e)
{
	const struct prober *prober;
	struct target target = { .len = 0 };
	char *no = check_where(c, e->def, &prober, &target);
	size_t len;
	uint8_t *key;
	struct shared *s;

	free(e->refused);
	e->refused = NULL;
	if (prober == NULL) { /* that says itself */
		free(no);
		return;
	}
	if ((e->refused = no) != NULL)
		return;
	key = key_of(e->def, &len);
	s = find(c, key, len);
	if (s == NULL) {
		s = xcalloc(1, sizeof *s);
		s->key = key;
		s->key_len = len;
		s->def = ns__check__unpack(NULL, len, key);
		if (s->def == NULL)
			abort(); /* what we packed ourselves: out of memory */
		s->target = target;
		s->prober = prober;
		s->of = c;
		LIST_INIT(&s->users);
		LIST_INSERT_HEAD(&c->by_key[check_hash(key, len)], s, link);
		/* Of this target, when it is the first one of this life. */
		rtt_resume(&s->rtt, e->rtt_before);
		again(s, clock_mono_ms(), first_ms(c, s));
	} else {
		free(key);
	}
	LIST_INSERT_HEAD(&s->users, e, of_shared);
	e->shared = s;
	e->rtt_before = 0;
	controls_set(c, s);
}

void
shared_now(struct checks *c, struct shared *s)
{
	if (s->run != NULL)
		return;
	again(s, clock_mono_ms(), 0);
	shared_start(c);
}

void
shared_hurry(struct checks *c, struct entry *e)
{
	struct shared *s = e->shared;
	uint64_t now = clock_mono_ms();

	if (!e->mine || s == NULL || s->run != NULL || s->last_ms == 0 ||
	    clock_since(now, s->last_ms) < (uint64_t)(s->def->interval * 1000))
		return;
	again(s, now, random_number() % 1000);
	shared_start(c);
}

/* The probe ends when nobody wants it any more. */
static void
release(struct checks *c, struct shared *s)
{
	controls_set(c, s);
	if (!LIST_EMPTY(&s->users))
		return;
	looks_tell(c, s, true);
	if (s->run != NULL) {
		s->prober->cancel(s->run);
		c->running--;
	}
	schedule_drop(&c->schedule, &s->due);
	LIST_REMOVE(s, link);
	ns__check__free_unpacked(s->def, NULL);
	free(s->key);
	free(s);
}

void
shared_leave(struct checks *c, struct entry *e)
{
	struct shared *s = e->shared;

	if (s == NULL)
		return;
	e->shared = NULL;
	LIST_REMOVE(e, of_shared);
	release(c, s);
}

static bool
same_target(const Ns__Check *a, const Ns__Check *b)
{
	return strcmp(a->type, b->type) == 0 && strcmp(a->target, b->target) == 0 &&
	       a->port == b->port;
}

void
shared_move(struct checks *c, struct entry *e)
{
	struct shared *s = e->shared;

	if (s == NULL) {
		shared_join(c, e);
		return;
	}
	if (!same_target(s->def, e->def))
		e->verdict = VOTE_NONE;
	e->rtt_before = same_target(s->def, e->def) ? s->rtt.shown : 0;
	e->shared = NULL;
	LIST_REMOVE(e, of_shared);
	shared_join(c, e);
	release(c, s);
}

void
shared_stop(struct checks *c)
{
	if (c->timer != NULL)
		event_free(c->timer);
	schedule_free(&c->schedule);
}

/* answer - the workers' voice on the bus: what is served, and how much.
 *
 * One loop and ZeroMQ's thread.  Reads the zone map and all worker pages, which it can neither
 * write nor delay; its death costs no query.  Speaks to sync only:
 *     → RoleHello    whenever the link comes up, and every second until it was welcomed
 *     ← ConfirmServed → Served    when every living worker answers from that revision (served.h)
 *     ← MetricsRequest → Metrics
 *     ← Explain → Explained       what the serving code answers, and why (explain.h)
 *     ← TailAsk → TailRows       some of what is asked, as it is asked (tailing.h)
 *     → AnswerNotice what status should say of floods
 * Nothing on this path waits: an open confirmation is a timer. */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "appliance/answer/explain.h"
#include "appliance/answer/metrics.h"
#include "appliance/answer/sandbox.h"
#include "appliance/answer/served.h"
#include "appliance/answer/tailing.h"
#include "appliance/answer/totals.h"
#include "appliance/role/role.h"
#include "appliance/serve/geo.h"
#include "appliance/zonemap/board.h"
#include "appliance/zonemap/map.h"
#include "appliance/zonemap/page.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"
#include "ipc/sock.h"

#define CODE_TOO_MANY 1301 /* confirmations open */
#define SECOND_MS     1000 /* between two samples, and two hellos that nobody answers */
#define ROUND_MS      5000 /* between two looks at the zones' counters, which wrap after minutes */
#define ROUND_WORKERS 8 /* so many more, and a round is made that much less often */
#define LIVING_NS     2000000000ull /* a worker's heartbeat is younger, else it is being replaced */

/* How often an open confirmation is looked at: often while somebody's commit waits for
 * microseconds, seldom once it is clear that a worker hangs. */
static const struct {
	unsigned until_ms, every_us;
} poll_steps[] = {
	{ 50, 250 },
	{ 2000, 1000 },
	{ UINT32_MAX, 5000 },
};

struct answer {
	struct role *role;
	struct map map;
	size_t workers;
	const struct worker_memory *memory[ROLE_MAX_WORKERS];
	const struct worker_page *pages[ROLE_MAX_WORKERS]; /* the first page of each */
	struct ns_sock *bus;
	struct event *poll, *second, *tail;
	bool welcome;
	uint64_t waiting_since_ms;
	struct served served;
	struct totals totals;
	struct totals_ring ring;
	struct metrics metrics;
	struct zonetotals zones;
	struct zonepast past;
	struct metrics_past all_past;
	struct toplist top;
	struct floods floods;
	bool told_floods; /* sync knows of some */
	struct board board;
	struct explain *explain;
	struct geo *geo; /* NULL: no file */
	struct tailing *tailing;
	struct log_limit log_limit;
};

/* ---- start, with all rights ---- */

static const struct worker_memory *
open_page(unsigned index)
{
	int fd = ROLE_FD_PAGE0 + (int)index;
	struct stat st;
	void *p;

	if (fstat(fd, &st) < 0 || st.st_size < (off_t)WORKER_MEMORY)
		fatal("answer.page", "fd=%d text=\"a worker page was not inherited\"", fd);
	p = mmap(NULL, WORKER_MEMORY, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		fatal("answer.page", "fd=%d text=\"mmap failed\"", fd);
	return p;
}

static void
answer_open(struct role *role)
{
	struct answer *a = xcalloc(1, sizeof *a);
	struct ns_why why = { 0 };
	char problem[160]; /* workers tell it */
	unsigned i;

	role->self = a;
	a->role = role;
	a->workers = role->start->config->workers;
	if (a->workers == 0 || a->workers > ROLE_MAX_WORKERS)
		fatal_config("answer.config", "workers=%zu max=%d", a->workers, ROLE_MAX_WORKERS);
	if (map_open(ROLE_FD_MAP, false, &a->map, &why) != NS_OK)
		fatal("answer.map", "text=%s", log_quote(why.text));
	for (i = 0; i < a->workers; i++) {
		a->memory[i] = open_page(i);
		a->pages[i] = &a->memory[i]->page;
	}
	zonetotals_init(&a->zones);
	served_init(&a->served, a->workers);
	a->explain = xcalloc(1, sizeof *a->explain);
	a->explain->random = clock_mono_ns();
	if (sketch_open(ROLE_FD_MAP, SKETCH_MAX, &a->explain->sketch, &why) != NS_OK)
		log_warn("answer.sketch", "text=%s", log_quote(why.text));
	if (board_map(&a->board, ROLE_FD_BOARD, false))
		a->explain->conf.board = &a->board;
	a->tailing = xcalloc(1, sizeof *a->tailing);
	a->tailing->wish = tail_wish_map(ROLE_FD_TAIL, true);
	a->tailing->appliance = role->start->config->name;
	a->geo = geo_open(
	    ROLE_FD_GEO0, (unsigned)role->start->config->n_geo_database, problem, sizeof problem);
	if (a->geo != NULL) {
		a->explain->conf.place = geo_place;
		a->explain->conf.place_arg = a->geo;
	}
}

/* ---- the bus ---- */

static void
reply(struct answer *a, uint64_t id, Ns__Envelope *env)
{
	env->id = id;
	/* Sync is gone or drowning: it asks again when it is back. */
	if (ns_send(a->bus, NULL, env) != NS_OK && log_allowed(&a->log_limit, 1))
		log_warn("answer.send", "text=\"the bus takes nothing\"");
}

static void
send_served(struct answer *a, const struct served_ask *ask)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__Served served = NS__SERVED__INIT;

	served.revision = ask->revision;
	served.epoch = ask->epoch;
	env.body_case = NS__ENVELOPE__BODY_SERVED;
	env.served = &served;
	reply(a, ask->id, &env);
}

static void
send_hello(struct answer *a)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__RoleHello hello = NS__ROLE_HELLO__INIT;

	hello.major = NS_PROTO_MAJOR;
	hello.minor = NS_PROTO_MINOR;
	hello.role = (char *)(uintptr_t)role_name(ROLE_ANSWER);
	hello.generation = a->role->start->generation;
	hello.map_loaded = map_published(&a->map, &hello.map_revision, &(uint64_t){ 0 });
	env.body_case = NS__ENVELOPE__BODY_ROLE_HELLO;
	env.role_hello = &hello;
	(void)ns_send(a->bus, NULL, &env); /* nobody there yet: the next one */
}

/* ---- what is served ---- */

/* The root first, the slots after it: the other way round a worker could enter the old root between
 * the two looks. */
static void
look(struct answer *a)
{
	uint64_t revision = 0, epoch = 0, slots[ROLE_MAX_WORKERS];
	size_t i;

	if (!map_published(&a->map, &revision, &epoch))
		return;
	atomic_thread_fence(memory_order_seq_cst); /* pairs with the one in map_enter() */
	for (i = 0; i < a->workers; i++)
		slots[i] = atomic_load_explicit(&a->pages[i]->slot, memory_order_acquire);
	served_see(&a->served, revision, epoch, slots);
}

static void
poll_again(struct answer *a)
{
	uint64_t waited = clock_mono_ms() - a->waiting_since_ms;
	struct timeval tv = { 0 };
	unsigned i = 0;

	while (waited > poll_steps[i].until_ms && i + 1 < sizeof poll_steps / sizeof poll_steps[0])
		i++;
	tv.tv_usec = (suseconds_t)poll_steps[i].every_us;
	(void)event_add(a->poll, &tv);
}

/* Tells what is proven; keeps looking while something is open. */
static void
settle(struct answer *a)
{
	struct served_ask ask;

	look(a);
	while (served_next(&a->served, &ask)) {
		send_served(a, &ask);
		a->waiting_since_ms = clock_mono_ms();
	}
	if (a->served.n > 0)
		poll_again(a);
	else
		(void)event_del(a->poll);
}

static void
on_poll(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	settle(arg);
}

static void
confirm(struct answer *a, uint64_t id, const Ns__ConfirmServed *ask)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__Error error = NS__ERROR__INIT;

	if (a->served.n == 0)
		a->waiting_since_ms = clock_mono_ms();
	if (served_ask(&a->served, id, ask->revision, ask->epoch)) {
		settle(a);
		return;
	}
	error.err_class = NS_UNAVAILABLE;
	error.code = CODE_TOO_MANY;
	error.text = (char *)(uintptr_t) "too many confirmations are open";
	error.revision = ask->revision;
	env.body_case = NS__ENVELOPE__BODY_ERROR;
	env.error = &error;
	reply(a, id, &env);
}

/* ---- metrics ---- */

static uint32_t
living(const struct answer *a)
{
	uint64_t now = clock_mono_ns(), beat;
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < a->workers; i++) {
		beat = atomic_load_explicit(&a->pages[i]->heartbeat_ns, memory_order_relaxed);
		/* May be newer than our now; a wild one counts as living, which harms nobody. */
		n += beat > now || now - beat < LIVING_NS;
	}
	return n;
}

/* Adds up the zones' counters: every ROUND_MS by itself, and for whoever asks, who may not make us do
 * nothing else where there are many workers. */
static void
round_of_zones(struct answer *a, bool asked, uint64_t now_ms)
{
	uint64_t share = 1 + a->workers / ROUND_WORKERS, passed = now_ms - a->zones.round_ms;

	if (passed < (asked ? (share - 1) * SECOND_MS : share * ROUND_MS))
		return;
	zonetotals_begin(&a->zones, now_ms);
	for (size_t i = 0; i < a->workers; i++)
		zonetotals_add(&a->zones, &a->memory[i]->zones, now_ms);
	zonetotals_end(&a->zones, now_ms);
	zonepast_step(&a->past, &a->zones);
}

/* The list that was asked for; what we do not know is none. */
static void
fill_top(struct answer *a, const Ns__MetricsRequest *r, uint64_t now_ms)
{
	toplist_begin(&a->top, r->limit);
	if (strcmp(r->top, "zones") == 0)
		toplist_zones(&a->top, &a->zones, r->past ? &a->past : NULL, &a->map, now_ms);
	else if (strcmp(r->top, "clients") == 0)
		toplist_clients(&a->top, a->memory, a->workers, clock_mono_ns());
	else if (strcmp(r->top, "names") == 0)
		toplist_names(&a->top, a->memory, a->workers, clock_mono_ns());
	else if (strcmp(r->top, "qtypes") == 0)
		toplist_qtypes(&a->top, &a->totals);
}

static uint64_t
unplaced(const struct answer *a)
{
	uint64_t sum = a->zones.lost, n;

	for (size_t i = 0; i < a->workers; i++) {
		n = atomic_load_explicit(&a->memory[i]->zones.other_queries, memory_order_relaxed);
		sum += n < TOTALS_MAX ? n : TOTALS_MAX;
	}
	return sum;
}

/* The name is sync's word, but one that came over a wire. */
static void
fill_zone(struct answer *a, const ProtobufCBinaryData *zone, bool past, uint64_t now_ms)
{
	const struct zonetotal *z = NULL;
	bool known = zone->len <= NAME_MAX_WIRE && name_check(zone->data, zone->len) == zone->len &&
		     zonenames_has(&a->map, zone->data, zone->len);

	if (known)
		z = zonetotals_find(
		    &a->zones, zonecount_id(zonenames_hash(&a->map, zone->data, zone->len)));
	metrics_zone(&a->metrics, z, now_ms);
	if (past && z != NULL)
		metrics_zone_past(&a->metrics, zonepast_find(&a->past, z->id));
	a->metrics.message.zone_missing = !known;
}

static void
send_rates(struct answer *a, uint64_t id)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__Metrics metrics = NS__METRICS__INIT;
	struct metrics_rates *rates = xmalloc(sizeof *rates);
	uint64_t now_ms = clock_mono_ms();

	round_of_zones(a, true, now_ms);
	metrics_rates(rates, &a->zones, &a->past, now_ms);
	rates->message.hash_key.data = (uint8_t *)(uintptr_t)a->map.header->hash_key;
	rates->message.hash_key.len = sizeof a->map.header->hash_key;
	metrics.rates = &rates->message;
	env.body_case = NS__ENVELOPE__BODY_METRICS;
	env.metrics = &metrics;
	reply(a, id, &env);
	free(rates);
}

static void
send_metrics(struct answer *a, uint64_t id, const Ns__MetricsRequest *r)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	uint64_t now_ms = clock_mono_ms();

	if (r->zone_rates) {
		send_rates(a, id);
		return;
	}

	look(a);
	totals_read(&a->totals, a->pages, a->workers);
	if (r->zone.len > 0 || strcmp(r->top, "zones") == 0)
		round_of_zones(a, true, now_ms);
	fill_top(a, r, now_ms);
	if (r->zone.len > 0)
		fill_zone(a, &r->zone, r->past, now_ms);
	else
		metrics_fill(&a->metrics, &a->totals, &a->ring, now_ms);
	if (r->zone.len == 0 && r->past)
		metrics_past(&a->metrics, &a->all_past);
	floods_read(&a->floods, a->pages, a->workers, &a->map, clock_mono_ns());
	metrics_lists(&a->metrics, &a->top, &a->floods);
	a->metrics.stats.top_of = r->top;
	a->metrics.stats.unplaced = unplaced(a);
	a->metrics.message.served_revision = a->served.revision;
	a->metrics.message.workers = living(a);
	a->metrics.message.geo_day = geo_day(a->geo);
	env.body_case = NS__ENVELOPE__BODY_METRICS;
	env.metrics = &a->metrics.message;
	reply(a, id, &env);
}

/* Status names the zones that are being flooded: once a second while there are any, and once when that
 * is over. */
static void
tell_floods(struct answer *a)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__AnswerNotice notice = NS__ANSWER_NOTICE__INIT;

	floods_read(&a->floods, a->pages, a->workers, &a->map, clock_mono_ns());
	if (!a->welcome || (a->floods.n == 0 && !a->told_floods))
		return;
	notice.n_floods = a->floods.n;
	notice.floods = a->floods.list;
	a->told_floods = a->floods.n > 0;
	env.body_case = NS__ENVELOPE__BODY_ANSWER_NOTICE;
	env.answer_notice = &notice;
	reply(a, 0, &env);
}

/* ---- explain ---- */

static void
send_explained(struct answer *a, uint64_t id, const Ns__Explain *ask)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__Explained m = NS__EXPLAINED__INIT;
	struct ns_why why = { 0 };

	if (explain_ask(a->explain, &a->map, ask, &why) == NS_OK) {
		m.reply.data = a->explain->reply;
		m.reply.len = a->explain->reply_len;
		m.steps = a->explain->list;
		m.n_steps = a->explain->n;
	} else {
		m.fault = why.text;
	}
	env.body_case = NS__ENVELOPE__BODY_EXPLAINED;
	env.explained = &m;
	reply(a, id, &env);
}

/* ---- tail ---- */

static void
tail_again(struct answer *a)
{
	const struct timeval soon = { 0, TAILING_COLLECT_MS * 1000 };

	(void)event_add(a->tail, &soon);
}

static void
on_tail(evutil_socket_t fd, short what, void *arg)
{
	struct answer *a = arg;

	(void)fd;
	(void)what;
	if (tailing_collect(a->tailing, a->memory, a->workers, clock_mono_ns()))
		tail_again(a);
}

static void
send_tail(struct answer *a, uint64_t id, const Ns__TailAsk *ask)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;

	env.body_case = NS__ENVELOPE__BODY_TAIL_ROWS;
	env.tail_rows = tailing_ask(
	    a->tailing, &a->map, a->memory, a->workers, ask, clock_mono_ns(), clock_wall_ms());
	reply(a, id, &env);
	tail_again(a);
}

/* ---- the loop ---- */

static void
on_message(void *arg, const struct ns_peer *peer, const Ns__Envelope *env)
{
	struct answer *a = arg;

	(void)peer;
	switch (env->body_case) {
	case NS__ENVELOPE__BODY_ROLE_WELCOME:
		if (!a->welcome)
			log_info("answer.welcome", "revision=%llu",
			    (unsigned long long)env->role_welcome->revision);
		a->welcome = true;
		break;
	case NS__ENVELOPE__BODY_CONFIRM_SERVED:
		confirm(a, env->id, env->confirm_served);
		break;
	case NS__ENVELOPE__BODY_METRICS_REQUEST:
		send_metrics(a, env->id, env->metrics_request);
		break;
	case NS__ENVELOPE__BODY_EXPLAIN:
		send_explained(a, env->id, env->explain);
		break;
	case NS__ENVELOPE__BODY_TAIL_ASK:
		send_tail(a, env->id, env->tail_ask);
		break;
	case NS__ENVELOPE__BODY_ERROR:
		if (log_allowed(&a->log_limit, 1))
			log_warn("answer.refused", "text=%s", log_quote(env->error->text));
		break;
	default:
		/* A newer sync may ask for what we do not know (design: ignored). */
		break;
	}
}

/* A sync that is new knows neither us nor what the last one asked. */
static void
on_link(void *arg, bool up)
{
	struct answer *a = arg;

	a->welcome = false;
	served_forget(&a->served);
	(void)event_del(a->poll);
	if (up)
		send_hello(a);
}

static void
on_second(evutil_socket_t fd, short what, void *arg)
{
	struct answer *a = arg;

	(void)fd;
	(void)what;
	if (!a->welcome)
		send_hello(a);
	totals_read(&a->totals, a->pages, a->workers);
	round_of_zones(a, false, clock_mono_ms());
	metrics_past_step(&a->all_past, &a->totals, &a->ring, clock_mono_ms());
	totals_sample(&a->ring, &a->totals, clock_mono_ms());
	tell_floods(a);
}

static int
answer_run(struct role *role)
{
	struct answer *a = role->self;
	const struct timeval second = { .tv_sec = SECOND_MS / 1000 };
	struct ns_why why = { 0 };
	char *path = ns_bus_path(role_run_dir(role));

	a->poll = evtimer_new(role->base, on_poll, a);
	a->second = event_new(role->base, -1, EV_PERSIST, on_second, a);
	a->tail = evtimer_new(role->base, on_tail, a);
	if (a->poll == NULL || a->second == NULL || a->tail == NULL ||
	    event_add(a->second, &second) < 0)
		fatal("answer.loop", "text=\"no timers\"");
	ns_zmq_init();
	a->bus = ns_dealer_connect(role->base, path, on_message, a, &why);
	if (a->bus == NULL)
		fatal("answer.bus", "path=%s text=%s", log_quote(path), log_quote(why.text));
	free(path);
	ns_sock_on_link(a->bus, on_link, a);
	on_second(-1, 0, a);
	role_ready(role);
	while (!role_stopping(role) && event_base_dispatch(role->base) == 0)
		continue;
	ns_sock_destroy(&a->bus);
	event_free(a->poll);
	event_free(a->second);
	event_free(a->tail);
	tailbook_close(&a->tailing->book);
	free(a->tailing);
	zonetotals_fini(&a->zones);
	sketch_close(&a->explain->sketch);
	free(a->explain);
	geo_close(&a->geo);
	board_unmap(&a->board);
	map_close(&a->map);
	return role_stopping(role) ? 0 : 1;
}

static const struct role_ops answer_ops = {
	.id = ROLE_ANSWER,
	.name = "answer",
	.summary = "says on the bus what the workers serve, and how much",
	.rules = &answer_rules,
	.open = answer_open,
	.run = answer_run,
};

int
main(int argc, char **argv)
{
	return role_main(&answer_ops, argc, argv);
}

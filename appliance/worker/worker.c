/* worker - answers DNS on the sockets the supervisor bound, from the zone map, and nothing else.
 *
 * One thread.  Started by the supervisor with the map (read-only), its own page (read-write) and
 * its sockets; talks to nobody but the clients and, through role/, the supervisor.  Until the map
 * has its first root it reads nothing: queries wait in the sockets, which also outlive a crash.
 * Totals in the page go on from where its predecessor stood. */
#include "appliance/worker/worker.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "appliance/role/role.h"
#include "appliance/serve/geo.h"
#include "appliance/worker/conn.h"
#include "appliance/worker/sandbox.h"
#include "appliance/worker/tally.h"
#include "appliance/worker/tcp.h"
#include "appliance/worker/tls.h"
#include "appliance/worker/udp.h"
#include "appliance/zonemap/board.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define MAP_POLL_MS 3 /* while the first root is awaited */
#define TICK_MS     250 /* heartbeat and TCP deadlines */
_Static_assert(TICK_MS == TCP_TICK_MS, "one timer serves both");

/* The process. */
struct shell {
	struct worker worker;
	struct role *role;
	struct udp *udp;
	struct tcp *tcp;
	struct tls *tls; /* NULL: not configured */
	struct udp_socket sockets[WORKER_SOCKETS_MAX];
	unsigned n_sockets, n_hot;
	bool hot[WORKER_SOCKETS_MAX];
	struct event *events[WORKER_SOCKETS_MAX + 1]; /* the last: TCP */
	struct event *tick, *map_poll;
	struct board board; /* health, for policies */
	uint64_t random;
	struct geo *geo; /* NULL: no file */
};

#ifdef NS_BREAK_stall
/* Test builds: hold the epoch slot for up to 30 ms in one batch of 32, at points that the seed (our
 * generation) decides, so that the writer's patience is tested and not our speed. */
static void
stall(const struct worker *w)
{
	static uint64_t x;
	struct timespec ts = { 0 };

	if (x == 0)
		x = atomic_load(&w->page->generation) * 2654435761u + 1;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	ts.tv_nsec = (long)(x >> 8 & 31) * 1000000;
	if ((x & 31) == 0)
		(void)nanosleep(&ts, NULL);
}
#else
#define stall(w) ((void)0)
#endif

void
worker_answer(struct worker *w, struct query *q, size_t n)
{
	struct map_view view;
	size_t i;

	if (!map_enter(&w->map, w->page, &view)) {
		for (i = 0; i < n; i++)
			q[i].verdict = SERVE_DROP;
		return;
	}
	stall(w);
	w->conf.now_s = clock_wall_s();
	serve_batch(&w->conf, &view, q, n);
	map_leave(w->page);
}

/* ---- start, with all rights ---- */

static struct worker_memory *
open_page(uint64_t generation)
{
	struct worker_memory *memory;
	struct worker_page *page;
	struct stat st;
	unsigned i;

	if (fstat(ROLE_FD_PAGE0, &st) < 0 || st.st_size < (off_t)WORKER_MEMORY)
		fatal("worker.page", "fd=%d text=\"no worker page was inherited\"", ROLE_FD_PAGE0);
	memory = mmap(NULL, WORKER_MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, ROLE_FD_PAGE0, 0);
	if (memory == MAP_FAILED)
		fatal("worker.page", "fd=%d text=\"mmap failed\"", ROLE_FD_PAGE0);
	page = &memory->page;
	/* The predecessor is gone for sure; only what it counted is inherited. */
	map_leave(page);
	for (i = 0; i < PAGE_PINS; i++)
		atomic_store_explicit(&page->pins[i], 0, memory_order_relaxed);
	atomic_store_explicit(&page->tcp_open, 0, memory_order_relaxed);
	page->magic = PAGE_MAGIC;
	page->format = PAGE_FORMAT;
	atomic_store_explicit(&page->generation, generation, memory_order_relaxed);
	atomic_store_explicit(&page->heartbeat_ns, clock_mono_ns(), memory_order_relaxed);
	return memory;
}

static void
open_sockets(struct shell *s, const Ns__ChildStart *start)
{
	size_t i;

	for (i = 0; i < start->n_sockets; i++) {
		const Ns__ChildStart__Socket *k = start->sockets[i];
		bool ok;

		if (k->tls && s->tls == NULL)
			continue; /* said already */
		if (k->tcp)
			ok = tcp_listener_add(s->tcp, k->fd, k->tls);
		else
			ok = s->n_sockets < WORKER_SOCKETS_MAX &&
			     udp_socket_init(&s->sockets[s->n_sockets++], s->udp, k->fd);
		if (!ok)
			fatal("worker.socket",
			    "fd=%d address=%s text=\"no DNS socket, or too many\"", k->fd,
			    log_quote(k->address));
	}
}

/* Certificate and keys, from the supervisor, who tried them: should they not do here all the same,
 * the rest is served, and status says so. */
static bool
take_tls(struct shell *s, Ns__TlsMaterial *m)
{
	char why[CERTIFICATE_WHY_MAX], text[CERTIFICATE_WHY_MAX + 64];
	bool ok = tls_load(s->tls, m, why);

	OPENSSL_cleanse(m->key.data, m->key.len);
	if (ok)
		return true;
	(void)snprintf(text, sizeof text, "DNS over TLS: the certificate: %s", why);
	role_problem(s->role, text);
	return false;
}

static void
open_tls(struct shell *s, const Ns__ChildStart *start)
{
	if (start->tls == NULL)
		return;
	certificate_init();
	s->tls = tls_new();
	if (!take_tls(s, start->tls))
		tls_destroy(&s->tls);
}

/* It was renewed, or the ticket keys were: for connections from now on. */
static void
on_table(void *arg, const Ns__ProcessTable *table)
{
	struct shell *s = arg;

	if (s->tls != NULL && table->tls != NULL)
		(void)take_tls(s, table->tls);
}

/* What policies ask for: health, and chance that nobody can guess. */
static void
open_routing(struct shell *s)
{
	char problem[160];

	if (!board_map(&s->board, ROLE_FD_BOARD, false))
		role_problem(s->role, "the health board cannot be read: every answer counts as up");
	s->worker.conf.board = &s->board;
	if (getrandom(&s->random, sizeof s->random, 0) != sizeof s->random)
		s->random = clock_mono_ns();
	s->worker.conf.random = &s->random;
	s->geo = geo_open(ROLE_FD_GEO0, (unsigned)s->role->start->config->n_geo_database, problem,
	    sizeof problem);
	if (problem[0] != '\0')
		role_problem(s->role, problem);
	if (s->geo != NULL) {
		s->worker.conf.place = geo_place;
		s->worker.conf.place_arg = s->geo;
	}
}

static void
worker_open(struct role *role)
{
	struct shell *s = xcalloc(1, sizeof *s);
	const Ns__ChildStart *start = role->start;
	struct ns_why why = { 0 };

	role->self = s;
	s->role = role;
	(void)snprintf(
	    s->worker.conf.version, sizeof s->worker.conf.version, "NameServe %s", NS_RELEASE);
	if (start->config != NULL && start->config->name != NULL)
		(void)snprintf(
		    s->worker.conf.id, sizeof s->worker.conf.id, "%s", start->config->name);
	s->worker.conf.keepalive = CONN_IDLE_MS / 100;
	open_routing(s);
	if (map_open(ROLE_FD_MAP, false, &s->worker.map, &why) != NS_OK)
		fatal("worker.map", "text=%s", log_quote(why.text));
	s->worker.memory = open_page(start->generation);
	s->worker.page = &s->worker.memory->page;
	guard_init(&s->worker.guard, s->worker.memory, &s->worker.conf,
	    tail_wish_map(ROLE_FD_TAIL, false), clock_mono_ns());
	tally_init();
	s->udp = udp_new(&s->worker);
	open_tls(s, start);
	s->tcp = tcp_new(&s->worker, s->tls);
	open_sockets(s, start);
	role_on_table(role, on_table, s);
}

/* ---- the loop ---- */

static void
heartbeat(struct shell *s)
{
	atomic_store_explicit(&s->worker.page->heartbeat_ns, clock_mono_ns(), memory_order_relaxed);
}

static void
on_udp(evutil_socket_t fd, short what, void *arg)
{
	struct shell *s = arg;
	unsigned i;

	(void)what;
	for (i = 0; i < s->n_sockets; i++) {
		if (s->sockets[i].fd != fd)
			continue;
		if (udp_turn(&s->sockets[i]) && event_del(s->events[i]) == 0) {
			s->hot[i] = true;
			s->n_hot++;
		}
	}
}

/* While a socket is in an epoll set, the kernel looks for sleepers each time that a datagram arrives
 * or a reply has left, 0.1 µs for each.  So a busy socket is taken out of it and asked directly,
 * until it has nothing. */
static void
poll_hot(struct shell *s)
{
	unsigned i;

	for (i = 0; s->n_hot > 0 && i < s->n_sockets; i++) {
		if (!s->hot[i] || udp_poll(&s->sockets[i]))
			continue;
		if (event_add(s->events[i], NULL) < 0)
			fatal("worker.loop", "fd=%d text=\"the loop does not take it\"",
			    s->sockets[i].fd);
		s->hot[i] = false;
		s->n_hot--;
	}
}

/* One turn: waits only when no socket is hot. */
static int
turn(struct shell *s)
{
	poll_hot(s);
	return event_base_loop(s->role->base, s->n_hot > 0 ? EVLOOP_NONBLOCK : EVLOOP_ONCE);
}

static void
on_tcp(evutil_socket_t fd, short what, void *arg)
{
	struct shell *s = arg;

	(void)fd;
	(void)what;
	tcp_turn(s->tcp);
	heartbeat(s);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct shell *s = arg;

	(void)fd;
	(void)what;
	heartbeat(s);
	tcp_tick(s->tcp, clock_mono_ms());
}

static struct event *
event_start(struct shell *s, int fd, short what, event_callback_fn fn, void *arg, unsigned ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000 };
	struct event *ev = event_new(s->role->base, fd, what | EV_PERSIST, fn, arg);

	if (ev == NULL || event_add(ev, ms > 0 ? &tv : NULL) < 0)
		fatal("worker.loop", "fd=%d text=\"the loop does not take it\"", fd);
	return ev;
}

/* From here queries are taken. */
static void
go(struct shell *s)
{
	unsigned i;

	for (i = 0; i < s->n_sockets; i++)
		s->events[i] = event_start(s, s->sockets[i].fd, EV_READ, on_udp, s, 0);
	tcp_start(s->tcp);
	s->events[WORKER_SOCKETS_MAX] = event_start(s, tcp_fd(s->tcp), EV_READ, on_tcp, s, 0);
	s->tick = event_start(s, -1, 0, on_tick, s, TICK_MS);
	role_ready(s->role);
}

static bool
map_loaded(struct shell *s)
{
	struct map_view view;
	bool loaded = map_enter(&s->worker.map, s->worker.page, &view);

	if (loaded)
		map_leave(s->worker.page);
	return loaded;
}

static void
on_map_poll(evutil_socket_t fd, short what, void *arg)
{
	struct shell *s = arg;

	(void)fd;
	(void)what;
	heartbeat(s);
	if (!map_loaded(s))
		return;
	event_free(s->map_poll);
	s->map_poll = NULL;
	go(s);
}

static void
event_end(struct event **ev)
{
	if (*ev != NULL)
		event_free(*ev);
	*ev = NULL;
}

static int
worker_run(struct role *role)
{
	struct shell *s = role->self;
	unsigned i;

	if (map_loaded(s))
		go(s);
	else
		s->map_poll = event_start(s, -1, 0, on_map_poll, s, MAP_POLL_MS);
	while (!role_stopping(role) && turn(s) == 0)
		continue;
	for (i = 0; i < sizeof s->events / sizeof s->events[0]; i++)
		event_end(&s->events[i]);
	event_end(&s->tick);
	event_end(&s->map_poll);
	tcp_drain(s->tcp);
	tcp_destroy(&s->tcp);
	tls_destroy(&s->tls);
	udp_destroy(&s->udp);
	map_close(&s->worker.map);
	guard_fini(&s->worker.guard);
	(void)munmap(s->worker.memory, WORKER_MEMORY);
	geo_close(&s->geo);
	board_unmap(&s->board);
	free(s);
	role->self = NULL;
	return role_stopping(role) ? 0 : 1;
}

static const struct role_ops worker_ops = {
	.id = ROLE_WORKER,
	.name = "worker",
	.summary = "answers DNS queries from the zone map",
	.rules = &worker_rules,
	.open = worker_open,
	.run = worker_run,
};

int
main(int argc, char **argv)
{
	return role_main(&worker_ops, argc, argv);
}

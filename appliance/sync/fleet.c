/* fleet - see fleet.h: sockets, allow-list, who said what. */
#include "appliance/sync/fleet.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/fleet/codes.h"
#include "appliance/fleet/zap.h"
#include "appliance/sync/batch.h"
#include "appliance/sync/fleetlog.h"
#include "appliance/sync/gate.h"
#include "appliance/sync/handover.h"
#include "appliance/sync/reader.h"
#include "appliance/sync/receipts.h"
#include "appliance/sync/snappub.h"
#include "appliance/sync/writer.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define LOG_BURST 5 /* lines a second that strangers can cause */

bool
fleet_is_replica(const struct sync *s)
{
	return strcmp(s->head.role, "replica") == 0;
}

const char *
fleet_advertise(const struct sync *s)
{
	const Ns__Config__Fleet *c = s->start->config->fleet;

	if (c == NULL)
		return "";
	return c->advertise[0] != '\0' ? c->advertise : c->listen;
}

/* ---- who may come in ---- */
static void
zap_request(void *arg, zsock_t *z)
{
	struct sync *s = arg;
	struct fleet *f = s->fleet;
	bool admitted;

	if (!zap_take(z, f->roster, clock_wall_ms(), &admitted))
		return;
	if (admitted)
		f->admitted++;
	else if (f->refused++, log_allowed(&f->limit, LOG_BURST))
		log_warn("fleet.refused", "text=\"a key that is not on the list\"");
}

/* Its frames are not looked at before this says yes. */
static bool
admit(void *arg, struct fleet_from *from)
{
	const struct sync *s = arg;
	bool invite;

	return roster_user(s->fleet->roster, from->user, clock_wall_ms(), &invite) != NULL;
}

static void
cut_off(struct fleet *f, const struct fleet_from *from)
{
	f->strangers++;
	if (log_allowed(&f->limit, LOG_BURST))
		log_warn("fleet.stranger", "user=%s text=\"not a member any more\"",
		    log_quote(from->user));
	fleet_cut(from);
}

static void
malformed(struct fleet *f, const struct fleet_from *from, const struct ns_why *why)
{
	f->malformed++;
	if (log_allowed(&f->limit, LOG_BURST))
		log_warn("fleet.malformed", "user=%s text=%s", log_quote(from->user),
		    log_quote(why->text));
}

static void
router_message(void *arg, zsock_t *z)
{
	struct sync *s = arg;
	struct fleet *f = s->fleet;
	struct fleet_from from = { .fd = -1 };
	struct ns_why why = { 0 };
	const struct member *m;
	Ns__Envelope *env;
	bool invite;

	switch (fleet_recv(z, true, admit, s, &from, &env, &why)) {
	case FLEET_NONE:
		return;
	case FLEET_STRANGER:
		cut_off(f, &from);
		return;
	case FLEET_MALFORMED:
		malformed(f, &from, &why);
		return;
	case FLEET_OK:
		break;
	}
	fleet_door_known(s, &from);
	m = roster_user(f->roster, from.user, clock_wall_ms(), &invite);
	if (m != NULL && invite && env->body_case == NS__ENVELOPE__BODY_FLEET_ENROL)
		pub_enrol(s, m, &from, env->fleet_enrol);
	else if (m != NULL && !invite)
		pub_message(s, m, &from, env);
	ns__envelope__free_unpacked(env, NULL);
}

static void
dealer_message(void *arg, zsock_t *z)
{
	struct sync *s = arg;
	struct fleet_from from = { .fd = -1 };
	struct ns_why why = { 0 };
	Ns__Envelope *env;

	switch (fleet_recv(z, false, NULL, s, &from, &env, &why)) {
	case FLEET_OK:
		rep_message(s, &from, env);
		ns__envelope__free_unpacked(env, NULL);
		return;
	case FLEET_MALFORMED:
		malformed(s->fleet, &from, &why);
		return;
	case FLEET_NONE:
	case FLEET_STRANGER:
		return;
	}
}

/* ---- coming ---- */
void
fleet_open(struct sync *s)
{
	struct fleet *f = s->fleet = xcalloc(1, sizeof *f);
	const Ns__Config *c = s->start->config;
	struct ns_why why = { 0 };

	f->listen_fd = -1;
	f->roster = xcalloc(1, sizeof *f->roster);
	TAILQ_INIT(&f->forwarded);
	TAILQ_INIT(&f->parked);
	if (c->fleet == NULL || c->fleet->listen[0] == '\0')
		return;
	f->listen_fd = fleet_listen(c->fleet->listen, &why);
	if (f->listen_fd < 0)
		fatal_config("fleet.listen", "text=%s", log_quote(why.text));
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	fleet_tick(arg, clock_mono_ns());
}

static void
need(bool ok, const char *what)
{
	if (!ok)
		fatal("fleet.socket", "what=\"%s\"", what);
}

static void
start_port(struct sync *s)
{
	struct fleet *f = s->fleet;
	struct ns_why why = { 0 };

	need((f->zap_z = zap_socket()) != NULL, "zap");
	f->zap = ns_sock_wrap(s->role->base, f->zap_z, zap_request, s, &why);
	need(f->zap != NULL, "zap");
	need((f->router_z = fleet_socket(ZMQ_ROUTER, &f->keys, NULL)) != NULL, "router");
	f->router = ns_sock_wrap(s->role->base, f->router_z, router_message, s, &why);
	need(f->router != NULL, "router");
	need(fleet_door_open(s), "door");
	/* libzmq closes the descriptor that it gets. */
	if (fleet_bind(f->router_z, fcntl(f->listen_fd, F_DUPFD_CLOEXEC, 3),
		s->start->config->fleet->listen, &why) != NS_OK)
		fatal_config("fleet.listen", "text=%s", log_quote(why.text));
	ns_sock_look(f->router);
}

/* A replica's socket to the primary: with the invitation's key, or its own. */
void
fleet_dial(struct sync *s, const struct fleet_keys *own, const char *endpoint, const uint8_t *key)
{
	struct fleet *f = s->fleet;
	struct ns_why why = { 0 };

	ns_sock_destroy(&f->dealer);
	need((f->dealer_z = fleet_socket(ZMQ_DEALER, own, key)) != NULL, "dealer");
	f->dealer = ns_sock_wrap(s->role->base, f->dealer_z, dealer_message, s, &why);
	need(f->dealer != NULL, "dealer");
	ns_sock_on_link(f->dealer, rep_link, s);
	if (fleet_connect(f->dealer_z, endpoint, &why) != NS_OK)
		log_error("fleet.connect", "endpoint=%s text=%s", log_quote(endpoint),
		    log_quote(why.text));
	ns_sock_look(f->dealer);
}

void
fleet_start(struct sync *s, struct writer_opened *o)
{
	static const struct timeval period = { 0, FLEET_TICK_MS * 1000 };
	struct fleet *f = s->fleet;
	struct ns_why why = { 0 };

	f->facts = o->facts;
	handover_begin(s, &o->handover);
	fleet_lost(s, o->lost_text, o->lost_file);
	f->started_ns = clock_mono_ns();
	if (o->roster != NULL) {
		roster_free(f->roster);
		free(f->roster);
		f->roster = o->roster;
	}
	if (!gate_others(s))
		gate_heard(s, true); /* alone: nobody else can have been promoted */
	f->on = f->listen_fd >= 0 || fleet_is_replica(s);
	if (!f->on)
		return;
	if (fleet_keys_load(s->store_dir, &f->keys, &why) != NS_OK)
		fatal_config("fleet.key", "text=%s", log_quote(why.text));
	roll_start(s);
	f->log = queue_new(SYNC_QUEUE, SYNC_QUEUE);
	f->log_reader = readers_start(s, f->log, 1);
	snaps_start(s);
	f->pub.tail = (struct cursor){ s->head.revision + 1, 0 };
	if (f->listen_fd >= 0)
		start_port(s);
	calls_start(s);
	if (fleet_is_replica(s))
		rep_start(s);
	f->tick = event_new(s->role->base, -1, EV_PERSIST, on_timer, s);
	need(f->tick != NULL && event_add(f->tick, &period) == 0, "tick");
	log_info("fleet.ready", "role=%s listen=%s members=%zu", s->head.role,
	    log_quote(fleet_advertise(s)), roster_active(f->roster));
}

void
fleet_stop(struct sync *s)
{
	struct fleet *f = s->fleet;

	if (f->log != NULL)
		queue_close(f->log);
	pool_join(&f->log_reader);
	snaps_stop(s);
	promote_stop(s);
	calls_stop(s);
	forward_stop(s);
	rep_stop(s);
	ns_sock_destroy(&f->dealer);
	fleet_door_close(s);
	ns_sock_destroy(&f->router);
	ns_sock_destroy(&f->zap);
	ring_clear(&f->pub.ring);
	queue_destroy(&f->log);
	if (f->tick != NULL)
		event_free(f->tick);
	roster_free(f->roster);
	free(f->roster);
	free(f->voters);
	free(f);
	s->fleet = NULL;
}

void
fleet_tick(struct sync *s, uint64_t now_ns)
{
	if (fleet_is_replica(s))
		rep_tick(s, now_ns);
	else
		pub_tick(s, now_ns);
	snaps_tick(s, now_ns);
	roll_tick(s, now_ns);
	promote_tick(s, now_ns);
	calls_tick(s, now_ns);
	gate_tick(s, now_ns);
	forward_tick(s, now_ns);
	receipts_fleet(s);
}

/* ---- what happens here ---- */
void
fleet_batch(struct sync *s, struct batch *b)
{
	struct fleet *f = s->fleet;

	if (b->roster != NULL) {
		roster_free(f->roster);
		free(f->roster);
		f->roster = b->roster;
		b->roster = NULL;
		if (b->handover.revision != 0)
			handover_begin(s, &b->handover);
		pub_members(s);
		votes_fleet(s);
	}
	if (f->on && b->wrote && !fleet_is_replica(s)) {
		f->rep.stored_at_ms = clock_wall_ms();
		pub_committed(s);
	}
}

void
fleet_served(struct sync *s, uint64_t revision)
{
	(void)revision;
	s->fleet->rep.served_at_ms = clock_wall_ms();
	if (s->fleet->on && fleet_is_replica(s))
		rep_served(s);
	receipts_fleet(s);
}

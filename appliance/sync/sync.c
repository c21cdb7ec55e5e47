/* sync - nameserve-sync: the store, the control socket, the feed to the signer.
 *
 * main() of the process, and the order in which its parts come and go: the writer opens the store
 * (and says what is wrong with it), then readers, feeder and sockets, then READY.  On SIGTERM the
 * sockets close first, the writer commits what it has begun, and nobody is told what did not happen. */
#include "appliance/sync/sync.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/audit.h"
#include "appliance/sync/backup.h"
#include "appliance/sync/bus.h"
#include "appliance/sync/aliases.h"
#include "appliance/sync/checks.h"
#include "appliance/sync/conn.h"
#include "appliance/sync/control.h"
#include "appliance/sync/dnssec.h"
#include "appliance/sync/feed.h"
#include "appliance/sync/feeder.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/gate.h"
#include "appliance/sync/import.h"
#include "appliance/sync/keyring.h"
#include "appliance/sync/keysched.h"
#include "appliance/sync/parentcheck.h"
#include "appliance/sync/reader.h"
#include "appliance/sync/receipts.h"
#include "appliance/sync/restore.h"
#include "appliance/sync/sandbox.h"
#include "appliance/sync/stats.h"
#include "appliance/sync/everywhere.h"
#include "appliance/sync/relay.h"
#include "appliance/sync/retention.h"
#include "appliance/sync/tailask.h"
#include "appliance/sync/testask.h"
#include "appliance/sync/signatures.h"
#include "appliance/sync/snapchoose.h"
#include "appliance/sync/snappub.h"
#include "appliance/sync/status.h"
#include "appliance/sync/users.h"
#include "appliance/sync/verify.h"
#include "appliance/sync/windows.h"
#include "appliance/sync/writer.h"
#include "appliance/sync/zoneorder.h"
#include "appliance/sync/zonerates.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define TEXT_THREADS 2 /* for imports and edits; one more for edits alone */
#define CONTROL_MODE 0666 /* everybody may ask; who may what is authz's */
/* Replies that one client may leave unread: to all it may have asked at once, and some refusals. */
#define CONTROL_QUEUE (CONN_OUTSTANDING + 64u)
#define BUS_MODE      0660

#ifdef NS_TEST_VFS
const struct store_retention *sync_test_retention(void);
const char *sync_test_vfs(void); /* of the test build: tests/lib/sync_vfs.c */
#endif

const char *
sync_vfs(void)
{
#ifdef NS_TEST_VFS
	return sync_test_vfs();
#else
	return NULL;
#endif
}

const struct store_retention *
sync_retention(void)
{
#ifdef NS_TEST_VFS
	const struct store_retention *test = sync_test_retention();

	if (test != NULL)
		return test;
#endif
	return &snap_retention;
}

/* ---- results ---- */
static void
jobs_done(struct sync *s, struct batch *b)
{
	struct write_job *w;

	while ((w = b->jobs) != NULL) {
		b->jobs = w->next;
		w->revision = b->err == NS_OK ? b->revision : 0;
		w->job.done(&w->job, s);
	}
}

void
sync_release(struct sync *s, struct batch **bp)
{
	struct batch *b = *bp;
	struct request *r;
	bool zones = !TAILQ_EMPTY(&b->blocks);

	if (b->err == NS_OK && !b->withheld) {
		if (b->rewound) {
			receipts_rewound(s, b->revision);
			feed_anew(s);
			checkfeed_anew(s);
			aliasfeed_changed(s);
			keysched_load(s);
		} else {
			feed_live(s, &b->blocks);
		}
		keysched_update(s, b->key_times, b->nkey_times);
		if (b->keyring)
			keysched_ring(b->ring_epoch, b->ring_apex);
		if (b->windows_changed)
			windows_set(s->windows, &b->windows, clock_mono_ns());
		checkfeed_deltas(s, &b->checks);
		if (b->aliases_changed)
			aliasfeed_changed(s);
		else if (zones)
			aliasfeed_zones(s);
	}
	imports_batch(s, b);
	jobs_done(s, b);
	while ((r = TAILQ_FIRST(&b->done)) != NULL) {
		TAILQ_REMOVE(&b->done, r, waiting);
		if (r->err == NS_OK && r->kind->waits_served && r->revision != 0)
			receipts_wait(s, r);
		else
			request_finish(s, r);
	}
	batch_destroy(bp);
}

/* A batch is durable, or refused as a whole.  What it says is told when the standby has it too. */
static void
batch_done(struct job *job, struct sync *s)
{
	struct batch *b = (struct batch *)job;

	if (b->err == NS_OK) {
		s->head.revision = b->revision;
		if (b->log_term != 0)
			s->head.log_term = b->log_term;
		s->head.used = s->head.used || b->used;
		s->head.zones = b->zones;
		if (b->trouble.err != NS_OK)
			status_store(s, b->trouble.text);
		else if (b->wrote)
			status_store(s, NULL);
		people_install(s, &b->people);
	} else {
		status_store(s, b->why.text);
	}
	fleet_batch(s, b);
	gate_batch(s, b);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct sync *s = arg;
	uint64_t now = clock_mono_ns();

	(void)fd;
	(void)what;
	receipts_tick(s, now);
	feed_pump(s);
	imports_tick(s, now);
	stats_tick(s, now);
	zonerates_tick(s, now);
	testask_tick(s, now);
	tailask_tick(s, now);
	relay_tick(s, now);
	audit_tick(s, now);
	everywhere_tick(s, now);
	verify_tick(s, now);
	parentcheck_tick(s, now);
	dnssec_tick(s, now);
	keysched_tick(s, now);
	keyring_tick(s, now);
	checkfeed_tick(s);
	check_list_tick(s, now);
	health_tick(s, now);
	aliasfeed_tick(s, now);
	backup_tick(s, now);
	restore_tick(s, now);
	windows_tick(s, now);
	retention_tick(s, now);
}

static void
on_pump(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	feed_pump(arg);
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	control_retry(arg);
}

/* ---- coming ---- */
static void
bind_sockets(struct sync *s)
{
	char *control = ns_control_path(role_run_dir(s->role));
	char *bus = ns_bus_path(role_run_dir(s->role));
	struct ns_why why = { 0 };

	s->bus_sock = ns_router_bind(s->role->base, bus, BUS_MODE, bus_recv, s, &why);
	if (s->bus_sock == NULL)
		fatal("bus.bind", "path=%s text=%s", log_quote(bus), log_quote(why.text));
	s->control = ns_router_bind(s->role->base, control, CONTROL_MODE, control_recv, s, &why);
	if (s->control == NULL)
		fatal("control.bind", "path=%s text=%s", log_quote(control), log_quote(why.text));
	ns_sock_limit_send(s->control, CONTROL_QUEUE);
	free(control);
	free(bus);
}

static void
start_text(struct sync *s)
{
	struct pool_conf conf = { .queue = s->texts, .wake = s->wake, .lanes = LANES_ALL };

	s->text_all = pool_start(&conf, TEXT_THREADS);
	conf.lanes = LANES(LANE_FAST);
	s->text_fast = pool_start(&conf, 1);
}

static void
store_opened(struct job *job, struct sync *s)
{
	static const struct timeval period = { 0, SYNC_TICK_MS * 1000 };
	struct writer_opened *o = (struct writer_opened *)job;
	struct feeder_conf conf = { .dir = s->store_dir,
		.appliance = s->name,
		.wake = s->wake,
		.arrived = feed_block_arrived };

	if (o->err != NS_OK) {
		const char *text = o->why.text[0] != '\0' ? o->why.text : ns_err_text(o->err);

		role_problem(s->role, text);
		fatal_config("store.open", "code=%u text=%s", o->why.code, log_quote(text));
	}
	s->head = o->head;
	s->head.backup_ms = backup_last(s->store_dir);
	windows_set(s->windows, &o->windows, clock_mono_ns());
	free(o->windows.windows);
	people_install(s, &o->people);
	s->readers = readers_start(s, s->reads, SYNC_READERS);
	s->feeder = feeder_start(&conf);
	start_text(s);
	gate_begin(s);
	fleet_start(s, o);
	free(o);
	keysched_load(s);
	bind_sockets(s);
	event_add(s->tick, &period);
	role_ready(s->role);
	log_info("sync.ready", "revision=%llu term=%llu zones=%llu role=%s",
	    (unsigned long long)s->head.revision, (unsigned long long)s->head.term,
	    (unsigned long long)s->head.zones, s->head.role);
}

static void
start(struct sync *s)
{
	struct writer_conf conf;

	s->wake = wake_new(s->role->base, s);
	s->tick = event_new(s->role->base, -1, EV_PERSIST, on_tick, s);
	s->retry = event_new(s->role->base, -1, 0, on_retry, s);
	s->pump = event_new(s->role->base, -1, 0, on_pump, s);
	s->reads = queue_new(SYNC_QUEUE, SYNC_QUEUE);
	s->texts = queue_new(SYNC_QUEUE, SYNC_QUEUE_BULK);
	s->writes = queue_new(SYNC_QUEUE, SYNC_QUEUE_BULK);
	s->conns = conns_new();
	s->imports = imports_new();
	s->feed = feed_new();
	s->receipts = receipts_new();
	s->bus = bus_new();
	s->status = status_new();
	s->stats = stats_new();
	s->zonerates = zonerates_new();
	s->testask = testask_new();
	s->tailask = tailask_new();
	s->relay = relay_new();
	s->audit = audit_new();
	s->everywhere = everywhere_new();
	s->windows = windows_new();
	s->gate = gate_new();
	role_on_table(s->role, status_table, s);
	conf = (struct writer_conf){ .queue = s->writes,
		.wake = s->wake,
		.dir = s->store_dir,
		.appliance = s->name,
		.config_role = s->start->config->role,
		.started_ms = s->start->started_mono_ms,
		.joins = s->start->config->join[0] != '\0',
		.opened = store_opened,
		.batch = batch_done };
	s->writer = writer_start(&conf);
}

/* ---- going ---- */
static void
stop(struct sync *s)
{
	bool used;

	if (!restore_decided())
		ns_sock_destroy(&s->control);
	audit_stop(s);
	queue_close(s->texts);
	queue_close(s->reads);
	queue_close(s->writes);
	pool_join(&s->text_fast);
	pool_join(&s->text_all);
	pool_join(&s->readers);
	feeder_stop(&s->feeder);
	used = writer_join(&s->writer);
	gate_stop(s);
	fleet_stop(s);
	restore_finish(s, used);
	ns_sock_destroy(&s->control);
	ns_sock_destroy(&s->bus_sock);
	verify_stop();
	backup_stop();
	parentcheck_stop();
	dnssec_stop();
	keysched_stop();
	signatures_stop();
	keyring_stop();
	check_list_stop();
	health_stop();
	control_free(s);
	receipts_destroy(&s->receipts);
	stats_destroy(&s->stats);
	zonerates_destroy(&s->zonerates);
	zone_orders_free();
	testask_destroy(&s->testask);
	tailask_destroy(&s->tailask);
	relay_destroy(&s->relay);
	audit_destroy(&s->audit);
	everywhere_destroy(&s->everywhere);
	windows_destroy(&s->windows);
	conns_destroy(&s->conns);
	imports_destroy(&s->imports);
	feed_destroy(&s->feed);
	bus_destroy(&s->bus);
	people_destroy(&s->authz.people);
	status_destroy(&s->status);
	queue_destroy(&s->texts);
	queue_destroy(&s->reads);
	queue_destroy(&s->writes);
	wake_destroy(&s->wake);
	event_free(s->tick);
	event_free(s->retry);
	event_free(s->pump);
}

static void
sync_open(struct role *role)
{
	struct sync *s = xcalloc(1, sizeof *s);

	s->role = role;
	s->start = role->start;
	s->name = role->start->config->name;
	s->store_dir = xstrdup(role_data_dir(role));
	aliases_open();
	backup_sweep(s->store_dir);
	restore_sweep(s->store_dir);
	snap_sweep(s->store_dir);
	authz_init(&s->authz, role->start->admin_uid, role->start->config->ssh_account);
	fleet_open(s);
	role->self = s;
}

static int
sync_run(struct role *role)
{
	struct sync *s = role->self;

	ns_zmq_init();
	zsys_set_io_threads(FLEET_IO_THREADS);
	start(s);
	if (event_base_dispatch(role->base) < 0)
		log_error("loop.failed", "role=sync");
	log_info("sync.stopping", "revision=%llu", (unsigned long long)s->head.revision);
	stop(s);
	free(s->store_dir);
	free(s);
	role->self = NULL;
	return role_stopping(role) ? 0 : 1;
}

int
main(int argc, char **argv)
{
	static const struct role_ops ops = {
		.id = ROLE_SYNC,
		.name = "sync",
		.summary = "keeps the store, takes requests, feeds the signer",
		.rules = &sync_rules,
		.choose = sync_rules_choose,
		.open = sync_open,
		.run = sync_run,
	};

	return role_main(&ops, argc, argv);
}

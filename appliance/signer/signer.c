/* signer - compiles zones and is the only writer of the zone map.
 *
 * One loop and ZeroMQ's thread.  Started by the supervisor with the map (read-write) and every worker's
 * page (read-only); speaks to sync only:
 *     → RoleHello     when the link comes up: what the map holds already
 *     ← RoleWelcome, Feed → FeedAck for each, Published for each batch (feed.h)
 *     → ResyncZone    for a zone that must come whole
 *     ← DigestRequest → DigestReply (digest.h)
 *     ← KeyWork → KeyWorkDone (keywork.h); keys arrive with feeds (keystore.h)
 * Its death costs no query: workers go on with the map as it is, its successor adopts it. */
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/dns/name.h"
#include "appliance/keys/keyclock.h"
#include "appliance/role/role.h"
#include "appliance/signer/aliasbook.h"
#include "appliance/signer/digest.h"
#include "appliance/signer/feed.h"
#include "appliance/signer/keystore.h"
#include "appliance/signer/keywork.h"
#include "appliance/signer/refresh.h"
#include "appliance/signer/sandbox.h"
#include "appliance/signer/sigfile.h"
#include "appliance/signer/signstate.h"
#include "appliance/signer/watch.h"
#include "appliance/zonemap/writer.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"
#include "ipc/sock.h"

#define CODE_DIGEST_BUSY 5020

#define SECOND_MS         1000u
#define TRIM_SECONDS      10u
#define HUGE_FIRST_MS     20u /* between two huge pages, or so many times what the last one took: */
#define HUGE_PAUSE        50u /* the kernel waits for all CPUs, and meanwhile we serve no feed */
#define RECLAIM_FIRST_MS  1u /* a batch of a worker takes less */
#define RECLAIM_LAST_MS   128u
#define HOLD_MS           5000u /* that a batch waits for zones that were asked for */
#define RETRY_FIRST_MS    1000u /* after the map was full */
#define RETRY_LAST_MS     30000u
#define RENEW_SLICE_NS    2000000ull /* the same for signatures that are due */
#define DIGEST_SLICE_NS   2000000ull /* a feed waits no longer than this and one zone */
#define ALIVE_NS          250000000ull
#define MAP_LIMIT_DEFAULT (8ull << 30)

struct signer {
	struct role *role;
	struct writer *w;
	size_t workers;
	struct worker_page *pages[ROLE_MAX_WORKERS];
	struct feed *feed;
	struct digest *digest;
	struct refresh *refresh;
	struct watch *watch;
	struct aliasbook *book;
	struct sigfile *file;
	struct board board;
	struct vault *vault; /* NULL: no_vault says why */
	struct ns_why no_vault;
	struct keystore *keys;
	struct ns_sock *bus;
	struct event *second, *reclaim, *hold, *retry, *slice, *huge, *renew, *health;
	unsigned reclaim_ms, retry_ms;
	unsigned seconds;
	uint64_t alive_ns; /* last said so out of the loop */
	size_t lost; /* when the hold timer was last set */
	struct keyclock clock; /* for signatures */
	bool welcome, ask_all;
	bool current; /* what came since the hello has been published once */
	bool adopted; /* what an earlier signer left is watched as well */
	bool told_full;
	struct log_limit log_limit;
};

/* ---- start, with all rights ---- */

static struct worker_page *
open_page(unsigned index)
{
	int fd = ROLE_FD_PAGE0 + (int)index;
	struct stat st;
	void *p;

	if (fstat(fd, &st) != 0 || st.st_size < (off_t)sizeof(struct worker_page))
		fatal("signer.page", "fd=%d text=\"a worker page was not inherited\"", fd);
	p = mmap(NULL, sizeof(struct worker_page), PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		fatal("signer.page", "fd=%d text=\"mmap failed\"", fd);
	return p;
}

static void
log_adopted(const struct signer *s, uint64_t ns)
{
	const struct writer_adopted *a = writer_adopted(s->w);

	log_info("signer.adopt",
	    "revision=%llu zones=%llu blocks=%llu broken=%zu ms=%.1f bytes=%llu",
	    (unsigned long long)a->revision, (unsigned long long)a->zones,
	    (unsigned long long)a->blocks, a->broken, (double)ns / 1e6,
	    (unsigned long long)writer_bytes(s->w));
	if (a->whole)
		log_error("signer.adopt",
		    "text=\"the directory of the zone map is broken; workers keep what they have "
		    "until all zones came anew\"");
}

/* Without it the signer works as well, and its next start signs anew. */
static struct sigfile *
open_sigfile(const struct role *role)
{
	struct sigfile_state st;
	struct sigfile *file;
	uint64_t t0 = clock_mono_ns();
	int fd[2];

	for (unsigned i = 0; i < 2; i++) {
		char *path = xasprintf("%s/signer/signatures.%u", role_data_dir(role), i);

		fd[i] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd[i] < 0)
			log_warn(
			    "signer.sigfile", "path=%s text=\"cannot be opened\"", log_quote(path));
		free(path);
	}
	if (fd[0] < 0 || fd[1] < 0) {
		for (unsigned i = 0; i < 2; i++) {
			if (fd[i] >= 0)
				(void)close(fd[i]);
		}
		return NULL;
	}
	file = sigfile_open(fd);
	sigfile_state(file, &st);
	log_info("signer.sigfile", "octets=%llu zones=%llu dropped=%llu ms=%.1f",
	    (unsigned long long)st.octets, (unsigned long long)st.zones,
	    (unsigned long long)st.dropped, (double)(clock_mono_ns() - t0) / 1e6);
	return file;
}

/* A signer without keys compiles and serves all the same. */
static void
open_vault(struct signer *s)
{
	char dir[PATH_MAX];

	if (!vault_secure_heap())
		log_warn("signer.memory", "text=\"the memory of keys cannot be locked: see ulimit "
					  "-l\"");
	snprintf(dir, sizeof dir, "%s/signer", role_data_dir(s->role));
	if (vault_open(ROLE_FD_KEK, dir, &s->vault, &s->no_vault) != NS_OK)
		log_warn("signer.keys", "text=%s", log_quote(s->no_vault.text));
	(void)close(ROLE_FD_KEK);
	s->keys = keystore_new(s->vault, s->no_vault.text);
}

static void
signer_open(struct role *role)
{
	struct signer *s = xcalloc(1, sizeof *s);
	const Ns__Config *conf = role->start->config;
	uint64_t limit = conf->map_limit != 0 ? conf->map_limit : MAP_LIMIT_DEFAULT, t0;
	struct ns_why why = { 0 };

	role->self = s;
	s->book = aliasbook_new();
	s->role = role;
	s->workers = conf->workers;
	if (s->workers == 0 || s->workers > ROLE_MAX_WORKERS)
		fatal_config("signer.config", "workers=%zu max=%d", s->workers, ROLE_MAX_WORKERS);
	for (unsigned i = 0; i < s->workers; i++)
		s->pages[i] = open_page(i);
	s->file = open_sigfile(role);
	if (!board_map(&s->board, ROLE_FD_BOARD, false))
		fatal("signer.board", "fd=%d text=\"the health board was not inherited\"",
		    ROLE_FD_BOARD);
	t0 = clock_mono_ns();
	if (writer_open(ROLE_FD_MAP, limit, role->start->generation, s->pages, s->workers, &s->w,
		&why) != NS_OK)
		fatal("signer.map", "text=%s", log_quote(why.text));
	log_adopted(s, clock_mono_ns() - t0);
	open_vault(s);
}

/* ---- timers ---- */

static void
arm(struct event *ev, unsigned ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	(void)event_add(ev, &tv);
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

static void
want_reclaim(struct signer *s)
{
	if (!writer_has_retired(s->w))
		return;
	s->reclaim_ms = RECLAIM_FIRST_MS;
	arm(s->reclaim, s->reclaim_ms);
}

/* ---- to sync ---- */

static void
tell(struct signer *s, uint64_t id, Ns__Envelope *env)
{
	env->id = id;
	/* Sync is gone: it hears a new hello when it is back. */
	if (ns_send(s->bus, NULL, env) != NS_OK && log_allowed(&s->log_limit, 1))
		log_warn("signer.send", "text=\"the bus takes nothing\"");
}

static void
send_hello(struct signer *s)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__RoleHello hello = NS__ROLE_HELLO__INIT;

	hello.major = NS_PROTO_MAJOR;
	hello.minor = NS_PROTO_MINOR;
	hello.role = (char *)(uintptr_t)role_name(ROLE_SIGNER);
	hello.generation = s->role->start->generation;
	hello.map_revision = s->ask_all ? 0 : writer_revision(s->w);
	hello.map_loaded = !s->ask_all && writer_loaded(s->w);
	if (s->vault != NULL)
		hello.public_key = (ProtobufCBinaryData){ VAULT_KEY,
			(uint8_t *)(uintptr_t)vault_public(s->vault) };
	else
		hello.no_key = s->no_vault.text;
	env.body_case = NS__ENVELOPE__BODY_ROLE_HELLO;
	env.role_hello = &hello;
	tell(s, 0, &env);
}

static void
send_ack(struct signer *s, uint64_t seq)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FeedAck ack = NS__FEED_ACK__INIT;

	ack.seq = seq;
	env.body_case = NS__ENVELOPE__BODY_FEED_ACK;
	env.feed_ack = &ack;
	tell(s, 0, &env);
}

static void
ask(void *arg, const uint8_t *name, const char *why)
{
	struct signer *s = arg;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__ResyncZone resync = NS__RESYNC_ZONE__INIT;
	char text[NAME_MAX_TEXT];

	resync.name =
	    (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)name, .len = name_len(name) };
	resync.why = (char *)(uintptr_t)why;
	env.body_case = NS__ENVELOPE__BODY_RESYNC_ZONE;
	env.resync_zone = &resync;
	tell(s, 0, &env);
	if (log_allowed(&s->log_limit, 5))
		log_warn("signer.resync", "zone=%s why=%s", log_quote(name_to_text(name, text)),
		    log_quote(why));
}

static void
ask_all(void *arg)
{
	struct signer *s = arg;

	log_warn("signer.resync", "text=\"too much is missing: asking for all zones\"");
	s->ask_all = true;
	s->welcome = s->current = false;
	feed_reset(s->feed);
	send_hello(s);
}

static void
published(void *arg, bool full, const char *text)
{
	struct signer *s = arg;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__Published p = NS__PUBLISHED__INIT;

	p.revision = writer_revision(s->w);
	p.epoch = writer_epoch(s->w);
	p.map_bytes = writer_bytes(s->w);
	p.map_full = full;
	p.text = (char *)(uintptr_t)text;
	/* Nothing else is a success: one who asked for all zones lacks none until they are here. */
	if (!full && !feed_is_behind(s->feed))
		s->retry_ms = RETRY_FIRST_MS;
	env.body_case = NS__ENVELOPE__BODY_PUBLISHED;
	env.published = &p;
	tell(s, 0, &env);
	if (full != s->told_full) {
		if (full)
			log_error("signer.map_full", "bytes=%llu text=%s",
			    (unsigned long long)p.map_bytes, log_quote(text));
		else
			log_info("signer.map_full", "bytes=%llu text=\"it fits again\"",
			    (unsigned long long)p.map_bytes);
		s->told_full = full;
	}
	want_reclaim(s);
}

static void
refused(void *arg, const uint8_t *name, const struct ns_why *why)
{
	struct signer *s = arg;
	char text[NAME_MAX_TEXT], problem[NAME_MAX_TEXT + 600];

	name_to_text(name, text);
	log_error("signer.refused", "zone=%s text=%s", log_quote(text), log_quote(why->text));
	(void)snprintf(problem, sizeof problem,
	    "zone %s cannot be compiled, its last good version is served: %s", text, why->text);
	role_problem(s->role, problem);
}

static void
staged(void *arg, const uint8_t *name)
{
	struct signer *s = arg;

	digest_staged(s->digest, name);
}

static uint32_t
now_s(void *arg)
{
	struct signer *s = arg;

	return (uint32_t)keyclock_look(&s->clock, clock_wall_ms() / 1000, keyclock_boot());
}

/* The loop stands still while a large zone is signed: who watches us shall know that we do not. */
static void
working(void *arg)
{
	struct signer *s = arg;
	uint64_t now = clock_mono_ns();

	if (now - s->alive_ns < ALIVE_NS)
		return;
	s->alive_ns = now;
	role_alive(s->role);
}

static enum keys_found
keys_of(void *arg, const uint8_t *apex, struct zone_keys **out, struct ns_why *why)
{
	return keystore_find(((struct signer *)arg)->keys, apex, out, why);
}

static void
on_check(void *arg, const uint8_t *apex, uint64_t check)
{
	struct signer *s = arg;

	watch_check(s->watch, &s->board, apex, check);
	if (!event_pending(s->health, EV_TIMEOUT, NULL))
		arm(s->health, WATCH_MS);
}

/* ---- waiting and retrying ---- */

/* After every feed: is somebody to be waited for, is something to be asked for later? */
static void
watch_feed(struct signer *s)
{
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
on_hold(evutil_socket_t fd, short what, void *arg)
{
	struct signer *s = arg;

	(void)fd;
	(void)what;
	log_error("signer.hold", "text=\"zones that were asked for did not come; going on "
				 "without them\"");
	feed_held_too_long(s->feed);
	watch_feed(s);
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
	watch_feed(s);
}

/* ---- digests ---- */

static void
digest_reply(void *arg, uint64_t id, const Ns__DigestReply *reply)
{
	struct signer *s = arg;
	Ns__Envelope env = NS__ENVELOPE__INIT;

	env.body_case = NS__ENVELOPE__BODY_DIGEST_REPLY;
	env.digest_reply = (Ns__DigestReply *)(uintptr_t)reply;
	tell(s, id, &env);
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
want_digest(struct signer *s, uint64_t id, const Ns__DigestRequest *req)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__Error error = NS__ERROR__INIT;

	if (digest_ask(s->digest, id, req)) {
		arm(s->slice, 0);
		return;
	}
	error.err_class = NS_UNAVAILABLE;
	error.code = CODE_DIGEST_BUSY;
	error.text = (char *)(uintptr_t) "too many digest requests wait";
	env.body_case = NS__ENVELOPE__BODY_ERROR;
	env.error = &error;
	tell(s, id, &env);
}

/* ---- keys ---- */

static void
send_error(struct signer *s, uint64_t id, struct ns_why *why)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__Error error;

	ns_error_from_why(&error, why);
	env.body_case = NS__ENVELOPE__BODY_ERROR;
	env.error = &error;
	tell(s, id, &env);
}

static void
on_key_work(struct signer *s, uint64_t id, const Ns__KeyWork *work)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__KeyWorkDone done;
	struct ns_why why = s->no_vault;

	if (s->vault == NULL) {
		send_error(s, id, &why);
		return;
	}
	why = (struct ns_why){ 0 };
	if (keywork_do(s->vault, work, &done, &why) == NS_OK) {
		env.body_case = NS__ENVELOPE__BODY_KEY_WORK_DONE;
		env.key_work_done = &done;
		tell(s, id, &env);
	} else {
		log_info("signer.key_work", "verb=%d code=%u text=%s", (int)work->verb, why.code,
		    log_quote(why.text));
		send_error(s, id, &why);
	}
	keywork_free(&done);
}

static void
keys_changed(void *arg, const uint8_t *apex)
{
	struct signer *s = arg;

	/* While we are caught up every zone that changed comes whole, and the others are signed as they are. */
	if (s->current)
		feed_keys_changed(s->feed, apex);
}

static void
take_keyring(struct signer *s, const ProtobufCBinaryData *sealed)
{
	bool locked = !vault_has(s->vault, VAULT_ZSK);
	struct ns_why why = { 0 };

	if (vault_take(s->vault, sealed->data, sealed->len, &why) != NS_OK) {
		log_error("signer.keyring", "text=%s", log_quote(why.text));
		role_problem(s->role, why.text);
		return;
	}
	if (locked)
		keystore_each(s->keys, keys_changed, s);
}

/* Keys of a feed, before its zones. */
static void
take_keys(struct signer *s, const Ns__Feed *feed)
{
	char text[NAME_MAX_TEXT];

	if (feed->start_over)
		keystore_clear(s->keys);
	if (feed->keyring.len > 0 && s->vault != NULL)
		take_keyring(s, &feed->keyring);
	for (size_t i = 0; i < feed->n_keys; i++) {
		const Ns__FeedKeys *k = feed->keys[i];

		if (name_check(k->name.data, k->name.len) != k->name.len)
			log_error("signer.keys", "text=\"keys of a zone without a name\"");
		else if (!keystore_put(s->keys, k->name.data, k->body.data, k->body.len))
			log_error("signer.keys", "zone=%s text=\"its keys cannot be read\"",
			    log_quote(name_to_text(k->name.data, text)));
		else
			keys_changed(s, k->name.data);
		if (k->body.len == 0 && s->file != NULL)
			sigfile_wipe(s->file, k->name.data);
	}
}

/* ---- what of signatures is to be seen ---- */

static void
send_state(struct signer *s)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	struct refresh_state state;
	struct signstate out;

	refresh_state(s->refresh, &state);
	signstate_fill(&out, &state, feed_signed(s->feed), now_s(s));
	env.body_case = NS__ENVELOPE__BODY_SIGNER_STATE;
	env.signer_state = &out.msg;
	if (s->welcome)
		tell(s, 0, &env);
}

static void
on_zone_signatures(struct signer *s, uint64_t id, const Ns__ZoneSignatures *in)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__ZoneSignatures out = *in;

	signstate_of_zone(s->w, now_s(s), &out);
	env.body_case = NS__ENVELOPE__BODY_ZONE_SIGNATURES;
	env.zone_signatures = &out;
	tell(s, id, &env);
}

/* ---- the loop ---- */

static void
welcome(struct signer *s, const Ns__RoleWelcome *w)
{
	s->welcome = true;
	if (w->key_now != 0)
		keyclock_take(&s->clock, w->key_now, clock_wall_ms() / 1000, keyclock_boot());
	log_info("signer.welcome", "revision=%llu map_revision=%llu",
	    (unsigned long long)w->revision, (unsigned long long)writer_revision(s->w));
	feed_welcome(s->feed);
	watch_feed(s);
}

/* With the keys here: zones of an earlier signer, whose policies may answer something else by now. */
static void
watch_old(struct signer *s)
{
	struct map_view view;

	if (writer_adopted(s->w)->zones == 0 || !writer_view(s->w, &view))
		return;
	watch_adopted(s->watch, &view);
	if (!watch_is_empty(s->watch))
		arm(s->health, 0);
}

static void
on_feed(struct signer *s, const Ns__Feed *feed)
{
	/* Of an earlier conversation, out of the socket's buffers: half of a change, and nobody waits
	 * for the acknowledgement. */
	if (!s->welcome)
		return;
	if (feed->start_over)
		s->ask_all = false;
	take_keys(s, feed);
	feed_apply(s->feed, feed);
	if (feed->publish && !s->adopted) {
		s->adopted = true;
		watch_old(s);
	}
	if (!aliasbook_is_empty(s->book) && !event_pending(s->health, EV_TIMEOUT, NULL))
		arm(s->health, WATCH_MS);
	s->current = s->current || feed->publish;
	send_ack(s, feed->seq);
	watch_feed(s);
}

static void
on_message(void *arg, const struct ns_peer *peer, const Ns__Envelope *env)
{
	struct signer *s = arg;

	(void)peer;
	switch (env->body_case) {
	case NS__ENVELOPE__BODY_ROLE_WELCOME:
		welcome(s, env->role_welcome);
		break;
	case NS__ENVELOPE__BODY_FEED:
		on_feed(s, env->feed);
		break;
	case NS__ENVELOPE__BODY_DIGEST_REQUEST:
		want_digest(s, env->id, env->digest_request);
		break;
	case NS__ENVELOPE__BODY_KEY_WORK:
		on_key_work(s, env->id, env->key_work);
		break;
	case NS__ENVELOPE__BODY_ZONE_SIGNATURES:
		on_zone_signatures(s, env->id, env->zone_signatures);
		break;
	case NS__ENVELOPE__BODY_ERROR:
		if (log_allowed(&s->log_limit, 1))
			log_warn("signer.error", "text=%s", log_quote(env->error->text));
		break;
	default:
		/* A newer sync may say what we do not know (design: ignored). */
		break;
	}
}

static void
on_link(void *arg, bool up)
{
	struct signer *s = arg;

	s->welcome = s->current = false;
	feed_reset(s->feed);
	digest_forget(s->digest);
	want_reclaim(s);
	watch_feed(s);
	if (up)
		send_hello(s);
	else
		log_warn("signer.bus", "text=\"sync is gone; what is served stays\"");
}

static void
on_renew(evutil_socket_t fd, short what, void *arg)
{
	struct signer *s = arg;

	(void)fd;
	(void)what;
	if (refresh_step(s->refresh, clock_mono_ns() + RENEW_SLICE_NS) ||
	    (s->file != NULL && sigfile_step(s->file, now_s(s), clock_mono_ns() + RENEW_SLICE_NS)))
		arm(s->renew, 0);
}

static void
on_alias(void *arg, const uint8_t *apex)
{
	watch_note(((struct signer *)arg)->watch, apex);
}

/* Zones whose policies look at a check that flipped, or whose ALIASes lead elsewhere, one after the other; then the next look. */
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
		if (!feed_refresh(s->feed, name, true))
			break;
		watch_done(s->watch, name);
	}
	if (!watch_is_empty(s->watch) || !aliasbook_is_empty(s->book))
		arm(s->health, watch_next(s->watch) != NULL ? 1 : WATCH_MS);
}

static void
on_second(evutil_socket_t fd, short what, void *arg)
{
	struct signer *s = arg;

	(void)fd;
	(void)what;
	digest_idle(s->digest, clock_mono_ns());
	if (refresh_sweep(s->refresh, now_s(s)))
		send_state(s);
	arm(s->renew, 0);
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

static void
make_events(struct signer *s)
{
	struct event_base *base = s->role->base;

	s->second = evtimer_new(base, on_second, s);
	s->reclaim = evtimer_new(base, on_reclaim, s);
	s->hold = evtimer_new(base, on_hold, s);
	s->retry = evtimer_new(base, on_retry, s);
	s->slice = evtimer_new(base, on_slice, s);
	s->huge = evtimer_new(base, on_huge, s);
	s->renew = evtimer_new(base, on_renew, s);
	s->health = evtimer_new(base, on_health, s);
	if (s->second == NULL || s->reclaim == NULL || s->hold == NULL || s->retry == NULL ||
	    s->slice == NULL || s->huge == NULL || s->renew == NULL || s->health == NULL)
		fatal("signer.loop", "text=\"no timers\"");
	s->retry_ms = RETRY_FIRST_MS;
}

static int
signer_run(struct role *role)
{
	struct signer *s = role->self;
	const struct feed_calls calls = { .ask = ask,
		.ask_all = ask_all,
		.published = published,
		.refused = refused,
		.staged = staged,
		.arg = s,
		.keys = keys_of,
		.now = now_s,
		.board = &s->board,
		.check = on_check,
		.book = s->book,
		.working = working,
		.file = s->file };
	struct ns_why why = { 0 };
	char *path = ns_bus_path(role_run_dir(role));

	ns_zmq_init();
	make_events(s);
	s->watch = watch_new();
	s->feed = feed_new(s->w, &calls);
	s->digest = digest_new(s->w, digest_reply, s);
	s->refresh = refresh_new(s->w, s->feed);
	s->bus = ns_dealer_connect(role->base, path, on_message, s, &why);
	if (s->bus == NULL)
		fatal("signer.bus", "path=%s text=%s", log_quote(path), log_quote(why.text));
	ns_sock_on_link(s->bus, on_link, s);
	free(path);
	want_reclaim(s);
	arm(s->second, SECOND_MS);
	role_ready(role);
	while (!role_stopping(role) && event_base_dispatch(role->base) == 0)
		continue;
	ns_sock_destroy(&s->bus);
	refresh_destroy(&s->refresh);
	watch_destroy(&s->watch);
	aliasbook_destroy(&s->book);
	board_unmap(&s->board);
	feed_destroy(&s->feed);
	sigfile_close(&s->file);
	digest_destroy(&s->digest);
	keystore_destroy(&s->keys);
	vault_close(&s->vault);
	for (size_t i = 0; i < 8; i++)
		event_free((struct event *[]){ s->second, s->reclaim, s->hold, s->retry, s->slice,
		    s->huge, s->renew, s->health }[i]);
	writer_close(&s->w);
	return role_stopping(role) ? 0 : 1;
}

static const struct role_ops signer_ops = {
	.id = ROLE_SIGNER,
	.name = "signer",
	.summary = "compiles zones into the zone map, from which all workers answer",
	.rules = &signer_rules,
	.open = signer_open,
	.run = signer_run,
};

int
main(int argc, char **argv)
{
	return role_main(&signer_ops, argc, argv);
}

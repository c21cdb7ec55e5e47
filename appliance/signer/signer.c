/* signer - compiles zones and is the only writer of the zone map.
 *
 * One loop, ZeroMQ's thread, and at a start one that verifies (sidecheck.h).  Started by the supervisor with the
 * map (read-write) and every worker's page (read-only); speaks to sync only:
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
#include "appliance/signer/keywork.h"
#include "appliance/signer/sandbox.h"
#include "appliance/signer/signer_internal.h"
#include "appliance/signer/signstate.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define CODE_DIGEST_BUSY  5020
#define ALIVE_NS          250000000ull
#define MAP_LIMIT_DEFAULT (8ull << 30)

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
	s->troubles = troubles_new();
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

/* ---- what the feed asks ---- */

static void
staged(void *arg, const uint8_t *name)
{
	struct signer *s = arg;

	digest_staged(s->digest, name);
}

uint32_t
signer_now(void *arg)
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
	want_look(s, WATCH_MS);
}

/* ---- digests ---- */

static void
want_digest(struct signer *s, uint64_t id, const Ns__DigestRequest *req)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__Error error = NS__ERROR__INIT;

	if (digest_ask(s->digest, id, req)) {
		want_soon(s->slice);
		return;
	}
	error.err_class = NS_UNAVAILABLE;
	error.code = CODE_DIGEST_BUSY;
	error.text = (char *)(uintptr_t) "too many digest requests wait";
	env.body_case = NS__ENVELOPE__BODY_ERROR;
	env.error = &error;
	say(s, id, &env);
}

/* ---- keys ---- */

void
signer_key_work(struct signer *s, uint64_t id, const Ns__KeyWork *work)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__KeyWorkDone done;
	struct ns_why why = s->no_vault;

	if (s->vault == NULL) {
		say_error(s, id, &why);
		return;
	}
	why = (struct ns_why){ 0 };
	if (keywork_do(s->vault, work, &done, &why) == NS_OK) {
		env.body_case = NS__ENVELOPE__BODY_KEY_WORK_DONE;
		env.key_work_done = &done;
		say(s, id, &env);
	} else {
		log_info("signer.key_work", "verb=%d code=%u text=%s", (int)work->verb, why.code,
		    log_quote(why.text));
		say_error(s, id, &why);
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

/* Its keys were there before the fleet key that opens them. */
static void
try_again(void *arg, const uint8_t *apex)
{
	struct signer *s = arg;

	if (troubles_end(s->troubles, TROUBLE_REFUSED, apex))
		keys_changed(s, apex);
}

static void
take_keyring(struct signer *s, const ProtobufCBinaryData *sealed)
{
	static const uint8_t root[] = { 0 };
	bool locked = !vault_has(s->vault, VAULT_ZSK);
	uint32_t before = vault_epoch(s->vault, VAULT_ZSK);
	struct ns_why why = { 0 };

	if (vault_take(s->vault, sealed->data, sealed->len, &why) != NS_OK) {
		log_error("signer.keyring", "text=%s", log_quote(why.text));
		troubles_set(s->troubles, TROUBLE_KEYRING, root, why.text);
		say_troubles(s);
		return;
	}
	if (troubles_end(s->troubles, TROUBLE_KEYRING, root))
		say_troubles(s);
	keystore_unload(s->keys);
	if (locked)
		keystore_each(s->keys, keys_changed, s);
	if (!locked && vault_epoch(s->vault, VAULT_ZSK) != before) {
		keystore_each(s->keys, try_again, s);
		say_troubles(s);
	}
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

		if (name_check(k->name.data, k->name.len) != k->name.len) {
			log_error("signer.keys", "text=\"keys of a zone without a name\"");
			continue;
		}
		feed_keys_change(s->feed, k->name.data);
		if (!keystore_put(s->keys, k->name.data, k->body.data, k->body.len))
			log_error("signer.keys", "zone=%s text=\"its keys cannot be read\"",
			    log_quote(name_to_text(k->name.data, text)));
		else
			keys_changed(s, k->name.data);
		if (k->body.len == 0) {
			say_opened(s, k->name.data);
			if (s->file != NULL)
				sigfile_wipe(s->file, k->name.data);
		}
	}
}

/* ---- the loop ---- */

static void
on_zone_signatures(struct signer *s, uint64_t id, const Ns__ZoneSignatures *in)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__ZoneSignatures out = *in;

	signstate_of_zone(s->w, signer_now(s), &out);
	env.body_case = NS__ENVELOPE__BODY_ZONE_SIGNATURES;
	env.zone_signatures = &out;
	say(s, id, &env);
}

static void
welcome(struct signer *s, const Ns__RoleWelcome *w)
{
	s->welcome = true;
	if (w->key_now != 0)
		keyclock_take(&s->clock, w->key_now, clock_wall_ms() / 1000, keyclock_boot());
	log_info("signer.welcome", "revision=%llu map_revision=%llu",
	    (unsigned long long)w->revision, (unsigned long long)writer_revision(s->w));
	feed_welcome(s->feed);
	want_feed(s);
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
		want_look(s, 0);
}

static void
on_feed(struct signer *s, const Ns__Feed *feed)
{
	/* Of an earlier conversation, out of the socket's buffers: half of a change, and nobody waits
	 * for the acknowledgement. */
	if (!s->welcome)
		return;
	if (feed->start_over) {
		s->ask_all = false;
		troubles_destroy(&s->troubles);
		s->troubles = troubles_new();
	}
	take_keys(s, feed);
	feed_apply(s->feed, feed);
	if (feed->publish && !s->adopted) {
		s->adopted = true;
		watch_old(s);
	}
	s->current = s->current || feed->publish;
	say_ack(s, feed->seq);
	want_feed(s);
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
		keyturn_put(s->turn, env->id, env->key_work);
		want_soon(s->work);
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
	keyturn_forget(s->turn);
	want_reclaim(s);
	want_feed(s);
	if (up)
		say_hello(s);
	else
		log_warn("signer.bus", "text=\"sync is gone; what is served stays\"");
}

static int
signer_run(struct role *role)
{
	struct signer *s = role->self;
	const struct feed_calls calls = { .ask = say_resync,
		.ask_all = say_resync_all,
		.published = say_published,
		.refused = say_refused,
		.fit = say_fit,
		.cut = say_alias,
		.staged = staged,
		.arg = s,
		.keys = keys_of,
		.now = signer_now,
		.board = &s->board,
		.check = on_check,
		.book = s->book,
		.working = working,
		.file = s->file };
	struct ns_why why = { 0 };
	char *path = ns_bus_path(role_run_dir(role));

	ns_zmq_init();
	timers_make(s);
	s->watch = watch_new();
	s->turn = keyturn_new();
	s->feed = feed_new(s->w, &calls);
	s->digest = digest_new(s->w, say_digest, s);
	s->refresh = refresh_new(s->w, s->feed);
	s->loads = (struct keyload){ .w = s->w,
		.feed = s->feed,
		.keys = s->keys,
		.signer = rrsigner_new(),
		.locked = say_locked,
		.opened = say_opened,
		.arg = s };
	s->bus = ns_dealer_connect(role->base, path, on_message, s, &why);
	if (s->bus == NULL)
		fatal("signer.bus", "path=%s text=%s", log_quote(path), log_quote(why.text));
	ns_sock_on_link(s->bus, on_link, s);
	free(path);
	want_reclaim(s);
	role_ready(role);
	while (!role_stopping(role) && event_base_dispatch(role->base) == 0)
		continue;
	ns_sock_destroy(&s->bus);
	refresh_destroy(&s->refresh);
	rrsigner_destroy(&s->loads.signer);
	watch_destroy(&s->watch);
	aliasbook_destroy(&s->book);
	troubles_destroy(&s->troubles);
	board_unmap(&s->board);
	feed_destroy(&s->feed);
	sigfile_close(&s->file);
	digest_destroy(&s->digest);
	keyturn_destroy(&s->turn);
	keystore_destroy(&s->keys);
	vault_close(&s->vault);
	timers_free(s);
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

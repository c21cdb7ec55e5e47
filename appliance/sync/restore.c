/* restore - see restore.h.  The session belongs to the loop, and to a reader thread while `busy`. */
#include "appliance/sync/restore.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/store/audit.h"
#include "appliance/store/backup.h"
#include "appliance/sync/backupkeys.h"
#include "appliance/sync/conn.h"
#include "appliance/sync/control.h"
#include "appliance/sync/dnssec.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/released.h"
#include "ipc/backup.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

#define SLICE_MS 20
#define IDLE_NS  5000000000ull /* see backup.c */
#define GONE_NS  60000000000ull

enum phase { PHASE_RECEIVE, PHASE_VERIFY, PHASE_READY };

struct restore {
	uint64_t id, used_ns;
	bool busy; /* a reader thread has it */
	bool confirmed; /* the store that is here may be lost */
	bool kept; /* its files are somebody else's now */
	enum phase phase;
	char *dir; /* of the store to be */
	int fd; /* its file, while it is received */
	uint64_t at;
	struct ns_backup_reader *reader;
	struct store *store;
	uint64_t cursor; /* of its verify */
	unsigned faults;
	char fault[256]; /* the first */
	const char *name; /* of this appliance */
	uint64_t term; /* of the store that is here */
	uint64_t started_ms; /* of the supervisor */
	Ns__BackupInfo info; /* what it became, for the client */
	uint8_t
	    public_key[DNSSEC_X25519]; /* of this appliance, for the fleet keys that will come */
	struct wbuf sealed; /* they */
};

static struct restore *current; /* loop */
static bool scrapping; /* a reader thread removes what was received; nobody begins meanwhile */
static struct request *decided; /* waits for the rename */
static uint64_t last_id;

static char *
restore_dir(const char *data)
{
	return xasprintf("%s/restore", data);
}

static void
restore_free(struct restore **xp)
{
	struct restore *x = *xp;

	if (x == NULL)
		return;
	store_close(&x->store);
	if (x->fd >= 0)
		close(x->fd);
	ns_backup_reader_destroy(&x->reader);
	wbuf_free(&x->sealed);
	if (!x->kept)
		store_remove(x->dir);
	free(x->dir);
	free(x);
	*xp = NULL;
}

/* ---- reader thread: receiving ---- */

static enum ns_err
disk_failed(struct ns_why *why, const char *what)
{
	return ns_fail(
	    why, NS_UNAVAILABLE, ES_RESTORE, "%s: %s; nothing was changed", what, strerror(errno));
}

static enum ns_err
write_image(void *arg, const void *data, size_t len, struct ns_why *why)
{
	struct restore *x = arg;
	const uint8_t *at = data;

	if (ns_backup_info(x->reader)->store_version > STORE_SCHEMA)
		return ns_fail(why, NS_VERSION, ES_RESTORE,
		    "the backup holds a store of version %u, this software (%s) knows %d: use the "
		    "release that made it (%.64s), or a newer one",
		    ns_backup_info(x->reader)->store_version, NS_RELEASE, STORE_SCHEMA,
		    ns_backup_info(x->reader)->software);
	while (len > 0) {
		ssize_t n = pwrite(x->fd, at, len, (off_t)x->at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return disk_failed(why, "the backup cannot be stored here");
		at += n;
		len -= (size_t)n;
		x->at += (uint64_t)n;
	}
	return NS_OK;
}

static enum ns_err
receive_begin(struct restore *x, struct ns_why *why)
{
	char *path = xasprintf("%s/store.db", x->dir);

	store_remove(x->dir);
	if (mkdir(x->dir, 0700) == 0)
		x->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	free(path);
	if (x->fd < 0)
		return disk_failed(why, "the directory for the restored store cannot be made");
	x->reader = ns_backup_reader_new(write_image, x);
	return NS_OK;
}

static enum ns_err
receive(struct request *r, struct restore *x)
{
	const Ns__BackupRestoreRequest *m = r->env->backup_restore_request;
	enum ns_err err = x->reader == NULL ? receive_begin(x, &r->why) : NS_OK;
	Ns__TextChunk *ok;

	if (err == NS_OK)
		err = ns_backup_read(x->reader, m->data.data, m->data.len, &r->why);
	if (err != NS_OK)
		return err;
	if (!m->last) {
		ok = xmalloc(sizeof *ok);
		ns__text_chunk__init(ok);
		ok->session = x->id;
		if (m->keys) {
			ok->seal_to.data = xmemdup(x->public_key, sizeof x->public_key);
			ok->seal_to.len = sizeof x->public_key;
		}
		request_reply(r, NS__ENVELOPE__BODY_TEXT_CHUNK, ok);
		return NS_OK;
	}
	if ((err = ns_backup_end(x->reader, &r->why)) != NS_OK)
		return err;
	if (fsync(x->fd) != 0)
		return disk_failed(&r->why, "the backup cannot be stored here");
	close(x->fd);
	x->fd = -1;
	x->sealed = wbuf_grow(m->sealed.len);
	wbuf_put(&x->sealed, m->sealed.data, m->sealed.len);
	x->phase = PHASE_VERIFY;
	return store_open(x->dir, STORE_WRITE, sync_vfs(), &x->store, &r->why);
}

/* ---- reader thread: verifying, and the new term ---- */

static void
verify_fault(void *arg, const char *what, const char *zone, const char *text)
{
	struct restore *x = arg;

	if (x->faults++ == 0)
		snprintf(x->fault, sizeof x->fault, "%s %s%s%s", what, zone,
		    zone[0] != '\0' ? " " : "", text);
}

/* The header was written beside the image: they must mean the same store. */
static enum ns_err
same_store(struct restore *x, struct store_change *head, struct ns_why *why)
{
	const Ns__BackupInfo *info = ns_backup_info(x->reader);
	uint64_t term;
	enum ns_err err = store_head(x->store, &head->revision, &term, head->hash);
	char *hex = reply_hex(head->hash, STORE_HASH);
	bool same =
	    err == NS_OK && head->revision == info->revision && strcmp(hex, info->head) == 0;

	free(hex);
	if (err != NS_OK)
		return err;
	if (!same)
		return ns_fail(why, NS_INVALID, ES_RESTORE,
		    "the backup's header and the store in it do not belong together");
	if (x->term < term)
		x->term = term;
	return NS_OK;
}

static enum ns_err
put_facts(struct restore *x, struct ns_why *why)
{
	char term[24], started[24], *old = NULL;
	enum ns_err err;

	/* Above all that was known here and there: what a replica of either has can be told from it. */
	if (store_fact_get(x->store, "term", &old) == NS_OK && strtoull(old, NULL, 10) > x->term)
		x->term = strtoull(old, NULL, 10);
	free(old);
	x->term++;
	snprintf(term, sizeof term, "%llu", (unsigned long long)x->term);
	snprintf(started, sizeof started, "%llu", (unsigned long long)x->started_ms);
	err = store_fact_put(x->store, "term", term, why);
	if (err == NS_OK)
		err = store_fact_put(x->store, "role", "primary", why);
	if (err == NS_OK)
		err = store_fact_put(x->store, "name", x->name, why);
	if (err == NS_OK)
		err = store_fact_put(x->store, RESTORED_FACT, started, why);
	if (err == NS_OK)
		err = store_fact_put(x->store, RELEASED_FACT, "", why);
	return err;
}

/* Who was here before, he who restores among them, is not taken back. */
static enum ns_err
keep_audit(struct restore *x, const char *dir, struct ns_why *why)
{
	struct store *here = NULL;
	enum ns_err err = store_open(dir, STORE_READ, sync_vfs(), &here, NULL);

	if (err != NS_OK) /* it may be why one restores */
		log_warn(
		    "restore.audit", "err=%d text=\"what was done here is not kept\"", (int)err);
	err = store_audit_take(x->store, err == NS_OK ? here : NULL, why);
	if (here != NULL)
		store_close(&here);
	return err;
}

/* A change of its own: the history says what happened, and its hash tells this history from the one
 * that went on elsewhere after the backup. */
static enum ns_err
put_change(struct restore *x, const struct caller *who, struct store_change *c, struct ns_why *why)
{
	const Ns__BackupInfo *info = ns_backup_info(x->reader);
	Ns__ChangeBody body = NS__CHANGE_BODY__INIT;
	Ns__ChangeBody__Object *ring = NULL;
	enum ns_err err = NS_OK;
	uint8_t *packed;

	*c = (struct store_change){ .term = x->term, .at_ms = clock_wall_ms(), .kind = "restore" };
	change_by(c, who);
	snprintf(c->comment, sizeof c->comment, "backup of %.255s, made %.64s, revision %llu",
	    info->appliance, info->made, (unsigned long long)info->revision);
	if (x->sealed.len > 0) {
		err = backupkeys_adopt(
		    x->store, x->name, info->revision + 1, x->public_key, &x->sealed, &ring, why);
		body.objects = &ring;
		body.n_objects = ring != NULL;
	}
	packed = xmalloc(ns__change_body__get_packed_size(&body) + 1);
	if (err == NS_OK)
		err = store_change_append(
		    x->store, c, packed, ns__change_body__pack(&body, packed), NULL, 0, why);
	if (ring != NULL)
		protobuf_c_message_free_unpacked(&ring->base, NULL);
	free(packed);
	return err;
}

static void
reply_ready(struct request *r, struct restore *x, const struct store_change *c)
{
	Ns__BackupInfo info = *ns_backup_info(x->reader);
	Ns__TextChunk *m = xmalloc(sizeof *m);

	ns__text_chunk__init(m);
	info.revision = c->revision;
	info.term = c->term;
	info.keys = x->sealed.len > 0;
	info.fleet_keys = NULL;
	m->session = x->id;
	m->text.len = ns__backup_info__get_packed_size(&info);
	m->text.data = xmalloc(m->text.len + 1);
	ns__backup_info__pack(&info, m->text.data);
	request_reply(r, NS__ENVELOPE__BODY_TEXT_CHUNK, m);
}

static enum ns_err
adopt(struct request *r, struct restore *x)
{
	struct store_change head = { 0 }, c;
	enum ns_err err = same_store(x, &head, &r->why);

	if (err == NS_OK)
		err = store_begin(x->store, &r->why);
	if (err != NS_OK)
		return err;
	err = keep_audit(x, r->store_dir, &r->why);
	if (err == NS_OK)
		err = put_facts(x, &r->why);
	if (err == NS_OK)
		err = put_change(x, &r->caller, &c, &r->why);
	if (err != NS_OK) {
		store_rollback(x->store);
		return err;
	}
	if ((err = store_commit(x->store, &r->why)) != NS_OK)
		return err;
	store_close(&x->store);
	x->phase = PHASE_READY;
	reply_ready(r, x, &c);
	return NS_OK;
}

static enum ns_err
verify_slice(struct request *r, struct restore *x)
{
	enum ns_err err = store_verify_step(x->store, &x->cursor, SLICE_MS, verify_fault, x);

	if (x->faults > 0 || err == NS_CORRUPT)
		return ns_fail(&r->why, NS_INVALID, ES_RESTORE,
		    "the store in the backup does not keep its own rules: %s",
		    x->faults > 0 ? x->fault : ns_err_text(err));
	if (err != NS_OK)
		return ns_fail(&r->why, err, ES_RESTORE, "the restored store cannot be read: %s",
		    ns_err_text(err));
	return x->cursor == 0 ? adopt(r, x) : NS_OK;
}

static void
restore_work(struct job *job, void *thread)
{
	struct request *r = (struct request *)job;
	struct restore *x = r->state;

	(void)thread;
	if (request_expired(r))
		return;
	r->err = x->phase == PHASE_RECEIVE ? receive(r, x) : verify_slice(r, x);
	/* What failed is no use; the loop shall not wait for the removal of a large file. */
	if (r->err != NS_OK) {
		store_close(&x->store);
		store_remove(x->dir);
	}
}

/* ---- loop ---- */

static void
end_restore(void *thing)
{
	struct restore *x = thing;

	restore_free(&x);
}

static void
scrapped(void)
{
	scrapping = false;
}

/* A large file takes its time to go. */
static void
scrap(struct sync *s)
{
	struct restore *old = current;

	if (current == NULL)
		return;
	current = NULL;
	scrapping = true;
	queue_dispose(s->reads, LANE_BULK, end_restore, old, scrapped);
}

void
restore_tick(struct sync *s, uint64_t now_ns)
{
	if (current != NULL && !current->busy && now_ns > current->used_ns + GONE_NS)
		scrap(s);
}

static void
push(struct sync *s, struct request *r, struct restore *x)
{
	x->busy = queue_push(s->reads, LANE_BULK, &r->job);
	if (x->busy)
		return;
	r->state = NULL;
	request_refuse(
	    s, r, NS_UNAVAILABLE, ES_BUSY, "busy: too many requests are waiting; try again");
}

static void
restore_done(struct job *job, struct sync *s)
{
	struct request *r = (struct request *)job;
	struct restore *x = r->state;

	x->busy = false;
	x->used_ns = clock_mono_ns();
	if (r->err == NS_OK && r->reply == NULL && !atomic_load(&r->cancelled)) {
		push(s, r, x);
		return;
	}
	r->state = NULL;
	if (r->err == NS_OK && x->phase == PHASE_READY && !atomic_load(&r->cancelled)) {
		decided = r;
		event_base_loopbreak(s->role->base);
		return;
	}
	if (r->err != NS_OK || atomic_load(&r->cancelled))
		scrap(s);
	request_finish(s, r);
}

static bool
admitted(struct sync *s, struct request *r)
{
	const Ns__BackupRestoreRequest *m = r->env->backup_restore_request;
	char text[512];

	if (strcmp(s->head.role, "primary") != 0) {
		request_refuse(s, r, NS_DENIED, ES_REPLICA,
		    "this is a replica, which has its zones from its primary: restore there, or "
		    "start "
		    "a fresh appliance");
		return false;
	}
	if (m->keys && dnssec_trouble() != NULL) {
		request_refuse(s, r, NS_UNAVAILABLE, ES_NO_SIGNER, dnssec_trouble());
		return false;
	}
	if (!s->head.used || strcmp(m->confirm, s->name) == 0)
		return true;
	snprintf(text, sizeof text,
	    "this appliance has %llu zones and %llu changes, which would be gone: to replace them "
	    "by "
	    "the backup's, say --confirm=%.128s (and take a backup of what is here first)",
	    (unsigned long long)s->head.zones, (unsigned long long)s->head.revision, s->name);
	request_refuse(s, r, NS_CONFIRM, ES_CONFIRM, text);
	return false;
}

static struct restore *
restore_new(const struct sync *s, const struct request *r)
{
	struct restore *x = xcalloc(1, sizeof *x);

	x->id = ++last_id;
	x->fd = -1;
	x->dir = restore_dir(s->store_dir);
	x->name = s->name;
	x->term = s->head.term;
	x->started_ms = s->start->started_mono_ms;
	if (dnssec_public() != NULL)
		memcpy(x->public_key, dnssec_public(), sizeof x->public_key);
	x->confirmed = strcmp(r->env->backup_restore_request->confirm, s->name) == 0;
	return x;
}

void
restore_request(struct sync *s, struct request *r)
{
	uint64_t id = r->env->backup_restore_request->session, now = clock_mono_ns();

	if (decided != NULL || scrapping ||
	    (current != NULL && (current->busy || (id == 0 && now - current->used_ns < IDLE_NS)))) {
		request_refuse(s, r, NS_UNAVAILABLE, ES_BUSY, "busy: another restore is running");
		return;
	}
	if (id != 0 && (current == NULL || current->id != id)) {
		request_refuse(s, r, NS_NOTFOUND, ES_NO_SESSION,
		    "that restore is not under way any more: begin anew");
		return;
	}
	if (id == 0) {
		if (!admitted(s, r))
			return;
		/* One that was given up: the new one removes its file, in a reader thread. */
		if (current != NULL)
			current->kept = true;
		restore_free(&current);
		current = restore_new(s, r);
	}
	r->state = current;
	r->job.work = restore_work;
	r->job.done = restore_done;
	push(s, r, current);
}

void
restore_sweep(const char *data)
{
	char *dir = restore_dir(data);

	store_remove(dir);
	free(dir);
}

bool
restore_decided(void)
{
	return decided != NULL;
}

void
restore_finish(struct sync *s, bool used)
{
	struct request *r = decided;
	struct restore *x = current;

	current = NULL;
	decided = NULL;
	if (r != NULL) {
		if (used && !x->confirmed)
			r->err = ns_fail(&r->why, NS_CONFLICT, ES_RESTORE,
			    "an edit was committed while the backup was read: this appliance is "
			    "not "
			    "empty any more; nothing was restored");
		else
			r->err = store_replace(s->store_dir, x->dir, &r->why);
		log_info("restore", "err=%d term=%llu text=%s", r->err, (unsigned long long)x->term,
		    log_quote(r->why.text));
		request_finish(s, r);
	}
	if (x != NULL && !x->busy)
		restore_free(&x);
}

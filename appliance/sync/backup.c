/* backup - see backup.h.  The session belongs to the loop, and to a reader thread while `busy`. */
#include "appliance/sync/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/store/backup.h"
#include "appliance/sync/backupkeys.h"
#include "appliance/sync/control.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/reader.h"
#include "appliance/sync/residency.h"
#include "ipc/backup.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define SLICE_MS 20
#define IDLE_NS  5000000000ull /* a client that is silent for so long has no claim to it, */
#define GONE_NS  60000000000ull /* and for so long is gone: its copy takes room on the disk */

struct backup {
	uint64_t id;
	uint64_t used_ns; /* last request */
	bool busy; /* a reader thread has it */
	bool over; /* everything was handed out, or it failed */
	char *path; /* of the copy, while it has a name */
	struct store *store; /* of its own, while it copies */
	struct store_backup *copy;
	int fd; /* the copy; -1: not yet */
	struct ns_backup_writer *writer;
	Ns__BackupInfo info;
	uint64_t at; /* octets of the image handed out */
	int64_t made_ms; /* wall clock */
	const char *appliance;
	bool want_keys; /* … sealed to: */
	uint8_t seal_to[32];
	uint32_t epoch; /* of the newest fleet key in the copy; 0: there is none */
	Ns__FleetKeys keys;
	uint8_t salt[64];
};

static struct backup *current; /* loop */
static uint64_t last_id;

static void
backup_free(struct backup **bp)
{
	struct backup *b = *bp;

	if (b == NULL)
		return;
	store_backup_end(&b->copy);
	store_close(&b->store);
	if (b->path != NULL)
		(void)unlink(b->path);
	if (b->fd >= 0)
		close(b->fd);
	ns_backup_writer_destroy(&b->writer);
	free(b->info.made);
	free(b->info.head);
	for (size_t i = 0; i < b->info.n_residencies; i++)
		free(b->info.residencies[i]);
	free(b->info.residencies);
	free(b->keys.sealed.data);
	free(b->path);
	free(b);
	*bp = NULL;
}

/* ---- reader thread: the copy ---- */

static enum ns_err
describe(struct backup *b, struct ns_why *why)
{
	uint8_t head[STORE_HASH];
	enum ns_err err = store_head(b->store, &b->info.revision, &b->info.term, head);
	char *term = NULL;

	if (err != NS_OK)
		return read_failed(why, err);
	/* A promotion or a restore may have raised the term without a change since. */
	if (store_fact_get(b->store, "term", &term) == NS_OK)
		b->info.term = strtoull(term, NULL, 10);
	free(term);
	b->info.zones = store_zone_count(b->store);
	err = backupkeys_describe(b->store, b->appliance, &b->info.signed_zones, &b->epoch);
	if (err != NS_OK)
		return read_failed(why, err);
	err = residency_describe(b->store, &b->info.residencies, &b->info.n_residencies);
	if (err != NS_OK)
		return read_failed(why, err);
	b->info.software = (char *)(uintptr_t) "nameserve " NS_RELEASE;
	b->info.store_version = STORE_SCHEMA;
	b->info.appliance = (char *)(uintptr_t)b->appliance;
	b->made_ms = clock_wall_ms();
	b->info.made = reply_time(b->made_ms);
	b->info.head = reply_hex(head, sizeof head);
	return NS_OK;
}

static enum ns_err
copy_begin(struct request *r, struct backup *b)
{
	enum ns_err err = store_open(r->store_dir, STORE_READ, sync_vfs(), &b->store, &r->why);

	(void)unlink(b->path);
	if (err == NS_OK)
		err = store_begin(b->store, &r->why);
	if (err == NS_OK)
		err = describe(b, &r->why);
	if (err == NS_OK)
		err = store_backup_begin(b->store, b->path, &b->copy, &r->why);
	return err;
}

/* All is copied: the snapshot ends, and the file has no name that a crash could leave behind. */
static enum ns_err
copy_end(struct request *r, struct backup *b)
{
	struct stat st;

	store_backup_end(&b->copy);
	store_rollback(b->store);
	store_close(&b->store);
	b->fd = open(b->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (b->fd < 0 || fstat(b->fd, &st) != 0)
		return ns_fail(&r->why, NS_UNAVAILABLE, ES_BACKUP, "%s cannot be read: %s", b->path,
		    strerror(errno));
	(void)unlink(b->path);
	free(b->path);
	b->path = NULL;
	b->info.octets = (uint64_t)st.st_size;
	return NS_OK;
}

static enum ns_err
copy_slice(struct request *r, struct backup *b)
{
	bool done = false;
	enum ns_err err = b->copy == NULL ? copy_begin(r, b) : NS_OK;

	if (err == NS_OK)
		err = store_backup_step(b->copy, SLICE_MS, &done, &r->why);
	return err == NS_OK && done ? copy_end(r, b) : err;
}

/* ---- reader thread: a chunk ---- */

static enum ns_err
put_image(struct request *r, struct backup *b, struct wbuf *out)
{
	uint64_t left = b->info.octets - b->at;
	size_t want = left < NS_CHUNK ? (size_t)left : NS_CHUNK;
	uint8_t *buf = xmalloc(NS_CHUNK);
	ssize_t n = pread(b->fd, buf, want, (off_t)b->at);

	if (n < 0 || (n == 0 && want > 0)) {
		free(buf);
		return ns_fail(&r->why, NS_UNAVAILABLE, ES_BACKUP, "the copy cannot be read: %s",
		    n < 0 ? strerror(errno) : "it is shorter than it was");
	}
	ns_backup_put_image(b->writer, buf, (size_t)n, out);
	b->at += (uint64_t)n;
	free(buf);
	return NS_OK;
}

static enum ns_err
put_chunk(struct request *r, struct backup *b)
{
	struct wbuf out = wbuf_grow(2 * NS_CHUNK);
	Ns__TextChunk *m;
	enum ns_err err;

	if (b->writer == NULL) {
		b->writer = ns_backup_writer_new();
		ns_backup_put_head(b->writer, &b->info, &out);
	}
	if ((err = put_image(r, b, &out)) != NS_OK) {
		wbuf_free(&out);
		return err;
	}
	b->over = b->at == b->info.octets;
	if (b->over)
		ns_backup_put_tail(b->writer, &out);
	m = xmalloc(sizeof *m);
	ns__text_chunk__init(m);
	m->text = (ProtobufCBinaryData){ .len = out.len, .data = xmemdup(out.base, out.len) };
	m->session = b->id;
	m->left = b->over ? 0 : b->info.octets - b->at + NS_BACKUP_SUM;
	request_reply(r, NS__ENVELOPE__BODY_TEXT_CHUNK, m);
	wbuf_free(&out);
	return NS_OK;
}

/* The time of the newest backup is that of a file: status shall know it after a restart, too. */
static void
remember(const char *dir, int64_t made_ms)
{
	const struct timespec at[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = made_ms / 1000, .tv_nsec = made_ms % 1000 * 1000000 } };
	char *path = xasprintf("%s/backup.made", dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0) {
		(void)futimens(fd, at);
		close(fd);
	}
	free(path);
}

/* The copy is whole, the fleet keys that belong into its header are not there yet. */
static bool
lacks_keys(const struct backup *b)
{
	return b->fd >= 0 && b->want_keys && b->epoch != 0 && !b->info.keys;
}

static void
backup_work(struct job *job, void *thread)
{
	struct request *r = (struct request *)job;
	struct backup *b = r->state;

	(void)thread;
	if (request_expired(r))
		return;
	r->err = b->fd < 0 ? copy_slice(r, b) : NS_OK;
	if (r->err == NS_OK && b->fd >= 0 && !lacks_keys(b))
		r->err = put_chunk(r, b);
	if (r->err == NS_OK && b->over)
		remember(r->store_dir, b->made_ms);
}

/* ---- loop ---- */

static void
end_backup(void *thing)
{
	struct backup *b = thing;

	backup_free(&b);
}

/* A large file takes its time to go. */
static void
scrap(struct sync *s)
{
	struct backup *old = current;

	if (current == NULL)
		return;
	current = NULL;
	queue_dispose(s->reads, LANE_BULK, end_backup, old, NULL);
}

static void
push(struct sync *s, struct request *r, struct backup *b)
{
	b->busy = queue_push(s->reads, LANE_BULK, &r->job);
	if (b->busy)
		return;
	r->state = NULL;
	request_refuse(
	    s, r, NS_UNAVAILABLE, ES_BUSY, "busy: too many requests are waiting; try again");
}

static void backup_done(struct job *, struct sync *);

/* Asked when the copy is whole, so that they open all that is in it: the signer keeps old ones for longer. */
static void
keys_sealed(struct sync *s, void *arg, const ProtobufCBinaryData *sealed, enum ns_err err,
    const struct ns_why *why)
{
	struct request *r = arg;
	struct backup *b = r->state;

	if (err != NS_OK) {
		r->err = err;
		r->why = *why;
	} else if (!backupkeys_new_enough(sealed, b->epoch)) {
		r->err = ns_fail(&r->why, NS_UNAVAILABLE, ES_BUSY,
		    "the fleet keys are just being changed: try again");
	} else {
		b->keys.sealed.data = xmemdup(sealed->data, sealed->len);
		b->keys.sealed.len = sealed->len;
		b->info.fleet_keys = &b->keys;
		b->info.keys = true;
	}
	backup_done(&r->job, s);
}

static void
backup_done(struct job *job, struct sync *s)
{
	struct request *r = (struct request *)job;
	struct backup *b = r->state;

	b->busy = false;
	b->used_ns = clock_mono_ns();
	if (r->err == NS_OK && r->reply == NULL && !atomic_load(&r->cancelled)) {
		b->busy = lacks_keys(b);
		if (b->busy)
			backupkeys_ask(s, b->seal_to, keys_sealed, r);
		else
			push(s, r, b);
		return;
	}
	r->state = NULL;
	if (r->err != NS_OK || atomic_load(&r->cancelled) || b->over) {
		if (r->err == NS_OK && b->over) {
			s->head.backup_ms = b->made_ms;
			log_info("backup.done", "revision=%llu zones=%llu octets=%llu user=%s",
			    (unsigned long long)b->info.revision, (unsigned long long)b->info.zones,
			    (unsigned long long)b->info.octets, log_quote(r->caller.name));
		}
		scrap(s);
	}
	request_finish(s, r);
}

static struct backup *
backup_new(const struct sync *s, const Ns__BackupRequest *m)
{
	struct backup *b = xcalloc(1, sizeof *b);

	b->id = ++last_id;
	b->fd = -1;
	b->path = xasprintf("%s/backup.tmp", s->store_dir);
	b->appliance = s->name;
	ns__backup_info__init(&b->info);
	b->info.made = b->info.head = NULL; /* ours to free from here on */
	if (m->fleet_keys == NULL)
		return b;
	b->want_keys = true;
	memcpy(b->seal_to, m->seal_to.data, sizeof b->seal_to);
	b->keys = *m->fleet_keys;
	memcpy(b->salt, m->fleet_keys->salt.data, m->fleet_keys->salt.len);
	b->keys.salt.data = b->salt;
	b->keys.sealed = (ProtobufCBinaryData){ 0 };
	return b;
}

void
backup_request(struct sync *s, struct request *r)
{
	const Ns__BackupRequest *m = r->env->backup_request;
	uint64_t id = m->session, now = clock_mono_ns();

	if (id == 0 && m->fleet_keys != NULL &&
	    (r->err = backupkeys_check(m->fleet_keys, &m->seal_to, &r->why)) != NS_OK) {
		request_finish(s, r);
		return;
	}
	if (current != NULL && (current->busy || (id == 0 && now - current->used_ns < IDLE_NS))) {
		request_refuse(s, r, NS_UNAVAILABLE, ES_BUSY, "busy: another backup is running");
		return;
	}
	if (id == 0) {
		scrap(s);
		current = backup_new(s, m);
	} else if (current == NULL || current->id != id) {
		request_refuse(s, r, NS_NOTFOUND, ES_NO_SESSION,
		    "that backup is not under way any more: begin anew");
		return;
	}
	r->state = current;
	r->job.work = backup_work;
	r->job.done = backup_done;
	push(s, r, current);
}

void
backup_tick(struct sync *s, uint64_t now_ns)
{
	if (current != NULL && !current->busy && now_ns > current->used_ns + GONE_NS)
		scrap(s);
}

void
backup_sweep(const char *data)
{
	static const char *const left[] = { "backup.tmp", "backup.tmp-journal" };

	for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
		char *path = xasprintf("%s/%s", data, left[i]);

		(void)unlink(path);
		free(path);
	}
}

int64_t
backup_last(const char *data)
{
	char *path = xasprintf("%s/backup.made", data);
	struct stat st;
	bool made = lstat(path, &st) == 0 && S_ISREG(st.st_mode);

	free(path);
	return made ? (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000 : 0;
}

void
backup_stop(void)
{
	if (current != NULL && !current->busy)
		backup_free(&current);
	current = NULL;
}

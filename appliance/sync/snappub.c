/* snappub - see snappub.h. */
#include "appliance/sync/snappub.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/sync/gate.h"
#include "appliance/sync/reader.h"
#include "appliance/sync/snapwrite.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

struct file {
	struct snap_made made;
	uint64_t used_ns;
};
struct snaps {
	char *dir;
	struct file files[SNAP_FILES];
	size_t count;
	struct queue *queue;
	struct pool *thread;
	atomic_bool stop;
	bool busy; /* the thread looks, or writes */
	uint64_t failed_ns;
};

/* ---- before the sandbox ---- */
static struct {
	char names[SNAP_FILES][SNAP_NAME];
	size_t count;
	char part[320]; /* one that was on its way here */
} found;

static bool
is_file(const char *name, const char *suffix)
{
	size_t hex = strspn(name, "0123456789abcdef");

	return hex == SNAP_NAME - 1 && strcmp(name + hex, suffix) == 0;
}

void
snap_sweep(const char *data)
{
	char *dir = xasprintf("%s/" SNAP_DIR, data);
	struct dirent *e;
	DIR *d = opendir(dir);

	if (d == NULL && errno == ENOENT)
		(void)mkdir(dir, 0700);
	found.count = 0;
	while (d != NULL && (e = readdir(d)) != NULL) {
		char *path = xasprintf("%s/%s", dir, e->d_name);

		if (is_file(e->d_name, "") && found.count < SNAP_FILES)
			snprintf(found.names[found.count++], SNAP_NAME, "%.*s", (int)SNAP_NAME - 1,
			    e->d_name);
		else if (is_file(e->d_name, SNAP_PART) && found.part[0] == '\0')
			snprintf(found.part, sizeof found.part, "%s", path);
		else if (e->d_name[0] != '.')
			(void)unlink(path);
		free(path);
	}
	if (d != NULL)
		closedir(d);
	free(dir);
}

/* ---- files ---- */
static void
end_file(void *thing)
{
	char *path = thing;

	(void)unlink(path);
	free(path);
}

/* A large one takes its time. */
static void
drop_file(struct sync *s, size_t i)
{
	struct snaps *x = s->fleet->snaps;

	log_info("snapshot.dropped", "revision=%llu file=%.16s",
	    (unsigned long long)x->files[i].made.revision, x->files[i].made.name);
	queue_dispose(
	    x->queue, LANE_BULK, end_file, xasprintf("%s/%s", x->dir, x->files[i].made.name), NULL);
	x->files[i] = x->files[--x->count];
}

static void
add_file(struct sync *s, const struct snap_made *made, uint64_t now_ns)
{
	struct snaps *x = s->fleet->snaps;
	size_t oldest = 0;

	for (size_t i = 0; i < x->count; i++) {
		if (memcmp(x->files[i].made.digest, made->digest, SNAP_DIGEST) == 0)
			return;
		if (x->files[i].used_ns < x->files[oldest].used_ns)
			oldest = i;
	}
	if (x->count == SNAP_FILES)
		drop_file(s, oldest);
	x->files[x->count++] = (struct file){ *made, now_ns };
}

static struct file *
find_file(struct snaps *x, const uint8_t *digest, size_t len)
{
	for (size_t i = 0; i < x->count && len == SNAP_DIGEST; i++)
		if (memcmp(x->files[i].made.digest, digest, SNAP_DIGEST) == 0)
			return &x->files[i];
	return NULL;
}

/* Whoever takes it goes on from there by the log. */
static bool
is_fresh(const struct sync *s, const struct snap_made *made)
{
	struct snap_place p = { .from = made->revision,
		.head = s->head.revision,
		.begins = s->head.begins,
		.zones = made->zones,
		.octets = made->octets };

	return made->revision <= s->head.revision && snap_choose(&p) == SNAP_REPLAY;
}

size_t
snaps_needs(const struct sync *s, uint64_t now_ns, struct snap_need *out)
{
	const struct snaps *x = s->fleet->snaps;

	for (size_t i = 0; x != NULL && i < x->count; i++)
		out[i] = (struct snap_need){ x->files[i].made.revision + 1,
			clock_since(now_ns, x->files[i].used_ns) < s->prune.need_ns };
	return x != NULL ? x->count : 0;
}

/* ---- the thread ---- */
/* Is there one for that site; if not, make it. */
struct make_job {
	struct job job;
	const char *dir;
	const atomic_bool *stop;
	char name[FLEET_NAME], site[FLEET_NAME];
	uint64_t session, term;
	size_t count; /* those that are fresh */
	struct snap_made files[SNAP_FILES];
	bool made; /* a new one, or `files[0]` is the one */
	enum ns_err err;
	struct ns_why why;
};

static enum ns_err
view_now(struct store *s, const char *site, uint8_t view[SNAP_DIGEST])
{
	struct residency *residency = NULL;
	enum ns_err err = store_begin(s, NULL);

	if (err != NS_OK)
		return err;
	if ((err = residency_load(s, &residency)) == NS_OK)
		err = snap_view(s, residency, site, view);
	store_rollback(s);
	residency_free(&residency);
	return err;
}

/* Of the history that is here now: a backup may have been restored. */
static bool
is_ours(struct store *s, const struct snap_made *made)
{
	struct store_change c;

	return store_change_get(s, made->revision, &c, NULL) == NS_OK &&
	       memcmp(c.hash, made->hash, STORE_HASH) == 0;
}

static void
make_work(struct job *job, void *thread)
{
	struct make_job *j = (struct make_job *)job;
	uint8_t view[SNAP_DIGEST];

	j->err = view_now(thread, j->site, view);
	for (size_t i = 0; i < j->count && j->err == NS_OK; i++) {
		if (memcmp(j->files[i].view, view, SNAP_DIGEST) != 0 ||
		    !is_ours(thread, &j->files[i]))
			continue;
		j->files[0] = j->files[i];
		return;
	}
	j->made = true;
	if (j->err == NS_OK)
		j->err =
		    snap_write(thread, j->dir, j->site, j->term, j->stop, &j->files[0], &j->why);
}

/* ---- offers ---- */
static void
say_offer(struct sync *s, const struct follower *fo, const struct snap_made *made)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetSnapshot out = NS__FLEET_SNAPSHOT__INIT;

	if (fleet_is_replica(s))
		return; /* by now: its history may have lost, and the word would be one of the newer term */
	if (made != NULL) {
		out.file = (ProtobufCBinaryData){ SNAP_DIGEST, (uint8_t *)(uintptr_t)made->digest };
		out.octets = made->octets;
		out.revision = made->revision;
	}
	env.body_case = NS__ENVELOPE__BODY_FLEET_SNAPSHOT;
	env.fleet_snapshot = &out;
	pub_send(s, &fo->peer, &env);
}

static void
make_done(struct job *job, struct sync *s)
{
	struct make_job *j = (struct make_job *)job;
	struct snaps *x = s->fleet->snaps;
	struct follower *fo = pub_follower(s->fleet, j->name);
	struct snap_made *made = &j->files[0];
	uint64_t now = clock_mono_ns();

	x->busy = false;
	if (j->err != NS_OK) {
		x->failed_ns = now;
		log_error("snapshot.make", "site=%s err=%d text=%s", log_quote(j->site),
		    (int)j->err, log_quote(j->why.text));
	} else if (j->made) {
		log_info("snapshot.made", "revision=%llu octets=%llu site=%s file=%.16s",
		    (unsigned long long)made->revision, (unsigned long long)made->octets,
		    log_quote(j->site), made->name);
		add_file(s, made, now);
	}
	/* What is committed and not released is told to nobody: hello comes again. */
	if (j->err == NS_OK && fo != NULL && fo->session == j->session &&
	    made->revision <= pub_limit(s, fo)) {
		struct file *f = find_file(x, made->digest, SNAP_DIGEST);

		if (f != NULL)
			f->used_ns = now;
		fo->snap_asked = 0;
		if (f != NULL)
			say_offer(s, fo, made);
	}
	free(j);
}

void
snaps_due(struct sync *s, struct follower *fo)
{
	struct snaps *x = s->fleet->snaps;
	struct make_job *j;

	fo->present = false;
	fo->snap_asked = 0;
	if (x->busy || clock_mono_ns() < x->failed_ns + (x->failed_ns != 0 ? SNAP_AGAIN_NS : 0)) {
		say_offer(s, fo, NULL);
		return;
	}
	for (size_t i = x->count; i > 0; i--)
		if (!is_fresh(s, &x->files[i - 1].made))
			drop_file(s, i - 1);
	j = xcalloc(1, sizeof *j);
	j->job.work = make_work;
	j->job.done = make_done;
	j->dir = x->dir;
	j->stop = &x->stop;
	snprintf(j->name, sizeof j->name, "%s", fo->name);
	snprintf(j->site, sizeof j->site, "%s", roster_site(s->fleet->roster, fo->name));
	j->session = fo->session;
	j->term = s->head.term;
	for (size_t i = 0; i < x->count; i++)
		j->files[j->count++] = x->files[i].made;
	x->busy = queue_push(x->queue, LANE_FAST, &j->job);
	if (!x->busy)
		free(j);
	say_offer(s, fo, NULL);
}

/* ---- pieces ---- */
struct piece_job {
	struct job job;
	const char *dir;
	struct snap_made made;
	char name[FLEET_NAME], site[FLEET_NAME];
	uint64_t session, term, offset;
	struct packet *packet;
	bool gone;
};

/* Zones may have been kept to other sites since it was made: looked at again when anything has changed.  The log
 * reader's thread alone. */
static bool
still_allowed(struct store *s, const struct piece_job *j)
{
	static struct {
		uint64_t revision;
		char site[FLEET_NAME];
		uint8_t view[SNAP_DIGEST];
	} last;
	uint8_t hash[STORE_HASH];
	uint64_t head = 0, term;

	if (store_head(s, &head, &term, hash) != NS_OK)
		return false;
	if (head != last.revision || strcmp(last.site, j->site) != 0) {
		if (view_now(s, j->site, last.view) != NS_OK)
			return false;
		last.revision = head;
		snprintf(last.site, sizeof last.site, "%s", j->site);
	}
	return memcmp(last.view, j->made.view, SNAP_DIGEST) == 0;
}

static ssize_t
read_piece(const struct piece_job *j, uint8_t *buf)
{
	char *path = xasprintf("%s/%s", j->dir, j->made.name);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd >= 0 ? pread(fd, buf, FLEET_PIECE, (off_t)j->offset) : -1;

	if (fd >= 0)
		close(fd);
	free(path);
	return n;
}

static void
piece_work(struct job *job, void *thread)
{
	struct piece_job *j = (struct piece_job *)job;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetSnapshotPiece out = NS__FLEET_SNAPSHOT_PIECE__INIT;
	uint8_t *buf = xmalloc(FLEET_PIECE);
	ssize_t n = still_allowed(thread, j) ? read_piece(j, buf) : -1;

	j->gone = n <= 0;
	out.file = (ProtobufCBinaryData){ SNAP_DIGEST, j->made.digest };
	out.offset = j->offset;
	out.data = (ProtobufCBinaryData){ n > 0 ? (size_t)n : 0, buf };
	env.term = j->term;
	env.body_case = NS__ENVELOPE__BODY_FLEET_SNAPSHOT_PIECE;
	env.fleet_snapshot_piece = &out;
	j->packet = packet_new(&env);
	free(buf);
}

static void
piece_done(struct job *job, struct sync *s)
{
	struct piece_job *j = (struct piece_job *)job;
	struct follower *fo = pub_follower(s->fleet, j->name);
	struct file *f = find_file(s->fleet->snaps, j->made.digest, SNAP_DIGEST);

	if (fo != NULL && fo->session == j->session && !fleet_is_replica(s)) {
		fo->snap_asked -= fo->snap_asked > 0;
		(void)fleet_send(s->fleet->router_z, &fo->peer, j->packet);
		ns_sock_look(s->fleet->router);
	}
	if (j->gone && f != NULL)
		drop_file(s, (size_t)(f - s->fleet->snaps->files));
	packet_unref(j->packet);
	free(j);
}

static void
say_gone(struct sync *s, const struct follower *fo, const Ns__FleetSnapshotAsk *in)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetSnapshotPiece out = NS__FLEET_SNAPSHOT_PIECE__INIT;

	out.file = in->file;
	env.body_case = NS__ENVELOPE__BODY_FLEET_SNAPSHOT_PIECE;
	env.fleet_snapshot_piece = &out;
	pub_send(s, &fo->peer, &env);
}

void
snaps_ask(struct sync *s, struct follower *fo, const Ns__FleetSnapshotAsk *in)
{
	struct snaps *x = s->fleet->snaps;
	struct file *f = find_file(x, in->file.data, in->file.len);
	struct piece_job *j;

	/* It is not what it was: of no use to anybody. */
	if (f != NULL && in->refused) {
		log_error("snapshot.refused", "name=%s file=%.16s", fo->name, f->made.name);
		drop_file(s, (size_t)(f - x->files));
		return;
	}
	if (f == NULL || fleet_is_replica(s) || f->made.revision > pub_limit(s, fo) ||
	    in->offset >= f->made.octets) {
		if (!in->refused)
			say_gone(s, fo, in);
		return;
	}
	if (fo->snap_asked >= SNAP_ASKED)
		return;
	f->used_ns = clock_mono_ns();
	j = xcalloc(1, sizeof *j);
	j->job.work = piece_work;
	j->job.done = piece_done;
	j->dir = x->dir;
	j->made = f->made;
	snprintf(j->name, sizeof j->name, "%s", fo->name);
	snprintf(j->site, sizeof j->site, "%s", roster_site(s->fleet->roster, fo->name));
	j->session = fo->session;
	j->term = s->head.term;
	j->offset = in->offset;
	if (queue_push(s->fleet->log, LANE_BULK, &j->job))
		fo->snap_asked++;
	else
		free(j);
}

/* ---- coming and going ---- */
void
snaps_tick(struct sync *s, uint64_t now_ns)
{
	struct snaps *x = s->fleet->snaps;

	/* Of a history that may have lost, or that nobody asks for any more. */
	for (size_t i = x->count; i > 0; i--)
		if (fleet_is_replica(s) ||
		    clock_since(now_ns, x->files[i - 1].used_ns) > SNAP_IDLE_NS)
			drop_file(s, i - 1);
}

void
snaps_start(struct sync *s)
{
	struct snaps *x = s->fleet->snaps = xcalloc(1, sizeof *x);
	struct snap_made made;

	memcpy(s->fleet->rep.snap.path, found.part, sizeof found.part);
	x->dir = xasprintf("%s/" SNAP_DIR, s->store_dir);
	x->queue = queue_new(SYNC_QUEUE, SYNC_QUEUE);
	x->thread = readers_start(s, x->queue, 1);
	for (size_t i = 0; i < found.count; i++) {
		if (snap_made_read(x->dir, found.names[i], &made) == NS_OK)
			add_file(s, &made, clock_mono_ns());
		else
			queue_dispose(x->queue, LANE_BULK, end_file,
			    xasprintf("%s/%s", x->dir, found.names[i]), NULL);
	}
}

void
snaps_stop(struct sync *s)
{
	struct snaps *x = s->fleet->snaps;

	if (x == NULL)
		return;
	atomic_store(&x->stop, true);
	queue_close(x->queue);
	pool_join(&x->thread);
	queue_destroy(&x->queue);
	free(x->dir);
	free(x);
	s->fleet->snaps = NULL;
}

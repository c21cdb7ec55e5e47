/* snaprep - the replica's side of snapshots (SNAPSHOT.md): asked for piece by piece, stored, adopted.  Loop; the disk is
 * the log reader's thread and the writer's.
 *
 * What has come is on the disk under the file's digest, so that it goes on from there after any death. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/sync/fleetrep.h"
#include "appliance/sync/snapadopt.h"
#include "appliance/sync/snappub.h"
#include "appliance/sync/snapwrite.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define SILENT_NS  5000000000ull /* no piece for so long: hello again */
#define AGAIN_NS   1000000000ull /* after one that was refused; then twice as long each time, ... */
#define AGAIN_MOST 8u /* ... up to four minutes */

static void
ask(struct sync *s, uint64_t offset, bool refused)
{
	struct snap_coming *c = &s->fleet->rep.snap;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetSnapshotAsk out = NS__FLEET_SNAPSHOT_ASK__INIT;

	out.file = (ProtobufCBinaryData){ SNAP_DIGEST, c->digest };
	out.offset = offset;
	out.refused = refused;
	env.body_case = NS__ENVELOPE__BODY_FLEET_SNAPSHOT_ASK;
	env.fleet_snapshot_ask = &out;
	(void)rep_send(s, &env);
}

/* As much as may be under way. */
static void
ask_more(struct sync *s)
{
	struct snap_coming *c = &s->fleet->rep.snap;

	while (c->asked < c->octets && c->asked - c->stored < SNAP_ASKED * (uint64_t)FLEET_PIECE) {
		ask(s, c->asked, false);
		c->asked += FLEET_PIECE;
	}
}

/* Hello again, from what is stored. */
static void
begin_again(struct sync *s)
{
	struct rep *rep = &s->fleet->rep;

	rep->snap.step = SNAP_NONE;
	rep->snap.count++;
	rep_start_over(s);
	rep->said_ns = clock_mono_ns(); /* with a tick to come */
}

static void
end_file(void *thing)
{
	(void)unlink(thing);
	free(thing);
}

static void
drop_file(struct sync *s)
{
	queue_dispose(s->fleet->log, LANE_BULK, end_file, xstrdup(s->fleet->rep.snap.path), NULL);
}

/* ---- taken over ---- */
static void
adopted(struct job *job, struct sync *s)
{
	struct snap_job *j = (struct snap_job *)job;
	struct rep *rep = &s->fleet->rep;

	rep->applying = false;
	drop_file(s);
	if (j->w.err == NS_OK) {
		memcpy(rep->stored_hash, j->hash, STORE_HASH);
		s->head.log_term = j->log_term;
		s->head.begins = j->begins;
		s->head.map_foreign = true;
		rep->stored_at_ms = clock_wall_ms();
		rep->snap.wanted = rep->snap.surplus = false;
		rep->snap.refused = 0;
		if (j->file[0] != '\0')
			fleet_lost(s, j->text, j->file);
		log_info("snapshot.adopted", "revision=%llu", (unsigned long long)j->revision);
		begin_again(s);
		rep_say_hello(s);
	} else {
		log_error("snapshot.refused", "revision=%llu code=%u text=%s",
		    (unsigned long long)rep->snap.revision, j->w.why.code,
		    log_quote(j->w.why.text));
		rep_trouble(s, j->w.why.text);
		if (j->w.err == NS_CORRUPT)
			ask(s, 0, true);
		begin_again(s);
		/* Another one costs the primary something: less and less often. */
		rep->said_ns += AGAIN_NS << rep->snap.refused;
		rep->snap.refused += rep->snap.refused < AGAIN_MOST;
	}
	free(j);
}

static void
adopt(struct sync *s)
{
	struct rep *rep = &s->fleet->rep;
	struct snap_job *j = snap_job_new(rep->snap.path, rep->snap.digest, adopted);

	j->surplus = rep->snap.surplus;
	j->common = rep->snap.common;
	snprintf(j->dir, sizeof j->dir, "%s", s->store_dir);
	snprintf(j->primary, sizeof j->primary, "%s", s->fleet->facts.primary);
	rep->snap.step = SNAP_ADOPTS;
	rep->applying = queue_push(s->writes, LANE_FAST, &j->w.job);
	if (rep->applying)
		return;
	free(j);
	begin_again(s);
}

/* ---- on the disk ---- */
struct store_job {
	struct job job;
	char path[320];
	uint64_t count, at;
	size_t len;
	int error;
	uint64_t octets; /* opened: of the whole; then how much of it is there */
	uint8_t data[];
};

static struct store_job *
store_job_new(struct sync *s, size_t len)
{
	struct store_job *j = xcalloc(1, sizeof *j + len);

	snprintf(j->path, sizeof j->path, "%s", s->fleet->rep.snap.path);
	j->count = s->fleet->rep.snap.count;
	j->len = len;
	return j;
}

static void
store_work(struct job *job, void *thread)
{
	struct store_job *j = (struct store_job *)job;
	int fd = open(j->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t done = 0;

	(void)thread;
	while (fd >= 0 && done < j->len) {
		ssize_t n = pwrite(fd, j->data + done, j->len - done, (off_t)(j->at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	j->error = fd < 0 || done < j->len ? (errno != 0 ? errno : EIO) : 0;
	if (fd >= 0)
		close(fd);
}

static void
disk_failed(struct sync *s, int error)
{
	char text[128];

	snprintf(text, sizeof text, "the snapshot cannot be stored here: %s", strerror(error));
	rep_trouble(s, text);
	begin_again(s);
	s->fleet->rep.said_ns += FLEET_REFUSED_NS;
}

/* What is stored decides. */
static void
go_on(struct sync *s)
{
	const struct snap_coming *c = &s->fleet->rep.snap;

	if (c->stored == c->octets)
		adopt(s);
	else
		ask_more(s);
}

static void
stored(struct job *job, struct sync *s)
{
	struct store_job *j = (struct store_job *)job;
	struct snap_coming *c = &s->fleet->rep.snap;

	if (c->count == j->count && c->step == SNAP_COMES) {
		if (j->error != 0) {
			disk_failed(s, j->error);
		} else {
			c->stored = j->at + j->len;
			go_on(s);
		}
	}
	free(j);
}

/* How much of it is here already?  What is over a whole piece may be half written. */
static void
open_work(struct job *job, void *thread)
{
	struct store_job *j = (struct store_job *)job;
	struct stat st;

	(void)thread;
	j->octets = lstat(j->path, &st) == 0 && (uint64_t)st.st_size <= j->octets
			? (uint64_t)st.st_size
			: 0;
	j->octets -= j->octets % FLEET_PIECE;
}

static void
opened(struct job *job, struct sync *s)
{
	struct store_job *j = (struct store_job *)job;
	struct snap_coming *c = &s->fleet->rep.snap;

	if (c->count == j->count && c->step == SNAP_OPENS) {
		c->step = SNAP_COMES;
		c->asked = c->taken = c->stored = j->octets;
		c->heard_ns = clock_mono_ns();
		log_info("snapshot.coming", "revision=%llu octets=%llu from=%llu",
		    (unsigned long long)c->revision, (unsigned long long)c->octets,
		    (unsigned long long)c->stored);
		go_on(s);
	}
	free(j);
}

/* ---- what the primary says ---- */
static void
begin(struct sync *s, const Ns__FleetSnapshot *in)
{
	struct rep *rep = &s->fleet->rep;
	struct snap_coming *c = &rep->snap;
	char hex[SNAP_NAME], path[sizeof c->path];
	struct store_job *j;

	snap_hex(in->file.data, hex);
	snprintf(path, sizeof path, "%s/" SNAP_DIR "/%s" SNAP_PART, s->store_dir, hex);
	/* One at a time lies here. */
	if (c->path[0] != '\0' && strcmp(c->path, path) != 0)
		drop_file(s);
	memcpy(c->path, path, sizeof path);
	memcpy(c->digest, in->file.data, SNAP_DIGEST);
	c->octets = in->octets;
	c->revision = in->revision;
	c->surplus = rep->follow.taken < s->head.revision;
	c->common = rep->follow.taken;
	c->count++;
	c->step = SNAP_OPENS;
	rep->state = REP_SNAPSHOT;
	rep_queue_drop(rep);
	j = store_job_new(s, 0);
	j->octets = c->octets;
	j->job.work = open_work;
	j->job.done = opened;
	if (queue_push(s->fleet->log, LANE_FAST, &j->job))
		return;
	free(j);
	begin_again(s);
}

void
snaprep_offer(struct sync *s, const Ns__FleetSnapshot *in)
{
	struct rep *rep = &s->fleet->rep;

	if ((rep->state != REP_HELLO && rep->state != REP_FOLLOW) || rep->applying ||
	    rep->candidate || (in->file.len != 0 && in->file.len != SNAP_DIGEST) ||
	    in->octets > SNAP_OCTETS_MAX)
		return;
	rep->unheard = 0;
	rep->state = REP_HELLO;
	if (in->file.len == 0)
		rep->snap.step = SNAP_MADE; /* hello comes again */
	else if (in->octets > 0 && in->revision > 0)
		begin(s, in);
}

void
snaprep_piece(struct sync *s, const Ns__FleetSnapshotPiece *in)
{
	struct rep *rep = &s->fleet->rep;
	struct snap_coming *c = &rep->snap;
	struct store_job *j;

	if (rep->state != REP_SNAPSHOT || c->step != SNAP_COMES || in->file.len != SNAP_DIGEST ||
	    memcmp(in->file.data, c->digest, SNAP_DIGEST) != 0)
		return;
	if (in->data.len == 0) { /* it is not given any more */
		drop_file(s);
		c->path[0] = '\0';
		begin_again(s);
		return;
	}
	if (in->offset != c->taken || in->data.len > FLEET_PIECE ||
	    in->data.len > c->octets - c->taken ||
	    (in->data.len < FLEET_PIECE && in->data.len != c->octets - c->taken))
		return; /* one that was lost is asked for again */
	c->heard_ns = clock_mono_ns();
	j = store_job_new(s, in->data.len);
	memcpy(j->data, in->data.data, in->data.len);
	j->at = c->taken;
	j->job.work = store_work;
	j->job.done = stored;
	if (!queue_push(s->fleet->log, LANE_FAST, &j->job)) {
		free(j);
		begin_again(s);
		return;
	}
	c->taken += in->data.len;
}

void
snaprep_link(struct sync *s)
{
	struct rep *rep = &s->fleet->rep;

	/* What is being adopted is whole. */
	if (rep->state == REP_SNAPSHOT && rep->snap.step != SNAP_ADOPTS)
		begin_again(s);
}

void
snaprep_tick(struct sync *s, uint64_t now_ns)
{
	struct rep *rep = &s->fleet->rep;

	if (rep->state == REP_SNAPSHOT && rep->snap.step == SNAP_COMES &&
	    clock_since(now_ns, rep->snap.heard_ns) > SILENT_NS)
		begin_again(s);
}

Ns__SnapshotState *
snaprep_status(const struct sync *s)
{
	static const char *const words[] = {
		[SNAP_MADE] = "making",
		[SNAP_OPENS] = "receiving",
		[SNAP_COMES] = "receiving",
		[SNAP_ADOPTS] = "adopting",
	};
	const struct rep *rep = &s->fleet->rep;
	Ns__SnapshotState *m;

	if (rep->snap.step == SNAP_NONE || (rep->state != REP_SNAPSHOT && rep->state != REP_HELLO))
		return NULL;
	m = xmalloc(sizeof *m);
	ns__snapshot_state__init(m);
	m->state = xstrdup(words[rep->snap.step]);
	if (rep->snap.step != SNAP_MADE) {
		m->revision = rep->snap.revision;
		m->octets = rep->snap.octets;
		m->received = rep->snap.stored;
	}
	return m;
}

/* snapadopt - see snapadopt.h. */
#include "appliance/sync/snapadopt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "appliance/dns/name.h"
#include "appliance/fleet/follow.h"
#include "appliance/store/state.h"
#include "appliance/sync/adopt.h"
#include "appliance/sync/bodycheck.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/keyfeed.h"
#include "appliance/sync/lost.h"
#include "appliance/sync/residency.h"
#include "appliance/sync/restore.h"
#include "appliance/sync/rewind.h"
#include "appliance/sync/writer.h"
#include "appliance/sync/zonepieces.h"
#include "ipc/base/log.h"
#include "ipc/base/numbers.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define READ_OCTETS (256u << 10)
#define ZONE_MAX    (1u << 30)

struct snap {
	struct batch *b;
	Ns__SnapshotHead *head;
	/* What is put together from pieces. */
	struct wbuf content, body;
	uint64_t zone_id, change;
	struct ns_why *why;
};

static enum ns_err
bad(struct snap *x, const char *text)
{
	return ns_fail(x->why, NS_CORRUPT, ES_SNAPSHOT, "the snapshot is refused: %s", text);
}

/* ---- one record ---- */
static enum ns_err
take_head(struct snap *x, const Ns__SnapshotHead *m)
{
	if (m->format != SNAP_FORMAT)
		return ns_fail(x->why, NS_VERSION, ES_SNAPSHOT,
		    "the snapshot has format %u, this software (%s) knows %u: bring both to the "
		    "same release",
		    m->format, NS_RELEASE, SNAP_FORMAT);
	if (m->hash.len != STORE_HASH || m->revision == 0 || m->begins == 0 ||
	    m->begins > m->revision)
		return bad(x, "its head is none");
	x->head = ns_message_copy(&m->base);
	return x->head != NULL ? store_state_clear(x->b->store, x->why)
			       : bad(x, "its head is none");
}

static enum ns_err
take_setting(struct snap *x, const Ns__FleetThing *m)
{
	char *value = xmalloc(m->body.len + 1);
	enum ns_err err;

	if (m->body.len > 0)
		memcpy(value, m->body.data, m->body.len);
	value[m->body.len] = '\0';
	err = store_setting_put(x->b->store, m->name, value, x->why);
	free(value);
	return err;
}

static enum ns_err
take_thing(struct snap *x, const Ns__FleetThing *m)
{
	Ns__ChangeBody__Object object = NS__CHANGE_BODY__OBJECT__INIT, *list[1] = { &object };
	Ns__ChangeBody body = NS__CHANGE_BODY__INIT;
	struct store_object o = { .id = m->id, .version = m->version };
	enum ns_err err;

	if (m->kind[0] == '\0')
		return take_setting(x, m);
	object.kind = m->kind;
	object.name = m->name;
	object.id = m->id;
	object.body = m->body;
	body.n_objects = 1;
	body.objects = list;
	if ((err = change_body_check(&body, x->why)) != NS_OK)
		return err;
	snprintf(o.kind, sizeof o.kind, "%s", m->kind);
	snprintf(o.name, sizeof o.name, "%s", m->name);
	err = store_object_adopt(x->b->store, &o, m->body.data, m->body.len, x->why);
	if (err == NS_OK)
		keyfeed_delta(x->b, &object);
	adopt_tell(x->b, m->kind);
	return err;
}

/* All of its pieces are here. */
static enum ns_err
put_zone(struct snap *x, const Ns__FleetZone *m)
{
	struct store_zone z = { .id = m->zone_id,
		.version = m->version,
		.serial = m->serial,
		.account = m->account,
		.external = m->external,
		.changed_ms = m->changed_ms,
		.name_len = (uint8_t)m->name.len };
	char text[NAME_MAX_TEXT];
	uint8_t sum[32];
	enum ns_err err;

	name_lower(z.name, m->name.data, m->name.len);
	err = store_zone_put(x->b->store, &z, x->why);
	if (err == NS_OK)
		err = store_content_put(
		    x->b->store, z.id, true, x->content.base, x->content.len, x->why);
	if (err != NS_OK)
		return err;
	zone_sum(x->b->store, &z, sum);
	if (m->sum.len == sizeof sum && memcmp(m->sum.data, sum, sizeof sum) == 0)
		return NS_OK;
	return ns_fail(x->why, NS_CORRUPT, ES_SNAPSHOT,
	    "the snapshot is refused: the digest of zone %s is not that of what came",
	    name_to_text(z.name, text));
}

static enum ns_err
take_zone(struct snap *x, const Ns__FleetZone *m)
{
	size_t len = name_check(m->name.data, m->name.len);
	enum ns_err err;

	if (len == 0 || len != m->name.len || m->absent || m->zone_id == 0 ||
	    m->version > x->head->revision || m->changed_ms < 0)
		return bad(x, "a zone that cannot be");
	if (m->offset == 0) {
		if (x->content.len > 0)
			return bad(x, "a zone has no end");
		x->zone_id = m->zone_id;
	}
	if (m->zone_id != x->zone_id || m->offset != x->content.len)
		return bad(x, "the pieces of a zone do not follow each other");
	wbuf_put(&x->content, m->zwire.data, m->zwire.len);
	if (!wbuf_ok(&x->content))
		return bad(x, "a zone is larger than one can be");
	if (!m->last)
		return NS_OK;
	err = put_zone(x, m);
	x->content.len = 0;
	x->zone_id = 0;
	return err;
}

static enum ns_err
take_tomb(struct snap *x, const Ns__SnapshotRows__Tomb *m)
{
	struct store_zone z = { .id = m->zone_id,
		.version = m->revision,
		.changed_ms = m->at_ms,
		.name_len = (uint8_t)m->name.len };

	if (m->name.len == 0 || name_check(m->name.data, m->name.len) != m->name.len ||
	    m->zone_id == 0 || m->revision > x->head->revision || m->at_ms < 0)
		return bad(x, "a deleted zone that cannot be");
	name_lower(z.name, m->name.data, m->name.len);
	return store_tomb_put(x->b->store, &z, x->why);
}

static enum ns_err
take_key(struct snap *x, const Ns__SnapshotRows__Key *m)
{
	const Ns__FleetChange__Key *k = m->key;
	struct store_idem idem;

	if (k == NULL || k->digest.len != STORE_HASH || k->at_ms < 0 ||
	    m->revision > x->head->revision)
		return bad(x, "an idempotency key that cannot be");
	idem = (struct store_idem){ .principal = k->principal,
		.key = k->key,
		.at_ms = k->at_ms,
		.reply = k->reply.data,
		.reply_len = k->reply.len };
	memcpy(idem.digest, k->digest.data, STORE_HASH);
	return store_idem_adopt(x->b->store, m->revision, &idem, x->why);
}

static enum ns_err
take_window(struct snap *x, const Ns__SnapshotRows__Window *m)
{
	struct store_window w = { m->revision, m->total_ms, m->remaining_ms };

	if (m->revision == 0 || m->revision > x->head->revision || m->remaining_ms > m->total_ms ||
	    m->total_ms > INT64_MAX)
		return bad(x, "a time to confirm that cannot be");
	return store_window_put(x->b->store, &w, x->why);
}

static enum ns_err
take_rows(struct snap *x, const Ns__SnapshotRows *m)
{
	enum ns_err err = NS_OK;

	for (size_t i = 0; i < m->n_tombs && err == NS_OK; i++)
		err = take_tomb(x, m->tombs[i]);
	for (size_t i = 0; i < m->n_keys && err == NS_OK; i++)
		err = take_key(x, m->keys[i]);
	for (size_t i = 0; i < m->n_windows && err == NS_OK; i++)
		err = take_window(x, m->windows[i]);
	return err;
}

/* ---- changes ---- */
static enum ns_err
put_change(struct snap *x, const Ns__FleetChange *m)
{
	const ProtobufCBinaryData *digest = &m->body_digest;
	Ns__ChangeBody *body = NULL;
	struct store_change c;
	uint64_t *ids = NULL;
	enum ns_err err;
	size_t n;

	if (!adopt_head(m, &c) ||
	    (body = ns__change_body__unpack(NULL, x->body.len, x->body.base)) == NULL)
		return bad(x, "a change cannot be read");
	if ((err = change_body_check(body, x->why)) == NS_OK) {
		ids = adopt_ids(body, &n);
		err = store_change_keep(x->b->store, &c,
		    digest->len == STORE_HASH ? digest->data : NULL, x->body.base, x->body.len, ids,
		    n, x->why);
	}
	free(ids);
	ns__change_body__free_unpacked(body, NULL);
	return err;
}

static enum ns_err
take_change(struct snap *x, const Ns__FleetChange *m)
{
	enum ns_err err;

	if (m->revision == 0 || m->revision > x->head->revision || m->body_size > FOLLOW_BODY_MAX)
		return bad(x, "a change that cannot be");
	if (m->offset == 0) {
		if (x->body.len > 0 || m->revision <= x->change)
			return bad(x, "its changes are not in order");
		x->change = m->revision;
	}
	if (m->revision != x->change || m->offset != x->body.len)
		return bad(x, "the pieces of a change do not follow each other");
	wbuf_put(&x->body, m->body.data, m->body.len);
	if (!wbuf_ok(&x->body) || x->body.len > m->body_size ||
	    (m->body.len == 0 && m->body_size > 0))
		return bad(x, "a change is larger than it says");
	if (x->body.len < m->body_size)
		return NS_OK;
	err = put_change(x, m);
	x->body.len = 0;
	return err;
}

/* ---- its end: does it fit together? ---- */
static enum ns_err
check_log(struct snap *x)
{
	struct store *s = x->b->store;
	uint8_t prev[STORE_HASH];
	struct store_change c;
	enum ns_err err = NS_OK;

	for (uint64_t r = x->head->begins; r <= x->head->revision && err == NS_OK; r++) {
		err = store_change_get(s, r, &c, NULL);
		if (err == NS_OK && r > x->head->begins && memcmp(c.prev, prev, STORE_HASH) != 0)
			err = NS_NOTFOUND;
		memcpy(prev, c.hash, STORE_HASH);
	}
	if (err == NS_NOTFOUND)
		return bad(x, "its changes are no chain");
	if (err == NS_OK &&
	    (memcmp(prev, x->head->hash.data, STORE_HASH) != 0 || c.term != x->head->term))
		return bad(x, "its newest change is not that of its head");
	return err;
}

static enum ns_err
take_end(struct snap *x)
{
	const Ns__SnapshotHead *m = x->head;
	struct store *s = x->b->store;
	enum ns_err err;

	if (x->content.len > 0 || x->body.len > 0)
		return bad(x, "something in it has no end");
	err = check_log(x);
	if (err == NS_OK)
		err = store_history_put(s, m->begins, x->why);
	if (err == NS_OK)
		err = store_ids_raise(s, m->zone_id, m->object_id, x->why);
	return err;
}

static enum ns_err
take(void *arg, const Ns__Envelope *env, struct ns_why *why)
{
	struct snap *x = arg;

	(void)why;
	switch ((int)env->body_case) {
	case NS__ENVELOPE__BODY_SNAPSHOT_HEAD:
		return take_head(x, env->snapshot_head);
	case NS__ENVELOPE__BODY_FLEET_THING:
		return take_thing(x, env->fleet_thing);
	case NS__ENVELOPE__BODY_FLEET_ZONE:
		return take_zone(x, env->fleet_zone);
	case NS__ENVELOPE__BODY_SNAPSHOT_ROWS:
		return take_rows(x, env->snapshot_rows);
	case NS__ENVELOPE__BODY_FLEET_CHANGE:
		return take_change(x, env->fleet_change);
	default:
		return take_end(x);
	}
}

/* ---- the file ---- */
static enum ns_err
unreadable(struct ns_why *why)
{
	return ns_fail(why, NS_UNAVAILABLE, ES_SNAPSHOT,
	    "the snapshot that came cannot be read: %s", strerror(errno));
}

/* Before anything of it is believed. */
static enum ns_err
check_digest(int fd, const uint8_t digest[SNAP_DIGEST], struct ns_why *why)
{
	uint8_t *buf = xmalloc(READ_OCTETS), sum[SNAP_DIGEST];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned len = sizeof sum;
	off_t at = 0;
	ssize_t n;

	EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	while ((n = pread(fd, buf, READ_OCTETS, at)) > 0) {
		EVP_DigestUpdate(md, buf, (size_t)n);
		at += n;
	}
	EVP_DigestFinal_ex(md, sum, &len);
	EVP_MD_CTX_free(md);
	free(buf);
	if (n < 0)
		return unreadable(why);
	if (memcmp(sum, digest, sizeof sum) == 0)
		return NS_OK;
	return ns_fail(why, NS_CORRUPT, ES_SNAPSHOT,
	    "the snapshot is refused: its digest is not that of what came");
}

static enum ns_err
read_all(int fd, struct snap *x)
{
	struct snap_reader *r = snap_reader_new(take, x);
	uint8_t *buf = xmalloc(READ_OCTETS);
	enum ns_err err = NS_OK;
	off_t at = 0;
	ssize_t n = 0;

	while (err == NS_OK && (n = pread(fd, buf, READ_OCTETS, at)) > 0) {
		err = snap_read(r, buf, (size_t)n, x->why);
		at += n;
	}
	if (err == NS_OK)
		err = n < 0 ? unreadable(x->why) : snap_read_end(r, x->why);
	free(buf);
	snap_reader_destroy(&r);
	return err;
}

enum ns_err
snap_adopt(struct batch *b, const char *path, const uint8_t digest[SNAP_DIGEST],
    struct snap_adopted *out, struct ns_why *why)
{
	struct snap x = { .b = b,
		.content = wbuf_grow(ZONE_MAX),
		.body = wbuf_grow(FOLLOW_BODY_MAX),
		.why = why };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	enum ns_err err = fd < 0 ? unreadable(why) : check_digest(fd, digest, why);

	if (err == NS_OK)
		err = read_all(fd, &x);
	if (err == NS_OK) {
		out->revision = x.head->revision;
		out->log_term = x.head->term;
		out->begins = x.head->begins;
		memcpy(out->hash, x.head->hash.data, STORE_HASH);
	}
	if (fd >= 0)
		close(fd);
	if (x.head != NULL)
		ns__snapshot_head__free_unpacked(x.head, NULL);
	wbuf_free(&x.content);
	wbuf_free(&x.body);
	return err;
}

/* ---- what may not be here any more ---- */
static bool
each_id(void *arg, const struct store_zone *z)
{
	numbers_add(arg, z->id);
	return true;
}

/* Zones that were here and of which the snapshot knows nothing, where some are kept to sites: nothing of them is to
 * be left in the file either. */
static enum ns_err
note_withheld(struct batch *b, const struct numbers *before, struct ns_why *why)
{
	struct residency *residency = NULL;
	struct numbers now = { 0 }, gone = { 0 };
	enum ns_err err = residency_load(b->store, &residency);

	if (err == NS_OK && residency != NULL)
		err = store_zones_since(b->store, 0, each_id, &now);
	numbers_sort(&now);
	for (size_t i = 0; i < before->count && err == NS_OK && residency != NULL; i++)
		if (!numbers_has(&now, before->list[i]))
			numbers_add(&gone, before->list[i]);
	if (err == NS_OK && gone.count > 0)
		err = withhold_note(b->store, gone.list, gone.count, why);
	b->scrub = b->scrub || gone.count > 0;
	residency_free(&residency);
	numbers_free(&now);
	numbers_free(&gone);
	return err;
}

/* ---- the job ---- */
static enum ns_err
keep_surplus(struct snap_job *j, struct batch *b)
{
	uint64_t from = j->common, begins;
	enum ns_err err = store_history(b->store, &begins);

	if (err != NS_OK || !j->surplus)
		return err;
	if (from < begins - 1)
		from = begins - 1;
	if (from >= b->revision)
		return NS_OK;
	snprintf(j->file, sizeof j->file, "%s/lost-%llu-%llu.changes", j->dir,
	    (unsigned long long)from + 1, (unsigned long long)b->revision);
	snprintf(j->text, sizeof j->text,
	    "changes %llu to %llu of this appliance are not in the history of %s, which was "
	    "promoted without them: they were dropped here; nameserve draft lost shows them, draft "
	    "take makes drafts of them",
	    (unsigned long long)from + 1, (unsigned long long)b->revision, j->primary);
	return lost_keep(b->store, from, b->revision, j->primary, j->file, &j->w.why);
}

static enum ns_err
put_facts(struct snap_job *j, struct writer_thread *w)
{
	enum ns_err err = NS_OK;
	char *fact;

	if (j->file[0] != '\0') {
		fact = xasprintf("%s\n%s", j->file, j->text);
		err = store_fact_put(w->store, LOST_FACT, fact, &j->w.why);
		free(fact);
	}
	/* The map holds what was here: a signer that adopts it starts over, even after our death. */
	fact = xasprintf("%llu", (unsigned long long)w->conf.started_ms);
	if (err == NS_OK)
		err = store_fact_put(w->store, RESTORED_FACT, fact, &j->w.why);
	free(fact);
	return err;
}

static enum ns_err
adopt_all(struct snap_job *j, struct writer_thread *w)
{
	struct batch *b = w->batch;
	struct snap_adopted a;
	struct numbers before = { 0 };
	enum ns_err err = store_zones_since(b->store, 0, each_id, &before);

	if (err == NS_OK)
		err = keep_surplus(j, b);
	if (err == NS_OK)
		err = snap_adopt(b, j->path, j->digest, &a, &j->w.why);
	if (err == NS_OK)
		err = note_withheld(b, &before, &j->w.why);
	if (err == NS_OK)
		err = put_facts(j, w);
	numbers_free(&before);
	if (err != NS_OK)
		return err;
	j->revision = a.revision;
	j->log_term = a.log_term;
	j->begins = a.begins;
	memcpy(j->hash, a.hash, STORE_HASH);
	return NS_OK;
}

static void
snap_work(struct job *job, void *thread)
{
	struct snap_job *j = (struct snap_job *)job;
	struct writer_thread *w = thread;
	struct batch *b = w->batch;
	struct batch_mark mark = batch_mark(b);

	batch_job(b, &j->w);
	j->w.err = adopt_all(j, w);
	if (j->w.err != NS_OK) {
		if (j->w.why.err == NS_OK)
			ns_fail(
			    &j->w.why, j->w.err, ES_SNAPSHOT, "the snapshot cannot be taken over");
		/* Half of it is in the transaction: none of it is committed. */
		b->doomed = j->w.why;
		return;
	}
	/* The signer gets everything anew: it knows no way from there to here. */
	batch_undo(b, &mark);
	b->zones = store_zone_count(b->store);
	b->revision = j->revision;
	b->log_term = j->log_term;
	(void)secret_load(b->store, &b->secret, NULL);
	b->rewound = b->wrote = b->members = b->users_changed = b->windows_changed = true;
	b->residency = true;
}

struct snap_job *
snap_job_new(
    const char *path, const uint8_t digest[SNAP_DIGEST], void (*done)(struct job *, struct sync *))
{
	struct snap_job *j = xcalloc(1, sizeof *j);

	j->w.job.work = snap_work;
	j->w.job.done = done;
	snprintf(j->path, sizeof j->path, "%s", path);
	memcpy(j->digest, digest, SNAP_DIGEST);
	return j;
}

/* snapwrite - see snapwrite.h. */
#include "appliance/sync/snapwrite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "appliance/dns/name.h"
#include "appliance/store/state.h"
#include "appliance/sync/change.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/fleetlog.h"
#include "appliance/sync/trash.h"
#include "appliance/sync/zonepieces.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define BUFFER      (1u << 20)
#define ROWS_EACH   256u /* in one record; keys have replies of some hundred octets */
#define ROWS_OCTETS (256u << 10)

/* ---- who may have what ---- */
struct view {
	struct store *store;
	const struct residency *residency;
	const char *site;
	EVP_MD_CTX *sum;
	enum ns_err err;
};

static bool
view_zone(void *arg, const struct store_zone *z)
{
	struct view *v = arg;
	bool allowed = false;

	v->err = redact_zone(v->store, v->residency, v->site, z->id, &allowed);
	if (v->err == NS_OK && !allowed)
		EVP_DigestUpdate(v->sum, &z->id, sizeof z->id);
	return v->err == NS_OK;
}

enum ns_err
snap_view(
    struct store *s, const struct residency *residency, const char *site, uint8_t out[SNAP_DIGEST])
{
	struct view v = { .store = s, .residency = residency, .site = site };
	unsigned len = SNAP_DIGEST;
	enum ns_err err = NS_OK;

	v.sum = EVP_MD_CTX_new();
	EVP_DigestInit_ex(v.sum, EVP_sha256(), NULL);
	if (residency != NULL)
		err = store_zones_since(s, 0, view_zone, &v);
	EVP_DigestFinal_ex(v.sum, out, &len);
	EVP_MD_CTX_free(v.sum);
	return err != NS_OK ? err : v.err;
}

void
snap_hex(const uint8_t digest[SNAP_DIGEST], char out[SNAP_NAME])
{
	for (unsigned i = 0; i < SNAP_DIGEST; i++)
		snprintf(out + 2 * (size_t)i, 3, "%02x", digest[i]);
}

/* ---- the file ---- */
struct write {
	struct store *store;
	struct residency *residency;
	const char *site;
	bool restricted; /* there is something that it may not hold */
	uint64_t term;
	const atomic_bool *stop;
	int fd;
	uint64_t octets;
	EVP_MD_CTX *sum;
	struct wbuf buf;
	struct snap_counts counts;
	uint64_t revision;
	Ns__SnapshotRows rows; /* being gathered */
	size_t rows_octets;
	struct {
		uint64_t revision;
		bool cut;
	} last_key;
	enum ns_err err;
	struct ns_why *why;
};

static bool
failed(struct write *w, enum ns_err err, const char *what)
{
	if (w->err == NS_OK)
		w->err = ns_fail(
		    w->why, err, ES_SNAPSHOT, "a snapshot for replicas cannot be made: %s", what);
	return false;
}

static bool
flush(struct write *w, size_t at_least)
{
	const uint8_t *p = w->buf.base;
	size_t left = w->buf.len;

	if (w->err != NS_OK || left < at_least)
		return w->err == NS_OK;
	if (atomic_load(w->stop))
		return failed(w, NS_UNAVAILABLE, "it is not wanted any more");
	EVP_DigestUpdate(w->sum, p, left);
	w->octets += left;
	while (left > 0) {
		ssize_t n = write(w->fd, p, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return failed(w, NS_UNAVAILABLE, strerror(errno));
		p += n;
		left -= (size_t)n;
	}
	w->buf.len = 0;
	return true;
}

static bool
put(struct write *w, Ns__Envelope *env)
{
	env->term = w->term;
	if (!snap_envelope(&w->buf, env, &w->counts))
		return failed(w, NS_FAILED, "something is too large for it");
	return flush(w, BUFFER / 2);
}

static bool
put_packet(struct write *w, struct packet *p, Ns__Envelope__BodyCase kind)
{
	bool ok = p != NULL && snap_packed(&w->buf, p->data, p->len, kind, &w->counts);

	packet_unref(p);
	return ok ? flush(w, BUFFER / 2) : failed(w, NS_FAILED, "something is too large for it");
}

/* ---- settings and objects ---- */
static bool
thing(struct write *w, const struct store_object *o, const void *body, size_t len)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetThing m = NS__FLEET_THING__INIT;

	m.kind = (char *)(uintptr_t)o->kind;
	m.name = (char *)(uintptr_t)o->name;
	m.id = o->id;
	m.version = o->version;
	m.body = (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)body };
	m.revision = w->revision;
	env.body_case = NS__ENVELOPE__BODY_FLEET_THING;
	env.fleet_thing = &m;
	return put(w, &env);
}

static bool
each_setting(void *arg, const char *name, const char *value)
{
	struct store_object o = { 0 };

	snprintf(o.name, sizeof o.name, "%s", name);
	return thing(arg, &o, value, strlen(value));
}

static bool
each_object(void *arg, const struct store_object *o, const void *body, size_t len)
{
	struct write *w = arg;
	bool allowed = false;
	enum ns_err err =
	    redact_object(w->store, w->residency, w->site, o->kind, o->name, &allowed);

	if (err != NS_OK)
		return failed(w, err, "who may have an object cannot be read");
	return !allowed || thing(w, o, body, len);
}

/* ---- zones ---- */
static bool
each_piece(void *arg, struct packet *p)
{
	return put_packet(arg, p, NS__ENVELOPE__BODY_FLEET_ZONE);
}

static bool
each_zone(void *arg, const struct store_zone *z)
{
	struct write *w = arg;
	struct zone_view v = { .store = w->store,
		.residency = w->residency,
		.site = w->site,
		.term = w->term,
		.revision = w->revision,
		.emit = each_piece,
		.arg = w };
	char name[NAME_MAX_TEXT], what[NAME_MAX_TEXT + 32];
	enum ns_err err;

	if (!residency_allows(w->residency, z->id, z->account, w->site))
		return true;
	err = zone_pieces(&v, z->name);
	if (err == NS_OK || w->err != NS_OK)
		return w->err == NS_OK;
	snprintf(what, sizeof what, "zone %s cannot be read", name_to_text(z->name, name));
	return failed(w, err, what);
}

/* ---- rows ---- */
static void
rows_clear(struct write *w)
{
	Ns__SnapshotRows *m = &w->rows;

	for (size_t i = 0; i < m->n_tombs; i++)
		protobuf_c_message_free_unpacked(&m->tombs[i]->base, NULL);
	for (size_t i = 0; i < m->n_keys; i++)
		protobuf_c_message_free_unpacked(&m->keys[i]->base, NULL);
	for (size_t i = 0; i < m->n_windows; i++)
		protobuf_c_message_free_unpacked(&m->windows[i]->base, NULL);
	free(m->tombs);
	free(m->keys);
	free(m->windows);
	ns__snapshot_rows__init(m);
	w->rows_octets = 0;
}

static bool
rows_flush(struct write *w, bool all)
{
	Ns__SnapshotRows *m = &w->rows;
	size_t n = m->n_tombs + m->n_keys + m->n_windows;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	bool ok;

	if (n == 0 || (!all && n < ROWS_EACH && w->rows_octets < ROWS_OCTETS))
		return true;
	env.body_case = NS__ENVELOPE__BODY_SNAPSHOT_ROWS;
	env.snapshot_rows = m;
	ok = put(w, &env);
	rows_clear(w);
	return ok;
}

static bool
each_tomb(void *arg, const struct store_zone *z)
{
	struct write *w = arg;
	Ns__SnapshotRows__Tomb *m;
	bool allowed = false;
	enum ns_err err;

	err = redact_zone(w->store, w->residency, w->site, z->id, &allowed);
	if (err != NS_OK)
		return failed(w, err, "who may know of a deleted zone cannot be read");
	if (!allowed)
		return true;
	m = xmalloc(sizeof *m);
	ns__snapshot_rows__tomb__init(m);
	m->zone_id = z->id;
	m->name = (ProtobufCBinaryData){ z->name_len, xmemdup(z->name, z->name_len) };
	m->revision = z->version;
	m->at_ms = z->changed_ms;
	w->rows.tombs =
	    xreallocarray(w->rows.tombs, w->rows.n_tombs + 1, sizeof(Ns__SnapshotRows__Tomb *));
	w->rows.tombs[w->rows.n_tombs++] = m;
	w->rows_octets += 64;
	return rows_flush(w, false);
}

/* Answers name zones: where the change cannot be looked at, or something of it may not be held there. */
static bool
key_is_cut(struct write *w, uint64_t revision)
{
	struct store_change row;
	Ns__ChangeBody *body;

	if (!w->restricted)
		return false;
	if (w->last_key.revision == revision)
		return w->last_key.cut;
	w->last_key.revision = revision;
	w->last_key.cut = true;
	if ((body = change_body_load(w->store, revision, &row)) == NULL)
		return true;
	if (redact_body(w->store, w->residency, w->site, body, &w->last_key.cut) != NS_OK)
		w->last_key.cut = true;
	ns__change_body__free_unpacked(body, NULL);
	return w->last_key.cut;
}

static bool
each_key(void *arg, uint64_t revision, const struct store_idem *k)
{
	struct write *w = arg;
	Ns__SnapshotRows__Key *m;
	Ns__FleetChange__Key *key;

	if (key_is_cut(w, revision))
		return true;
	m = xmalloc(sizeof *m);
	key = xmalloc(sizeof *key);
	ns__snapshot_rows__key__init(m);
	ns__fleet_change__key__init(key);
	m->revision = revision;
	m->key = key;
	key->principal = xstrdup(k->principal);
	key->key = xstrdup(k->key);
	key->at_ms = k->at_ms;
	key->digest = (ProtobufCBinaryData){ STORE_HASH, xmemdup(k->digest, STORE_HASH) };
	if (k->reply_len > 0)
		key->reply = (ProtobufCBinaryData){ k->reply_len, xmemdup(k->reply, k->reply_len) };
	w->rows.keys =
	    xreallocarray(w->rows.keys, w->rows.n_keys + 1, sizeof(Ns__SnapshotRows__Key *));
	w->rows.keys[w->rows.n_keys++] = m;
	w->rows_octets += k->reply_len + 160;
	return rows_flush(w, false);
}

static bool
each_window(void *arg, const struct store_window *x)
{
	struct write *w = arg;
	Ns__SnapshotRows__Window *m = xmalloc(sizeof *m);

	ns__snapshot_rows__window__init(m);
	m->revision = x->revision;
	m->total_ms = x->total_ms;
	m->remaining_ms = x->remaining_ms;
	w->rows.windows = xreallocarray(
	    w->rows.windows, w->rows.n_windows + 1, sizeof(Ns__SnapshotRows__Window *));
	w->rows.windows[w->rows.n_windows++] = m;
	return rows_flush(w, false);
}

/* ---- the log ---- */
/* Changes first to last, as that site may have them. */
static bool
put_changes(struct write *w, uint64_t first, uint64_t last)
{
	struct cursor at = { first, 0 };
	enum ns_err err = NS_OK;

	while (err == NS_OK && at.revision <= last && w->err == NS_OK) {
		struct log_job *j = log_job_new(at, w->term, NULL);

		snprintf(j->name, sizeof j->name, "snapshot");
		snprintf(j->site, sizeof j->site, "%s", w->site);
		j->until = last;
		err = log_read(j, w->store, w->residency);
		if (err == NS_OK && j->count == 0)
			err = NS_CORRUPT;
		for (size_t i = 0; i < j->count && err == NS_OK && w->err == NS_OK; i++) {
			(void)put_packet(
			    w, packet_ref(j->pieces[i].packet), NS__ENVELOPE__BODY_FLEET_CHANGE);
			at = j->pieces[i].next;
		}
		log_job_destroy(&j);
	}
	return err == NS_OK ? w->err == NS_OK : failed(w, err, "the log cannot be read");
}

/* What would be kept if the log began with the tail, and the tail. */
static bool
put_log(struct write *w, uint64_t first)
{
	uint64_t *kept = NULL;
	size_t n = 0;
	enum ns_err err = store_kept_below(w->store, first, clock_wall_ms() - TRASH_MS, &kept, &n);
	bool ok = err == NS_OK || failed(w, err, "the log cannot be read");

	for (size_t i = 0; i < n && ok; i++)
		ok = put_changes(w, kept[i], kept[i]);
	free(kept);
	return ok && put_changes(w, first, w->revision);
}

/* ---- all of it ---- */
static bool
put_head(struct write *w, struct snap_made *made, uint64_t *first)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__SnapshotHead m = NS__SNAPSHOT_HEAD__INIT;
	uint8_t hash[STORE_HASH], all[SNAP_DIGEST];
	uint64_t begins = 1;
	enum ns_err err = store_head(w->store, &m.revision, &m.term, hash);

	if (err == NS_OK)
		err = store_history(w->store, &begins);
	if (err == NS_OK)
		err = store_ids(w->store, &m.zone_id, &m.object_id);
	if (err == NS_OK)
		err = snap_view(w->store, w->residency, w->site, made->view);
	if (err == NS_OK)
		err = snap_view(w->store, NULL, w->site, all);
	w->restricted = memcmp(made->view, all, SNAP_DIGEST) != 0;
	if (err != NS_OK || m.revision == 0)
		return failed(w, err != NS_OK ? err : NS_FAILED, "the store cannot be read");
	*first = m.revision > SNAP_TAIL ? m.revision - SNAP_TAIL + 1 : 1;
	if (*first < begins)
		*first = begins;
	w->revision = made->revision = m.revision;
	memcpy(made->hash, hash, STORE_HASH);
	made->made_ms = clock_wall_ms();
	m.format = SNAP_FORMAT;
	m.hash = (ProtobufCBinaryData){ STORE_HASH, hash };
	m.site = (char *)(uintptr_t)w->site;
	m.view = (ProtobufCBinaryData){ SNAP_DIGEST, made->view };
	m.begins = *first;
	m.made_ms = made->made_ms;
	env.body_case = NS__ENVELOPE__BODY_SNAPSHOT_HEAD;
	env.snapshot_head = &m;
	return put(w, &env);
}

static bool
read_ok(struct write *w, enum ns_err err)
{
	return err == NS_OK ? w->err == NS_OK : failed(w, err, "the store cannot be read");
}

static bool
put_all(struct write *w, struct snap_made *made)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__SnapshotEnd end = NS__SNAPSHOT_END__INIT;
	struct store *s = w->store;
	uint64_t first;

	if (!put_head(w, made, &first) || !read_ok(w, store_setting_each(s, each_setting, w)) ||
	    !read_ok(w, store_object_each(s, NULL, each_object, w)) ||
	    !read_ok(w, store_zone_each(s, NULL, each_zone, w)) ||
	    !read_ok(w, store_tombs(s, 0, each_tomb, w)) ||
	    !read_ok(w, store_idem_after(s, made->made_ms - SNAP_KEYS_MS, each_key, w)) ||
	    !read_ok(w, store_window_each(s, each_window, w)) || !rows_flush(w, true) ||
	    !put_log(w, first))
		return false;
	end.zones = w->counts.zones;
	end.things = w->counts.things;
	end.rows = w->counts.rows;
	end.changes = w->counts.changes;
	env.body_case = NS__ENVELOPE__BODY_SNAPSHOT_END;
	env.snapshot_end = &end;
	return put(w, &env) && flush(w, 0);
}

static bool
name_it(struct write *w, const char *dir, const char *path, struct snap_made *made)
{
	unsigned len = SNAP_DIGEST;
	char *final;
	bool ok;

	EVP_DigestFinal_ex(w->sum, made->digest, &len);
	snap_hex(made->digest, made->name);
	made->octets = w->octets;
	final = xasprintf("%s/%s", dir, made->name);
	ok = fsync(w->fd) == 0 && rename(path, final) == 0;
	free(final);
	return ok || failed(w, NS_UNAVAILABLE, strerror(errno));
}

enum ns_err
snap_write(struct store *s, const char *dir, const char *site, uint64_t term,
    const atomic_bool *stop, struct snap_made *made, struct ns_why *why)
{
	struct write w = { .store = s,
		.site = site,
		.term = term,
		.stop = stop,
		.buf = wbuf_grow(2 * BUFFER + SNAP_RECORD_MAX),
		.why = why };
	char *path = xasprintf("%s/" SNAP_MAKING, dir);
	enum ns_err err = store_begin(s, why);

	*made = (struct snap_made){ 0 };
	snprintf(made->site, sizeof made->site, "%s", site);
	ns__snapshot_rows__init(&w.rows);
	w.sum = EVP_MD_CTX_new();
	EVP_DigestInit_ex(w.sum, EVP_sha256(), NULL);
	w.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (w.fd < 0)
		(void)failed(&w, NS_UNAVAILABLE, strerror(errno));
	if (err == NS_OK) {
		if (w.err == NS_OK && residency_load(s, &w.residency) != NS_OK)
			(void)failed(&w, NS_CORRUPT, "who may have what cannot be read");
		made->zones = store_zone_count(s);
		if (w.err == NS_OK && put_all(&w, made))
			(void)name_it(&w, dir, path, made);
		store_rollback(s);
		err = w.err;
	}
	if (err != NS_OK)
		(void)unlink(path);
	if (w.fd >= 0)
		close(w.fd);
	rows_clear(&w);
	residency_free(&w.residency);
	EVP_MD_CTX_free(w.sum);
	wbuf_free(&w.buf);
	free(path);
	return err;
}

/* ---- one that is there ---- */
struct head {
	struct snap_made *made;
	bool seen;
};

/* The first record is all that is wanted. */
static enum ns_err
head_record(void *arg, const Ns__Envelope *env, struct ns_why *why)
{
	struct head *h = arg;
	const Ns__SnapshotHead *m = env->snapshot_head;

	(void)why;
	if (h->seen || env->body_case != NS__ENVELOPE__BODY_SNAPSHOT_HEAD ||
	    m->format != SNAP_FORMAT || m->view.len != SNAP_DIGEST || m->hash.len != STORE_HASH ||
	    strlen(m->site) >= sizeof h->made->site)
		return NS_CORRUPT;
	h->seen = true;
	h->made->revision = m->revision;
	h->made->made_ms = m->made_ms;
	memcpy(h->made->view, m->view.data, SNAP_DIGEST);
	memcpy(h->made->hash, m->hash.data, STORE_HASH);
	snprintf(h->made->site, sizeof h->made->site, "%s", m->site);
	return NS_OK;
}

static bool
read_hex(const char *name, uint8_t out[SNAP_DIGEST])
{
	unsigned octet;

	if (strlen(name) != SNAP_NAME - 1 || strspn(name, "0123456789abcdef") != SNAP_NAME - 1)
		return false;
	for (unsigned i = 0; i < SNAP_DIGEST; i++) {
		if (sscanf(name + 2 * (size_t)i, "%2x", &octet) != 1)
			return false;
		out[i] = (uint8_t)octet;
	}
	return true;
}

enum ns_err
snap_made_read(const char *dir, const char *name, struct snap_made *made)
{
	struct head h = { .made = made };
	struct snap_reader *r;
	uint8_t octets[4096];
	struct stat st;
	char *path;
	ssize_t n = 0;
	int fd;

	*made = (struct snap_made){ 0 };
	if (!read_hex(name, made->digest))
		return NS_CORRUPT;
	snprintf(made->name, sizeof made->name, "%s", name);
	path = xasprintf("%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	free(path);
	if (fd < 0)
		return NS_NOTFOUND;
	if (fstat(fd, &st) == 0 && (n = read(fd, octets, sizeof octets)) > 0) {
		made->octets = (uint64_t)st.st_size;
		r = snap_reader_new(head_record, &h);
		(void)!snap_read(r, octets, (size_t)n, NULL);
		snap_reader_destroy(&r);
	}
	close(fd);
	return h.seen ? NS_OK : NS_CORRUPT;
}

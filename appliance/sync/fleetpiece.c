/* fleetpiece - pieces of the log as each appliance may have them (fleetlog.h).  The log reader's thread. */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "appliance/fleet/follow.h"
#include "appliance/sync/fleetlog.h"
#include "appliance/sync/residency.h"
#include "ipc/base/xalloc.h"

/* ---- the log ---- */
struct keys {
	size_t n;
	Ns__FleetChange__Key **list;
};

static void
key_add(void *arg, const struct store_idem *k)
{
	struct keys *keys = arg;
	Ns__FleetChange__Key *m = xmalloc(sizeof *m);

	ns__fleet_change__key__init(m);
	m->principal = xstrdup(k->principal);
	m->key = xstrdup(k->key);
	m->at_ms = k->at_ms;
	m->digest = (ProtobufCBinaryData){ STORE_HASH, xmalloc(STORE_HASH) };
	memcpy(m->digest.data, k->digest, STORE_HASH);
	m->reply = (ProtobufCBinaryData){ k->reply_len, xmalloc(k->reply_len + 1) };
	if (k->reply_len > 0)
		memcpy(m->reply.data, k->reply, k->reply_len);
	keys->list = xreallocarray(keys->list, keys->n + 1, sizeof *keys->list);
	keys->list[keys->n++] = m;
}

static void
keys_free(struct keys *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		protobuf_c_message_free_unpacked(&keys->list[i]->base, NULL);
	free(keys->list);
}

static void
fill_change(Ns__FleetChange *m, struct store_change *c)
{
	ns__fleet_change__init(m);
	m->revision = c->revision;
	m->term = c->term;
	m->at_ms = c->at_ms;
	m->author = c->author;
	m->via = c->via;
	m->kind = c->kind;
	m->comment = c->comment;
	m->source = c->source;
	m->appliance = c->appliance;
	m->added = c->added;
	m->removed = c->removed;
	m->zone_count = c->zone_count;
	m->prev = (ProtobufCBinaryData){ STORE_HASH, c->prev };
	m->hash = (ProtobufCBinaryData){ STORE_HASH, c->hash };
}

static struct packet *
pack_change(Ns__FleetChange *m, uint64_t term)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;

	env.term = term;
	env.body_case = NS__ENVELOPE__BODY_FLEET_CHANGE;
	env.fleet_change = m;
	return packet_new(&env);
}

/* ---- what of it somebody may have ---- */
struct view {
	struct store *store;
	struct residency *residency;
	bool whole; /* what we hold a part of is not given on */
	const char *site; /* NULL: the ring's pieces, which are everybody's */
	uint64_t revision; /* the fields below are of that change */
	bool cut, kept;
	struct wbuf body; /* what is left of it */
	uint8_t digest[STORE_HASH]; /* of all of it */
};

static enum ns_err
view_cut(struct view *v, Ns__ChangeBody *body, const struct wbuf *stored)
{
	enum ns_err err;
	uint8_t *room;
	size_t len;

	if (v->site == NULL)
		return redact_touches(v->store, v->residency, body, &v->kept);
	err = redact_body(v->store, v->residency, v->site, body, &v->cut);
	if (err != NS_OK || !v->cut)
		return err;
	len = ns__change_body__get_packed_size(body);
	room = wbuf_room(&v->body, len);
	if (room == NULL)
		return NS_UNAVAILABLE;
	ns__change_body__pack(body, room);
	err = store_change_digest(v->store, v->revision, v->digest);
	if (err != NS_NOTFOUND)
		return err;
	return EVP_Digest(stored->base, stored->len, v->digest, NULL, EVP_sha256(), NULL) == 1
		   ? NS_OK
		   : NS_FAILED;
}

/* Look at the whole change, once for all of its pieces. */
static enum ns_err
view_change(struct view *v, uint64_t revision)
{
	struct wbuf stored = wbuf_grow(FOLLOW_BODY_MAX);
	Ns__ChangeBody *body = NULL;
	struct store_change c;
	enum ns_err err = NS_OK;

	if (v->residency == NULL || v->revision == revision)
		return NS_OK;
	v->cut = v->kept = false;
	v->body.len = 0;
	v->revision = revision;
	err = store_change_get(v->store, revision, &c, &stored);
	if (err == NS_OK && (body = ns__change_body__unpack(NULL, stored.len, stored.base)) == NULL)
		err = NS_CORRUPT;
	if (err == NS_OK)
		err = view_cut(v, body, &stored);
	if (body != NULL)
		ns__change_body__free_unpacked(body, NULL);
	wbuf_free(&stored);
	return err;
}

static enum ns_err
stored_piece(
    struct view *v, struct cursor at, struct store_change *c, Ns__FleetChange *m, struct wbuf *body)
{
	uint64_t size;
	enum ns_err err =
	    store_change_piece(v->store, at.revision, at.offset, FLEET_PIECE, c, &size, body);

	if (err != NS_OK)
		return err;
	fill_change(m, c);
	m->body_size = size;
	m->body = (ProtobufCBinaryData){ body->len, body->base };
	/* We may hold a part of it ourselves. */
	err = store_change_digest(v->store, at.revision, v->digest);
	if (err == NS_OK && v->whole)
		return NS_NOTFOUND;
	if (err == NS_OK)
		m->body_digest = (ProtobufCBinaryData){ STORE_HASH, v->digest };
	return err == NS_NOTFOUND ? NS_OK : err;
}

static enum ns_err
cut_piece(struct view *v, struct cursor at, struct store_change *c, Ns__FleetChange *m)
{
	size_t from = at.offset < v->body.len ? (size_t)at.offset : v->body.len;
	size_t len = v->body.len - from < FLEET_PIECE ? v->body.len - from : FLEET_PIECE;
	enum ns_err err = store_change_get(v->store, at.revision, c, NULL);

	if (err != NS_OK)
		return err;
	fill_change(m, c);
	m->body_size = v->body.len;
	m->body = (ProtobufCBinaryData){ len, v->body.base + from };
	m->body_digest = (ProtobufCBinaryData){ STORE_HASH, v->digest };
	return NS_OK;
}

/* NS_NOTFOUND: nothing is there yet. */
static enum ns_err
read_piece(struct view *v, struct cursor at, uint64_t term, struct piece *out)
{
	struct wbuf body = wbuf_grow(FLEET_PIECE);
	struct keys keys = { 0 };
	struct store_change c;
	Ns__FleetChange m;
	enum ns_err err = view_change(v, at.revision);

	if (err == NS_OK)
		err = v->cut ? cut_piece(v, at, &c, &m) : stored_piece(v, at, &c, &m, &body);
	if (err == NS_OK) {
		m.offset = at.offset;
		out->at = at;
		out->kept = v->kept;
		out->next = (struct cursor){ at.revision, at.offset + m.body.len };
		if (out->next.offset >= m.body_size) {
			out->next = (struct cursor){ at.revision + 1, 0 };
			/* Answers name zones. */
			if (!v->cut)
				err = store_idem_each(v->store, at.revision, key_add, &keys);
			m.n_keys = keys.n;
			m.keys = keys.list;
		}
	}
	if (err == NS_OK && (out->packet = pack_change(&m, term)) == NULL)
		err = NS_FAILED;
	keys_free(&keys);
	wbuf_free(&body);
	return err;
}

enum ns_err
log_read(struct log_job *j, struct store *store, struct residency *residency)
{
	struct view v = { .store = store,
		.residency = residency,
		.whole = j->whole,
		.site = j->name[0] != '\0' ? j->site : NULL,
		.body = wbuf_grow(FOLLOW_BODY_MAX) };
	struct cursor at = j->from;
	enum ns_err err = NS_OK;
	size_t octets = 0;

	while (err == NS_OK && j->count < LOG_PIECES && octets < LOG_OCTETS &&
	       (j->until == 0 || at.revision <= j->until)) {
		struct piece *p = &j->pieces[j->count];

		if ((err = read_piece(&v, at, j->term, p)) != NS_OK)
			break;
		octets += p->packet->len;
		at = p->next;
		j->count++;
	}
	wbuf_free(&v.body);
	return err == NS_NOTFOUND ? NS_OK : err;
}

static void
log_work(struct job *job, void *thread)
{
	struct log_job *j = (struct log_job *)job;
	struct residency *residency = NULL;
	struct ns_why why;

	/* One point in the history: who may have what is not older than what is read. */
	j->err = store_begin(thread, &why);
	if (j->err != NS_OK)
		return;
	j->err = residency_load(thread, &residency);
	if (j->err == NS_OK)
		j->err = log_read(j, thread, residency);
	store_rollback(thread);
	residency_free(&residency);
}

struct log_job *
log_job_new(struct cursor from, uint64_t term, void (*done)(struct job *, struct sync *))
{
	struct log_job *j = xcalloc(1, sizeof *j);

	j->job.work = log_work;
	j->job.done = done;
	j->from = from;
	j->term = term;
	return j;
}

void
log_job_destroy(struct log_job **jp)
{
	for (size_t i = 0; i < (*jp)->count; i++)
		packet_unref((*jp)->pieces[i].packet);
	free(*jp);
	*jp = NULL;
}

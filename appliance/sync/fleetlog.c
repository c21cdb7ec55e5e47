/* fleetlog - see fleetlog.h: places and digests.  The log reader's thread. */
#include "appliance/sync/fleetlog.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "appliance/dns/name.h"
#include "appliance/keys/keybody.h"
#include "appliance/sync/residency.h"
#include "appliance/sync/sync.h"
#include "appliance/zonemap/image.h"
#include "ipc/base/xalloc.h"

/* ---- a place ---- */
struct older {
	uint64_t term, revision;
};

/* Newest first; terms only fall. */
static bool
is_older(void *arg, const struct store_change *c)
{
	struct older *o = arg;

	if (c->term > o->term)
		return true;
	o->revision = c->revision;
	return false;
}

static void
place_work(struct job *job, void *thread)
{
	struct place_job *j = (struct place_job *)job;
	struct store_change c;
	bool there = store_change_get(thread, j->revision, &c, NULL) == NS_OK;
	struct older o = { .term = j->log_term };

	j->ours = j->revision == 0 || (there && memcmp(c.hash, j->hash, STORE_HASH) == 0);
	j->here = there ? c.term : 0;
	if (!j->ours && store_change_each(thread, 0, j->revision, is_older, &o) == NS_OK)
		j->older = o.revision;
}

struct place_job *
place_job_new(
    uint64_t revision, const uint8_t hash[STORE_HASH], void (*done)(struct job *, struct sync *))
{
	struct place_job *j = xcalloc(1, sizeof *j);

	j->job.work = place_work;
	j->job.done = done;
	j->revision = revision;
	memcpy(j->hash, hash, STORE_HASH);
	return j;
}

static void
point_work(struct job *job, void *thread)
{
	struct point_job *j = (struct point_job *)job;
	struct store_change c;

	j->err = store_change_get(thread, j->revision, &c, NULL);
	if (j->err != NS_OK)
		return;
	j->log_term = c.term;
	memcpy(j->hash, c.hash, STORE_HASH);
}

struct point_job *
point_job_new(uint64_t revision, void (*done)(struct job *, struct sync *))
{
	struct point_job *j = xcalloc(1, sizeof *j);

	j->job.work = point_work;
	j->job.done = done;
	j->revision = revision;
	return j;
}

/* ---- digests ---- */
struct run {
	struct store *store;
	struct digest_job *job;
	Ns__FleetDigest *out;
	const struct residency *residency; /* of the primary: what the replica may have */
	const char *site;
	EVP_MD_CTX *sum;
	uint64_t octets, max_octets, max_zones;
	uint8_t reached[NAME_MAX_WIRE];
};

/* The row is compared with the content. */
static void
bind_row(const struct store_zone *z, uint8_t sum[32])
{
	uint8_t mem[8 + 4 + 1 + 32];
	struct wbuf w = wbuf_init(mem, sizeof mem);
	unsigned len = 32;

	wbuf_u64(&w, z->id);
	wbuf_u32(&w, z->serial);
	wbuf_u8(&w, z->external);
	wbuf_put(&w, sum, 32);
	EVP_Digest(mem, w.len, sum, &len, EVP_sha256(), NULL);
}

static void
zone_sum(struct store *s, const struct store_zone *z, uint8_t out[32])
{
	struct zone_digest *d = zone_digest_new();
	struct wbuf piece = wbuf_grow(1u << 30);
	uint8_t last[NAME_MAX_WIRE];
	const uint8_t *after = NULL;
	enum ns_err err;

	while ((err = store_content_get(s, z->id, after, 256u << 10, &piece, last)) == NS_OK) {
		zone_digest_add(d, piece.base, piece.len);
		piece.len = 0;
		after = last;
	}
	wbuf_free(&piece);
	zone_digest_end(&d, out);
	if (err != NS_NOTFOUND) /* it cannot be read: it differs from any other */
		memset(out, 0, 32);
	bind_row(z, out);
}

static Ns__FleetDigest__Zone *
zone_entry(const struct store_zone *z, const uint8_t sum[32])
{
	Ns__FleetDigest__Zone *m = xmalloc(sizeof *m);

	ns__fleet_digest__zone__init(m);
	m->name = (ProtobufCBinaryData){ z->name_len, xmalloc(z->name_len) };
	memcpy(m->name.data, z->name, z->name_len);
	m->version = z->version;
	m->sha256 = (ProtobufCBinaryData){ 32, xmalloc(32) };
	memcpy(m->sha256.data, sum, 32);
	return m;
}

static void
sum_entry(struct run *r, const struct store_zone *z, const uint8_t sum[32])
{
	uint8_t mem[NAME_MAX_WIRE + 8 + 32];
	struct wbuf w = wbuf_init(mem, sizeof mem);

	wbuf_put(&w, z->name, z->name_len);
	wbuf_u64(&w, z->version);
	wbuf_put(&w, sum, 32);
	EVP_DigestUpdate(r->sum, mem, w.len);
}

static bool
digest_zone(void *arg, const struct store_zone *z)
{
	struct run *r = arg;
	uint8_t sum[32];

	if (r->job->has_last && name_cmp(z->name, r->job->last) > 0)
		return false;
	if (r->site != NULL && !residency_allows(r->residency, z->id, z->account, r->site))
		return true;
	if (r->out->count >= r->max_zones || r->octets >= r->max_octets) {
		r->job->full = true;
		return false;
	}
	zone_sum(r->store, z, sum);
	sum_entry(r, z, sum);
	r->octets += z->bytes;
	r->out->count++;
	memcpy(r->reached, z->name, z->name_len);
	if (r->job->detail) {
		r->out->zones = xreallocarray(r->out->zones, r->out->count, sizeof *r->out->zones);
		r->out->zones[r->out->n_zones++] = zone_entry(z, sum);
	}
	return true;
}

static ProtobufCBinaryData
name_data(const uint8_t *name)
{
	ProtobufCBinaryData d = { name_len(name), xmalloc(NAME_MAX_WIRE) };

	memcpy(d.data, name, d.len);
	return d;
}

/* What is here after job->after, up to job->last where that is given. */
static enum ns_err
digest_run(struct store *s, struct digest_job *j, const struct residency *residency)
{
	/* Who compares may find more than who says: twice, then the rest waits for the next round. */
	unsigned more = j->said != NULL ? 2 : 1;
	struct run r = { .store = s,
		.job = j,
		.residency = residency,
		.site = j->said != NULL ? j->site : NULL,
		.sum = EVP_MD_CTX_new(),
		.max_octets = more * DIGEST_OCTETS,
		.max_zones = more * DIGEST_ZONES };
	uint8_t hash[STORE_HASH];
	unsigned len = 32;
	uint64_t term;
	enum ns_err err;

	r.out = xmalloc(sizeof *r.out);
	ns__fleet_digest__init(r.out);
	EVP_DigestInit_ex(r.sum, EVP_sha256(), NULL);
	err = store_head(s, &r.out->revision, &term, hash);
	if (err == NS_OK)
		err = store_zone_each(s, j->from_start ? NULL : j->after, digest_zone, &r);
	if (!j->from_start)
		r.out->after = name_data(j->after);
	if (j->has_last || (j->full && r.out->count > 0))
		r.out->last = name_data(j->has_last ? j->last : r.reached);
	r.out->sha256 = (ProtobufCBinaryData){ 32, xmalloc(32) };
	EVP_DigestFinal_ex(r.sum, r.out->sha256.data, &len);
	EVP_MD_CTX_free(r.sum);
	r.out->detail = j->detail;
	j->found = r.out;
	return err;
}

/* ---- the primary: compare, and send what differs ---- */
static void
zone_packet(struct digest_job *j, Ns__FleetZone *m)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	struct packet *p;

	env.term = j->term;
	env.body_case = NS__ENVELOPE__BODY_FLEET_ZONE;
	env.fleet_zone = m;
	p = packet_new(&env);
	if (p == NULL)
		return;
	j->zones = xreallocarray(j->zones, j->nzones + 1, sizeof *j->zones);
	j->zones[j->nzones++] = p;
}

struct sending {
	struct store *store;
	struct digest_job *job;
	const struct residency *residency;
	uint64_t revision;
	size_t sent;
};

/* They come with it: a zone is never served unsigned until they follow. */
static enum ns_err
zone_keys(struct store *s, uint64_t id, struct wbuf *body, Ns__FleetZone *m)
{
	struct store_object o = { 0 };
	char name[KEYS_NAME];
	enum ns_err err;

	keys_object_name(id, name);
	err = store_object_get(s, KEYS_KIND, name, &o, body);
	m->keys = (ProtobufCBinaryData){ err == NS_OK ? body->len : 0, body->base };
	m->keys_id = o.id;
	m->keys_version = o.version;
	return err == NS_NOTFOUND ? NS_OK : err;
}

static enum ns_err
send_zone(struct sending *x, const uint8_t *name)
{
	struct store *s = x->store;
	struct digest_job *j = x->job;
	struct wbuf piece = wbuf_grow(1u << 20), keys = wbuf_grow(STORE_OBJECT_MAX);
	Ns__FleetZone m = NS__FLEET_ZONE__INIT;
	uint8_t last[NAME_MAX_WIRE];
	const uint8_t *after = NULL;
	struct store_zone z;
	enum ns_err err = store_zone_find(s, name, &z);

	m.name = (ProtobufCBinaryData){ name_len(name), (uint8_t *)(uintptr_t)name };
	m.revision = x->revision;
	m.withheld = err == NS_OK && !residency_allows(x->residency, z.id, z.account, j->site);
	m.last = m.absent = m.withheld || err == NS_NOTFOUND;
	if (m.absent)
		zone_packet(j, &m);
	if (m.absent || err != NS_OK) {
		wbuf_free(&keys);
		wbuf_free(&piece);
		return m.absent ? NS_OK : err;
	}
	m.zone_id = z.id;
	m.version = z.version;
	m.serial = z.serial;
	m.account = z.account;
	m.external = z.external;
	m.changed_ms = z.changed_ms;
	err = zone_keys(s, z.id, &keys, &m);
	while (err == NS_OK) {
		err = store_content_get(s, z.id, after, FLEET_PIECE / 2, &piece, last);
		if (err != NS_OK && err != NS_NOTFOUND)
			break;
		m.last = err == NS_NOTFOUND;
		m.zwire = (ProtobufCBinaryData){ piece.len, piece.base };
		zone_packet(j, &m);
		m.offset += piece.len;
		m.keys.len = 0;
		x->sent += piece.len;
		piece.len = 0;
		after = last;
		if (m.last)
			break;
	}
	wbuf_free(&keys);
	wbuf_free(&piece);
	return err == NS_NOTFOUND ? NS_OK : err;
}

/* The replica may be at another revision than we: what changed since says nothing. */
static bool
differs(const Ns__FleetDigest *ours, const Ns__FleetDigest__Zone *a, const Ns__FleetDigest *theirs,
    const Ns__FleetDigest__Zone *b)
{
	if (a != NULL && b != NULL && a->version == b->version)
		return a->sha256.len != b->sha256.len ||
		       memcmp(a->sha256.data, b->sha256.data, a->sha256.len) != 0;
	if (a != NULL)
		return a->version <= theirs->revision;
	return ours->revision == theirs->revision; /* deleted here, or never made */
}

static bool
name_ok(const ProtobufCBinaryData *d, uint8_t out[NAME_MAX_WIRE])
{
	size_t len = name_check(d->data, d->len);

	if (len == 0 || len != d->len)
		return false;
	name_lower(out, d->data, len);
	return true;
}

/* Both lists in order of names. */
static enum ns_err
send_differing(struct sending *x)
{
	const struct digest_job *j = x->job;
	const Ns__FleetDigest *a = j->found, *b = j->said;
	size_t i = 0, k = 0;
	enum ns_err err = NS_OK;

	while (err == NS_OK && x->sent < DIGEST_SENT && (i < a->n_zones || k < b->n_zones)) {
		uint8_t name[NAME_MAX_WIRE];
		int c;

		if (k < b->n_zones && !name_ok(&b->zones[k]->name, name))
			return NS_CORRUPT;
		if (i == a->n_zones && j->full)
			break;
		c = k == b->n_zones   ? -1
		    : i == a->n_zones ? 1
				      : name_cmp(a->zones[i]->name.data, name);
		if (!differs(a, c <= 0 ? a->zones[i] : NULL, b, c >= 0 ? b->zones[k] : NULL)) {
			i += c <= 0;
			k += c >= 0;
			continue;
		}
		j->reply->differ++;
		err = send_zone(x, c < 0 ? a->zones[i]->name.data : name);
		i += c <= 0;
		k += c >= 0;
	}
	return err;
}

static enum ns_err
compare(struct store *s, struct digest_job *j, const struct residency *residency)
{
	struct sending x = { .store = s, .job = j, .residency = residency };
	const Ns__FleetDigest *said = j->said;
	enum ns_err err;

	j->reply = xmalloc(sizeof *j->reply);
	ns__fleet_digest_reply__init(j->reply);
	j->from_start = said->after.len == 0;
	j->has_last = said->last.len > 0;
	j->detail = said->detail;
	if ((!j->from_start && !name_ok(&said->after, j->after)) ||
	    (j->has_last && !name_ok(&said->last, j->last)) || said->n_zones > DIGEST_ZONES)
		return NS_CORRUPT;
	if (!j->from_start)
		j->reply->after = name_data(j->after);
	if (j->has_last)
		j->reply->last = name_data(j->last);
	if ((err = digest_run(s, j, residency)) != NS_OK)
		return err;
	x.revision = j->found->revision;
	if (said->detail)
		return send_differing(&x);
	j->reply->detail = said->count != j->found->count || said->sha256.len != 32 ||
			   memcmp(said->sha256.data, j->found->sha256.data, 32) != 0;
	return NS_OK;
}

static void
digest_work(struct job *job, void *thread)
{
	struct digest_job *j = (struct digest_job *)job;
	struct residency *residency = NULL;
	struct ns_why why;

	/* One point in the history for all that is compared; short enough not to hold the WAL. */
	j->err = store_begin(thread, &why);
	if (j->err != NS_OK)
		return;
	if (j->said == NULL)
		j->err = digest_run(thread, j, NULL);
	else if ((j->err = residency_load(thread, &residency)) == NS_OK)
		j->err = compare(thread, j, residency);
	residency_free(&residency);
	store_rollback(thread);
}

struct digest_job *
digest_job_new(uint64_t term, void (*done)(struct job *, struct sync *))
{
	struct digest_job *j = xcalloc(1, sizeof *j);

	j->job.work = digest_work;
	j->job.done = done;
	j->term = term;
	return j;
}

void
digest_job_destroy(struct digest_job **jp)
{
	struct digest_job *j = *jp;

	if (j->said != NULL)
		ns__fleet_digest__free_unpacked(j->said, NULL);
	if (j->found != NULL)
		ns__fleet_digest__free_unpacked(j->found, NULL);
	if (j->reply != NULL)
		ns__fleet_digest_reply__free_unpacked(j->reply, NULL);
	for (size_t i = 0; i < j->nzones; i++)
		packet_unref(j->zones[i]);
	free(j->zones);
	free(j);
	*jp = NULL;
}

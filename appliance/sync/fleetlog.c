/* fleetlog - see fleetlog.h: places and digests.  The log reader's thread. */
#include "appliance/sync/fleetlog.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "appliance/dns/name.h"
#include "appliance/store/state.h"
#include "appliance/sync/residency.h"
#include "appliance/sync/sync.h"
#include "appliance/sync/zonepieces.h"
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

struct size {
	uint64_t zones, octets;
};

static bool
add_size(void *arg, const struct store_zone *z)
{
	struct size *x = arg;

	x->zones++;
	x->octets += z->bytes;
	return true;
}

/* Only a long way is compared with what a snapshot costs. */
static enum snap_choice
choose(struct store *s, const struct place_job *j)
{
	struct snap_place p = { .from = j->revision,
		.begins = j->begins,
		.wanted = j->wanted,
		.candidate = j->candidate };
	uint8_t hash[STORE_HASH];
	struct size size = { 0 };
	uint64_t term;

	if (store_head(s, &p.head, &term, hash) != NS_OK)
		return SNAP_REPLAY;
	if (p.head > p.from && p.head - p.from > SNAP_LEAST)
		(void)store_zone_each(s, NULL, add_size, &size);
	p.zones = size.zones;
	p.octets = size.octets;
	return snap_choose(&p);
}

/* Before the log's beginning nobody can compare hashes: a term is one history. */
static bool
is_before(struct store *s, struct place_job *j)
{
	struct store_change c;
	uint64_t after = 0;

	if (j->revision + 1 == j->begins)
		return store_change_get(s, j->begins, &c, NULL) == NS_OK &&
		       memcmp(c.prev, j->hash, STORE_HASH) == 0;
	if (store_term_after(s, j->log_term, &after) != NS_OK)
		return false;
	if (after == 0 || after > j->revision)
		return true;
	j->older = after - 1;
	return false;
}

static void
place_work(struct job *job, void *thread)
{
	struct place_job *j = (struct place_job *)job;
	struct store_change c;
	bool there = store_change_get(thread, j->revision, &c, NULL) == NS_OK;
	struct older o = { .term = j->log_term };

	if (store_history(thread, &j->begins) != NS_OK)
		j->begins = 1;
	j->here = there ? c.term : 0;
	if (j->revision != 0 && !there && j->revision < j->begins)
		j->ours = is_before(thread, j);
	else
		j->ours = j->revision == 0 || (there && memcmp(c.hash, j->hash, STORE_HASH) == 0);
	if (j->ours)
		j->choice = choose(thread, j);
	else if (j->older == 0 && store_change_each(thread, 0, j->revision, is_older, &o) == NS_OK)
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
struct sending {
	struct store *store;
	struct digest_job *job;
	const struct residency *residency;
	uint64_t revision;
	size_t sent;
};

static bool
packet_add(void *arg, struct packet *p)
{
	struct digest_job *j = arg;

	if (p == NULL)
		return true;
	j->zones = xreallocarray(j->zones, j->nzones + 1, sizeof *j->zones);
	j->zones[j->nzones++] = p;
	return true;
}

static enum ns_err
send_zone(struct sending *x, const uint8_t *name)
{
	struct zone_view v = { .store = x->store,
		.residency = x->residency,
		.site = x->job->site,
		.term = x->job->term,
		.revision = x->revision,
		.emit = packet_add,
		.arg = x->job };
	enum ns_err err = zone_pieces(&v, name);

	x->sent += v.octets;
	return err;
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

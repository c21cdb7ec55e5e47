/* things - see things.h. */
#include "appliance/sync/things.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "appliance/sync/sync.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"

#define SUM 32u

/* ---- keys ---- */
bool
thing_key_read(struct thing_key *k, const char *kind, const char *name)
{
	*k = (struct thing_key){ 0 };
	if (strlen(kind) >= sizeof k->kind || strlen(name) >= sizeof k->name)
		return false;
	memcpy(k->kind, kind, strlen(kind));
	memcpy(k->name, name, strlen(name));
	return true;
}

int
thing_key_cmp(const struct thing_key *a, const struct thing_key *b)
{
	int c = strcmp(a->kind, b->kind);

	return c != 0 ? c : strcmp(a->name, b->name);
}

bool
thing_differs(
    const Ns__FleetThings__Entry *a, uint64_t at_a, const Ns__FleetThings__Entry *b, uint64_t at_b)
{
	if (a == NULL || (b == NULL && a->version == 0))
		return at_a == at_b; /* dropped or set since, or never made */
	if (b != NULL && a->version == b->version)
		return (a->version != 0 || at_a == at_b) &&
		       (a->sha256.len != b->sha256.len ||
			   memcmp(a->sha256.data, b->sha256.data, a->sha256.len) != 0);
	return a->version <= at_b;
}

/* ---- what is here ---- */
struct run {
	struct things_job *job;
	Ns__FleetThings *out;
	EVP_MD_CTX *sum;
	struct store *store;
	uint64_t octets, max_octets, max_count;
	enum ns_err err;
	struct thing_key reached;
};

static void
entry_add(struct run *r, const struct thing_key *k, uint64_t version, const uint8_t sum[SUM])
{
	Ns__FleetThings__Entry *e = xmalloc(sizeof *e);

	ns__fleet_things__entry__init(e);
	e->kind = xstrdup(k->kind);
	e->name = xstrdup(k->name);
	e->version = version;
	e->sha256 = (ProtobufCBinaryData){ SUM, xmalloc(SUM) };
	memcpy(e->sha256.data, sum, SUM);
	r->out->entries =
	    xreallocarray(r->out->entries, r->out->n_entries + 1, sizeof *r->out->entries);
	r->out->entries[r->out->n_entries++] = e;
}

/* False: that was all for this message. */
static bool
take(struct run *r, const struct store_object *o, const void *body, size_t len)
{
	uint8_t mem[8], sum[SUM];
	struct wbuf w = wbuf_init(mem, sizeof mem);
	EVP_MD_CTX *one;
	struct thing_key k;
	unsigned n = SUM;

	if (!thing_key_read(&k, o->kind, o->name) ||
	    (r->job->has_last && thing_key_cmp(&k, &r->job->last) > 0))
		return false;
	if (r->out->count >= r->max_count || r->octets >= r->max_octets) {
		r->job->full = true;
		return false;
	}
	one = EVP_MD_CTX_new();
	wbuf_u64(&w, o->id);
	EVP_DigestInit_ex(one, EVP_sha256(), NULL);
	EVP_DigestUpdate(one, mem, w.len);
	EVP_DigestUpdate(one, body, len);
	EVP_DigestFinal_ex(one, sum, &n);
	EVP_MD_CTX_free(one);
	w = wbuf_init(mem, sizeof mem);
	wbuf_u64(&w, o->version);
	EVP_DigestUpdate(r->sum, k.kind, strlen(k.kind) + 1);
	EVP_DigestUpdate(r->sum, k.name, strlen(k.name) + 1);
	EVP_DigestUpdate(r->sum, mem, w.len);
	EVP_DigestUpdate(r->sum, sum, SUM);
	r->octets += len;
	r->out->count++;
	r->reached = k;
	if (r->job->detail)
		entry_add(r, &k, o->version, sum);
	return true;
}

/* What the replica may not have is not there for it. */
static bool
take_object(void *arg, const struct store_object *o, const void *body, size_t len)
{
	struct run *r = arg;
	bool allowed;

	r->err =
	    redact_object(r->store, r->job->residency, r->job->site, o->kind, o->name, &allowed);
	if (r->err != NS_OK)
		return false;
	return !allowed || take(r, o, body, len);
}

static bool
take_setting(void *arg, const char *name, const char *value)
{
	struct run *r = arg;
	struct store_object o = { 0 };
	size_t len = strlen(name);

	if (len >= sizeof o.name)
		return false;
	memcpy(o.name, name, len);
	return strcmp(name, r->job->after.name) <= 0 || take(r, &o, value, strlen(value));
}

static enum ns_err
walk(struct store *s, struct run *r)
{
	const struct thing_key *after = &r->job->after;
	enum ns_err err = NS_OK;

	if (after->kind[0] == '\0')
		err = store_setting_each(s, take_setting, r);
	if (err != NS_OK || r->job->full)
		return err;
	err = store_object_after(
	    s, after->kind, after->kind[0] != '\0' ? after->name : "", take_object, r);
	return err == NS_OK ? r->err : err;
}

static enum ns_err
things_run(struct store *s, struct things_job *j)
{
	/* Who compares may find more than who says: twice, then the rest waits for the next round. */
	unsigned more = j->said != NULL ? 2 : 1;
	struct run r = { .job = j,
		.store = s,
		.sum = EVP_MD_CTX_new(),
		.max_octets = more * THINGS_OCTETS,
		.max_count = more * THINGS_RUN };
	uint8_t hash[STORE_HASH];
	unsigned len = SUM;
	uint64_t term;
	enum ns_err err;

	r.out = j->found = xmalloc(sizeof *r.out);
	ns__fleet_things__init(r.out);
	EVP_DigestInit_ex(r.sum, EVP_sha256(), NULL);
	err = store_head(s, &r.out->revision, &term, hash);
	if (err == NS_OK)
		err = walk(s, &r);
	r.out->after_kind = xstrdup(j->after.kind);
	r.out->after_name = xstrdup(j->after.name);
	r.out->has_last = j->has_last || (j->full && r.out->count > 0);
	r.out->last_kind = xstrdup(j->has_last ? j->last.kind : r.reached.kind);
	r.out->last_name = xstrdup(j->has_last ? j->last.name : r.reached.name);
	r.out->sha256 = (ProtobufCBinaryData){ SUM, xmalloc(SUM) };
	EVP_DigestFinal_ex(r.sum, r.out->sha256.data, &len);
	EVP_MD_CTX_free(r.sum);
	r.out->detail = j->detail;
	return err;
}

/* ---- the primary: compare, and send what differs ---- */
static enum ns_err
send_thing(struct store *s, struct things_job *j, const struct thing_key *k, size_t *sent)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetThing m = NS__FLEET_THING__INIT;
	struct wbuf body = wbuf_grow(STORE_OBJECT_MAX);
	struct store_object o = { 0 };
	struct packet *p = NULL;
	char *value = NULL;
	bool allowed = true;
	enum ns_err err = redact_object(s, j->residency, j->site, k->kind, k->name, &allowed);

	if (err != NS_OK || !allowed) {
		err = err == NS_OK ? NS_NOTFOUND : err;
	} else if (k->kind[0] != '\0') {
		err = store_object_get(s, k->kind, k->name, &o, &body);
	} else {
		err = store_setting_get(s, k->name, &value);
		if (err == NS_OK)
			wbuf_put(&body, value, strlen(value));
		free(value);
	}
	m.kind = (char *)(uintptr_t)k->kind;
	m.name = (char *)(uintptr_t)k->name;
	m.id = o.id;
	m.version = o.version;
	m.body = (ProtobufCBinaryData){ body.len, body.base };
	m.revision = j->found->revision;
	m.absent = err == NS_NOTFOUND;
	env.term = j->term;
	env.body_case = NS__ENVELOPE__BODY_FLEET_THING;
	env.fleet_thing = &m;
	if (err == NS_OK || err == NS_NOTFOUND)
		p = packet_new(&env);
	*sent += body.len;
	wbuf_free(&body);
	if (p == NULL)
		return err == NS_OK || err == NS_NOTFOUND ? NS_OK : err;
	j->packets = xreallocarray(j->packets, j->count + 1, sizeof *j->packets);
	j->packets[j->count++] = p;
	return NS_OK;
}

/* Both lists in order. */
static enum ns_err
send_differing(struct store *s, struct things_job *j)
{
	const Ns__FleetThings *a = j->found, *b = j->said;
	size_t i = 0, k = 0, sent = 0;
	enum ns_err err = NS_OK;

	while (err == NS_OK && sent < THINGS_SENT && (i < a->n_entries || k < b->n_entries)) {
		const Ns__FleetThings__Entry *ours = i < a->n_entries ? a->entries[i] : NULL;
		const Ns__FleetThings__Entry *theirs = k < b->n_entries ? b->entries[k] : NULL;
		struct thing_key x = { 0 }, y = { 0 };
		int c;

		if ((ours != NULL && !thing_key_read(&x, ours->kind, ours->name)) ||
		    (theirs != NULL && !thing_key_read(&y, theirs->kind, theirs->name)))
			return NS_CORRUPT;
		if (ours == NULL && j->full)
			break;
		c = theirs == NULL ? -1 : ours == NULL ? 1 : thing_key_cmp(&x, &y);
		if (thing_differs(
			c <= 0 ? ours : NULL, a->revision, c >= 0 ? theirs : NULL, b->revision)) {
			j->reply->differ++;
			err = send_thing(s, j, c <= 0 ? &x : &y, &sent);
		}
		i += c <= 0;
		k += c >= 0;
	}
	return err;
}

static enum ns_err
compare(struct store *s, struct things_job *j)
{
	const Ns__FleetThings *said = j->said;
	enum ns_err err;

	j->detail = said->detail;
	j->has_last = said->has_last;
	if (!thing_key_read(&j->after, said->after_kind, said->after_name) ||
	    !thing_key_read(&j->last, said->last_kind, said->last_name) ||
	    said->n_entries > THINGS_RUN)
		return NS_CORRUPT;
	j->reply = xmalloc(sizeof *j->reply);
	ns__fleet_things_reply__init(j->reply);
	j->reply->after_kind = xstrdup(j->after.kind);
	j->reply->after_name = xstrdup(j->after.name);
	j->reply->has_last = j->has_last;
	j->reply->last_kind = xstrdup(j->last.kind);
	j->reply->last_name = xstrdup(j->last.name);
	if ((err = things_run(s, j)) != NS_OK)
		return err;
	if (said->detail)
		return send_differing(s, j);
	j->reply->detail = said->count != j->found->count || said->sha256.len != SUM ||
			   memcmp(said->sha256.data, j->found->sha256.data, SUM) != 0;
	return NS_OK;
}

static void
things_work(struct job *job, void *thread)
{
	struct things_job *j = (struct things_job *)job;
	struct ns_why why;

	/* One point in the history for all that is compared. */
	j->err = store_begin(thread, &why);
	if (j->err != NS_OK)
		return;
	if (j->said != NULL)
		j->err = residency_load(thread, &j->residency);
	if (j->err == NS_OK)
		j->err = j->said != NULL ? compare(thread, j) : things_run(thread, j);
	residency_free(&j->residency);
	store_rollback(thread);
}

struct things_job *
things_job_new(uint64_t term, void (*done)(struct job *, struct sync *))
{
	struct things_job *j = xcalloc(1, sizeof *j);

	j->job.work = things_work;
	j->job.done = done;
	j->term = term;
	return j;
}

void
things_job_destroy(struct things_job **jp)
{
	struct things_job *j = *jp;

	if (j->said != NULL)
		ns__fleet_things__free_unpacked(j->said, NULL);
	if (j->found != NULL)
		ns__fleet_things__free_unpacked(j->found, NULL);
	if (j->reply != NULL)
		ns__fleet_things_reply__free_unpacked(j->reply, NULL);
	for (size_t i = 0; i < j->count; i++)
		packet_unref(j->packets[i]);
	free(j->packets);
	free(j);
	*jp = NULL;
}

/* dnssecwrite - a zone's new keys as one change, with the fleet keys where they are new.  Writer thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/keys/keybody.h"
#include "appliance/sync/batch.h"
#include "appliance/sync/change.h"
#include "appliance/sync/dnssec.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/keyfeed.h"
#include "appliance/sync/writer.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"

#define COMMENT_MAX 256

static const char *const verbs[] = {
	[NS__DNSSEC_SET_REQUEST__VERB__ENABLE] = "sign the zone",
	[NS__DNSSEC_SET_REQUEST__VERB__DISABLE] = "stop signing the zone",
	[NS__DNSSEC_SET_REQUEST__VERB__ROLL_KSK] = "roll the KSK",
	[NS__DNSSEC_SET_REQUEST__VERB__ROLL_ZSK] = "roll the ZSK",
	[NS__DNSSEC_SET_REQUEST__VERB__ROLL_ALGORITHM] = "change the algorithm",
	[NS__DNSSEC_SET_REQUEST__VERB__DS_SUBMITTED] = "the parent has the DS",
	[NS__DNSSEC_SET_REQUEST__VERB__EVENT] = "keys",
};

/* ---- what happened, for the history ---- */
static const struct ks_key *
same_key(const struct ks_zone *z, uint32_t id)
{
	for (unsigned i = 0; i < z->n; i++)
		if (z->key[i].id == id)
			return &z->key[i];
	return NULL;
}

static void
say(char out[COMMENT_MAX], const struct ks_key *k, const char *what)
{
	size_t used = strlen(out);

	snprintf(out + used, COMMENT_MAX - used, "%s %s %u %s",
	    out[used > 0 ? used - 1 : 0] == ':' ? "" : ",", ks_role_name(k->role), k->tag, what);
}

static void
describe(const struct dnssec *d, const Ns__DnssecSetRequest *in, char out[COMMENT_MAX])
{
	Ns__ZoneKeys *old = d->keys.len > 0 ? keybody_unpack(d->keys.base, d->keys.len) : NULL;
	Ns__ZoneKeys *new =
	    d->done->keys.len > 0 ? keybody_unpack(d->done->keys.data, d->done->keys.len) : NULL;
	struct ks_zone was = { .n = 0 }, is = { .n = 0 };

	if (old != NULL)
		keybody_read(old, &was);
	if (new != NULL)
		keybody_read(new, &is);
	snprintf(out, COMMENT_MAX, "%s:",
	    in->comment[0] != '\0' ? in->comment
	    : d->lost              ? "new keys, the old ones are lost"
				   : verbs[in->verb]);
	for (unsigned i = 0; i < is.n; i++) {
		const struct ks_key *before = same_key(&was, is.key[i].id);

		if (before == NULL || before->state != is.key[i].state)
			say(out, &is.key[i], ks_state_name(is.key[i].state));
	}
	for (unsigned i = 0; i < was.n && new != NULL; i++)
		if (same_key(&is, was.key[i].id) == NULL)
			say(out, &was.key[i], "removed");
	if (out[strlen(out) - 1] == ':')
		out[strlen(out) - 1] = '\0';
	if (old != NULL)
		ns__zone_keys__free_unpacked(old, NULL);
	if (new != NULL)
		ns__zone_keys__free_unpacked(new, NULL);
}

/* ---- objects of the change ---- */
struct objects {
	struct batch *b;
	Ns__ChangeBody__Object **list;
	size_t n;
};

static void
objects_free(struct objects *o)
{
	for (size_t i = 0; i < o->n; i++)
		protobuf_c_message_free_unpacked(&o->list[i]->base, NULL);
	free(o->list);
}

/* The store gives the number; body NULL: it goes. */
static enum ns_err
object_add(struct objects *o, const char *kind, const char *name, const void *body, size_t len,
    struct ns_why *why)
{
	struct store_object row = { .version = o->b->revision + 1 };
	Ns__ChangeBody__Object *m = xmalloc(sizeof *m);
	enum ns_err err;

	ns__change_body__object__init(m);
	m->kind = xstrdup(kind);
	m->name = xstrdup(name);
	o->list = xreallocarray(o->list, o->n + 1, sizeof *o->list);
	o->list[o->n++] = m;
	snprintf(row.kind, sizeof row.kind, "%s", kind);
	snprintf(row.name, sizeof row.name, "%s", name);
	m->removed = body == NULL;
	if (body == NULL) {
		err = store_object_get(o->b->store, kind, name, &row, NULL);
	} else {
		m->body.data = xmalloc(len);
		m->body.len = len;
		memcpy(m->body.data, body, len);
		err = store_object_put(o->b->store, &row, body, len, why);
	}
	m->id = row.id;
	return err == NS_OK ? err : ns_fail(why, err, ES_STORE, "the store cannot be written");
}

/* Of those who had the lost fleet keys, but for who gets the new ones here. */
static enum ns_err
drop_lost(struct objects *o, const struct dnssec *d, struct ns_why *why)
{
	enum ns_err err = NS_OK;

	bool made = d->lost && d->done->n_sealed > 0 && !d->done->kept;

	for (size_t i = 0; made && i < d->ngone && err == NS_OK; i++) {
		if (strcmp(d->gone[i], d->done->sealed[0]->name) != 0)
			err = object_add(o, KEYRING_KIND, d->gone[i], NULL, 0, why);
	}
	return err;
}

static enum ns_err
add_rings(struct objects *o, const Ns__KeyWorkDone *done, struct ns_why *why)
{
	enum ns_err err = NS_OK;

	for (size_t i = 0; i < done->n_sealed && err == NS_OK; i++) {
		size_t len = ns__keyring__get_packed_size(done->sealed[i]->keyring);
		uint8_t *packed = xmalloc(len + 1);

		ns__keyring__pack(done->sealed[i]->keyring, packed);
		err = object_add(o, KEYRING_KIND, done->sealed[i]->name, packed, len, why);
		free(packed);
	}
	return err;
}

/* Two that both would make the first fleet keys: the second begins again. */
static enum ns_err
still_first(const struct request *r, struct store *s, struct ns_why *why)
{
	const struct dnssec *d = r->state;
	struct store_object o;

	if (!d->fresh || d->lost ||
	    store_object_get(s, KEYRING_KIND, r->own_name, &o, NULL) == NS_NOTFOUND)
		return NS_OK;
	return ns_fail(why, NS_CONFLICT, ES_STALE,
	    "the fleet keys have just been made by another request: try again");
}

/* Since it was read nobody else has changed it. */
static enum ns_err
still_same(const struct dnssec *d, struct store *s, struct store_zone *z, struct ns_why *why)
{
	uint64_t version = 0;
	enum ns_err err = store_zone_by_id(s, d->z.id, z);

	if (err == NS_OK) {
		err = keys_load(s, d->z.id, NULL, &version);
		err = err == NS_NOTFOUND ? NS_OK : err;
	}
	if (err == NS_NOTFOUND || (err == NS_OK && version != d->keys_version))
		return ns_fail(why, NS_CONFLICT, ES_STALE,
		    "the zone's keys have just been changed by somebody else: look, and try again");
	return err == NS_OK ? err : ns_fail(why, err, ES_STORE, "the store cannot be read");
}

static enum ns_err
commit(struct request *r, struct batch *b, struct store_zone *z, struct objects *o)
{
	const Ns__DnssecSetRequest *in = r->env->dnssec_set_request;
	const struct dnssec *d = r->state;
	char name[KEYS_NAME], comment[COMMENT_MAX];
	struct change_zone *cz;
	struct change c;
	enum ns_err err = add_rings(o, d->done, &r->why);

	keys_object_name(z->id, name);
	if (err == NS_OK)
		err = drop_lost(o, d, &r->why);
	if (err == NS_OK)
		err = object_add(o, KEYS_KIND, name,
		    d->done->keys.len > 0 ? d->done->keys.data : NULL, d->done->keys.len, &r->why);
	if (err != NS_OK)
		return err;
	describe(d, in, comment);
	change_begin(&c, &r->caller, "dnssec", comment, b->now_ms, b->term);
	cz = change_zone(&c, NS__CHANGE_BODY__ZONE__KIND__EDIT, z, NULL);
	cz->msg.serial_after = z->serial;
	c.body.objects = o->list;
	c.body.n_objects = o->n;
	err = change_commit(&c, b, &r->why);
	change_free(&c);
	z->version = b->revision;
	return err;
}

enum ns_err
dnssec_set_write(struct request *r, struct batch *b)
{
	const struct dnssec *d = r->state;
	struct objects o = { .b = b };
	struct store_zone z;
	enum ns_err err = still_same(d, b->store, &z, &r->why);

	if (err == NS_OK)
		err = still_first(r, b->store, &r->why);
	if (err == NS_OK && d->done->changed)
		err = commit(r, b, &z, &o);
	objects_free(&o);
	if (err != NS_OK)
		return err;
	commit_reply_zone(commit_reply_new(r), &z, 1);
	r->revision = d->done->changed ? b->revision : 0;
	return NS_OK;
}

/* ---- fleet keys alone ---- */
static void
describe_rings(const struct dnssec *d, char out[COMMENT_MAX])
{
	size_t used = (size_t)snprintf(out, COMMENT_MAX, "%s",
	    d->rotate ? "a new fleet key, somebody has left; for" : "fleet keys for");

	for (size_t i = 0; i < d->nwishes && used < COMMENT_MAX; i++)
		used += (size_t)snprintf(out + used, COMMENT_MAX - used, " %s", d->wishes[i].name);
}

enum ns_err
keyring_write(struct request *r, struct batch *b)
{
	const struct dnssec *d = r->state;
	struct objects o = { .b = b };
	char comment[COMMENT_MAX];
	struct change c;
	enum ns_err err = add_rings(&o, d->done, &r->why);

	for (size_t i = 0; i < d->ngone && err == NS_OK; i++)
		err = object_add(&o, KEYRING_KIND, d->gone[i], NULL, 0, &r->why);
	if (err == NS_OK) {
		describe_rings(d, comment);
		change_begin(&c, &r->caller, "keyring", comment, b->now_ms, b->term);
		c.body.objects = o.list;
		c.body.n_objects = o.n;
		err = change_commit(&c, b, &r->why);
		change_free(&c);
	}
	objects_free(&o);
	return err;
}

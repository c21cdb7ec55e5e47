/* withhold - zones that may not be here any more (residency.h).  Writer thread of a replica.
 *
 * In the transaction of the change that says so: content, row and tombstone go, and what the log holds of
 * them is taken out of its bodies, whose digests stay.  The file is written anew after the COMMIT, when
 * nobody reads (writer.c); a fact remembers that until it is done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "appliance/dns/name.h"
#include "appliance/keys/keybody.h"
#include "appliance/sync/batch.h"
#include "appliance/sync/change.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/residency.h"
#include "appliance/sync/writer.h"
#include "ipc/base/numbers.h"
#include "ipc/base/xalloc.h"

static bool
each_change(void *arg, const struct store_change *c)
{
	numbers_add(arg, c->revision);
	return true;
}

/* It is here, or was: only then there is something to look for. */
static enum ns_err
drop(struct batch *b, uint64_t id, bool *was, struct wbuf *names, struct ns_why *why)
{
	struct store_zone z;
	enum ns_err err = store_zone_by_id(b->store, id, &z);

	*was = err == NS_OK;
	if (err == NS_OK) {
		wbuf_put(names, z.name, z.name_len);
		batch_touch(b, &z, NULL)->keys = true;
		err = store_zone_drop(b->store, id, b->revision, b->now_ms, why);
		b->zones--;
	} else if (err == NS_NOTFOUND) {
		err = NS_OK;
	}
	if (err == NS_OK) {
		err = store_zone_unbury(b->store, id, why); /* with the name */
		*was = *was || err == NS_OK;
		if (err == NS_NOTFOUND) {
			*why = (struct ns_why){ 0 };
			err = NS_OK;
		}
	}
	return err;
}

static enum ns_err
drop_keys(struct batch *b, uint64_t id, bool *was, struct ns_why *why)
{
	char name[KEYS_NAME];
	enum ns_err err;

	keys_object_name(id, name);
	err = store_object_drop(b->store, KEYS_KIND, name, why);
	*was = *was || err == NS_OK;
	if (err != NS_NOTFOUND)
		return err;
	*why = (struct ns_why){ 0 };
	return NS_OK;
}

static bool
take_keys_out(Ns__ChangeBody *body, const uint64_t *ids, size_t n)
{
	size_t kept = 0, all = body->n_objects;

	for (size_t i = 0; i < all; i++) {
		Ns__ChangeBody__Object *o = body->objects[i];
		uint64_t id = keys_object_zone(o->kind, o->name);

		if (id == 0 || !numbers_among(ids, n, id))
			body->objects[kept++] = o;
		else
			protobuf_c_message_free_unpacked(&o->base, NULL);
	}
	body->n_objects = kept;
	return kept != all;
}

bool
withhold_body(Ns__ChangeBody *body, const uint64_t *ids, size_t n)
{
	size_t kept = 0, all = body->n_zones;

	for (size_t i = 0; i < all; i++) {
		Ns__ChangeBody__Zone *m = body->zones[i];

		if (!numbers_among(ids, n, m->zone_id)) {
			body->zones[kept++] = m;
			continue;
		}
		body->withheld_zones = xreallocarray(
		    body->withheld_zones, body->n_withheld_zones + 1, sizeof *body->withheld_zones);
		body->withheld_zones[body->n_withheld_zones++] = m->zone_id;
		protobuf_c_message_free_unpacked(&m->base, NULL);
	}
	body->n_zones = kept;
	return take_keys_out(body, ids, n) || kept != all;
}

static enum ns_err
cut_change(struct store *s, uint64_t revision, const struct numbers *ids, struct ns_why *why)
{
	struct store_change row;
	Ns__ChangeBody *body = change_body_load(s, revision, &row);
	enum ns_err err = NS_OK;
	uint8_t *packed;
	size_t len;

	if (body == NULL)
		return ns_fail(why, NS_CORRUPT, ES_STORE, "change %llu of the log cannot be read",
		    (unsigned long long)revision);
	if (withhold_body(body, ids->list, ids->count)) {
		len = ns__change_body__get_packed_size(body);
		packed = xmalloc(len + 1);
		ns__change_body__pack(body, packed);
		err = store_change_withhold(s, revision, packed, len, why);
		free(packed);
	}
	ns__change_body__free_unpacked(body, NULL);
	return err;
}

/* Each change once, however many of the zones it touched. */
static enum ns_err
cut_log(struct store *s, const struct numbers *ids, struct ns_why *why)
{
	struct numbers revisions = { 0 };
	enum ns_err err = NS_OK;

	for (size_t i = 0; i < ids->count && err == NS_OK; i++)
		err = store_change_each(s, ids->list[i], 0, each_change, &revisions);
	if (err != NS_OK)
		ns_fail(why, err, ES_STORE, "the change log cannot be read");
	numbers_sort(&revisions);
	for (size_t i = 0; i < revisions.count && err == NS_OK; i++)
		if (i == 0 || revisions.list[i] != revisions.list[i - 1])
			err = cut_change(s, revisions.list[i], ids, why);
	numbers_free(&revisions);
	return err;
}

const char *
withheld_name(const uint8_t *name, char hex[WITHHELD_NAME])
{
	uint8_t sum[EVP_MAX_MD_SIZE] = { 0 };

	EVP_Digest(name, name_len(name), sum, NULL, EVP_sha256(), NULL);
	for (unsigned i = 0; i < WITHHELD_NAME / 2; i++)
		snprintf(hex + 2 * (size_t)i, 3, "%02x", sum[i]);
	return hex;
}

/* Which they are, until nothing is left of them anywhere: what the scrub before this one has yet to do, too.  By name
 * where that is known: a history that lost may have given the number to another one. */
static enum ns_err
note(struct store *s, const uint64_t *ids, size_t n, const struct wbuf *names, struct ns_why *why)
{
	char *text = NULL, *more, hex[WITHHELD_NAME];
	enum ns_err err;

	if (store_fact_get(s, SCRUB_FACT, &text) != NS_OK)
		text = xstrdup("");
	for (size_t i = 0; i < n; i++) {
		more = xasprintf("%s %llu", text, (unsigned long long)ids[i]);
		free(text);
		text = more;
	}
	for (size_t at = 0; names != NULL && at < names->len; at += name_len(names->base + at)) {
		more = xasprintf("%s =%s", text, withheld_name(names->base + at, hex));
		free(text);
		text = more;
	}
	err = store_fact_put(s, SCRUB_FACT, text, why);
	free(text);
	return err;
}

enum ns_err
withhold_note(struct store *s, const uint64_t *ids, size_t n, struct ns_why *why)
{
	return note(s, ids, n, NULL, why);
}

enum ns_err
withhold_zones(struct batch *b, const uint64_t *ids, size_t n, unsigned *gone, struct ns_why *why)
{
	struct wbuf names = wbuf_grow(SIZE_MAX / 2);
	struct numbers here = { 0 }, nameless = { 0 };
	enum ns_err err = NS_OK;
	bool was;

	for (size_t i = 0; i < n && err == NS_OK; i++) {
		size_t named = names.len;

		err = drop(b, ids[i], &was, &names, why);
		if (err == NS_OK)
			err = drop_keys(b, ids[i], &was, why);
		if (err == NS_OK && was)
			numbers_add(&here, ids[i]);
		if (err == NS_OK && was && names.len == named)
			numbers_add(&nameless, ids[i]);
	}
	if (err == NS_OK && here.count > 0) {
		numbers_sort(&here);
		err = cut_log(b->store, &here, why);
		if (err == NS_OK)
			err = note(b->store, nameless.list, nameless.count, &names, why);
		b->scrub = true;
		*gone += (unsigned)here.count;
	}
	wbuf_free(&names);
	numbers_free(&nameless);
	numbers_free(&here);
	return err;
}

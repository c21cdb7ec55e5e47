/* backupkeys - see backupkeys.h. */
#include "appliance/sync/backupkeys.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/keys/keybody.h"
#include "appliance/sync/control.h"
#include "appliance/sync/dnssec.h"
#include "appliance/sync/errors.h"
#include "ipc/base/xalloc.h"
#include "ipc/keyblob.h"

#define PATIENCE_MS 30000u

_Static_assert(KEYBLOB_KEY == DNSSEC_X25519, "one length of keys");

/* ---- loop ---- */
enum ns_err
backupkeys_check(const Ns__FleetKeys *m, const ProtobufCBinaryData *seal_to, struct ns_why *why)
{
	if (m == NULL || m->salt.len > 64 || m->sealed.len > 0 || seal_to->len != KEYBLOB_KEY)
		return ns_fail(why, NS_USAGE, ES_REQUEST, "not a way to close the fleet keys");
	if (dnssec_trouble() != NULL)
		return ns_fail(why, NS_UNAVAILABLE, ES_NO_SIGNER, "%s", dnssec_trouble());
	return NS_OK;
}

struct asker {
	backupkeys_fn *done;
	void *arg;
};

static void
asked(struct sync *s, struct request *r)
{
	const struct dnssec *d = r->state;
	struct asker *a = r->origin;

	if (r->err == NS_OK && d->done->n_sealed == 1)
		a->done(s, a->arg, &d->done->sealed[0]->keyring->sealed, NS_OK, NULL);
	else
		a->done(s, a->arg, NULL, r->err != NS_OK ? r->err : NS_FAILED, &r->why);
	free(a);
	request_destroy(&r);
}

static const struct request_kind seal_kind = {
	.name = "backup.keys", .need = USER_ADMIN, .on = ON_LOOP
};

void
backupkeys_ask(struct sync *s, const uint8_t seal_to[32], backupkeys_fn *done, void *arg)
{
	static const struct ns_peer nobody;
	Ns__DnssecSetRequest body = NS__DNSSEC_SET_REQUEST__INIT;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	struct asker *a = xcalloc(1, sizeof *a);
	struct request *r;
	struct dnssec *d;

	*a = (struct asker){ done, arg };
	body.verb = NS__DNSSEC_SET_REQUEST__VERB__EVENT;
	env.deadline_ms = PATIENCE_MS;
	env.body_case = NS__ENVELOPE__BODY_DNSSEC_SET_REQUEST;
	env.dnssec_set_request = &body;
	r = request_new(&nobody, &env);
	r->kind = &seal_kind;
	r->own_name = s->name;
	r->finish = asked;
	r->origin = a;
	d = dnssec_state(r);
	d->wishes = xcalloc(1, sizeof *d->wishes);
	d->nwishes = 1;
	*d->wishes = (struct ring_wish){ .name = "backup", .known = true, .apex = true };
	memcpy(d->wishes->key, seal_to, KEYBLOB_KEY);
	dnssec_ask_signer(s, r);
}

/* ---- reader ---- */
static bool
count(void *arg, const struct store_object *o, const void *body, size_t len)
{
	(void)o;
	(void)body;
	(void)len;
	(*(uint64_t *)arg)++;
	return true;
}

enum ns_err
backupkeys_describe(struct store *s, const char *appliance, uint64_t *zones, uint32_t *epoch)
{
	struct wbuf body = wbuf_grow(STORE_OBJECT_MAX);
	struct store_object o;
	enum ns_err err = store_object_get(s, KEYRING_KIND, appliance, &o, &body);
	Ns__Keyring *m = err == NS_OK ? ns__keyring__unpack(NULL, body.len, body.base) : NULL;

	*zones = 0;
	*epoch = m != NULL ? m->epoch : 0;
	if (m != NULL)
		ns__keyring__free_unpacked(m, NULL);
	wbuf_free(&body);
	return err == NS_OK || err == NS_NOTFOUND ? store_object_each(s, KEYS_KIND, count, zones)
						  : err;
}

bool
backupkeys_new_enough(const ProtobufCBinaryData *sealed, uint32_t epoch)
{
	struct keyblob b;

	return keyblob_read(sealed->data, sealed->len, &b) && b.epoch >= epoch;
}

enum ns_err
backupkeys_adopt(struct store *s, const char *appliance, uint64_t version,
    const uint8_t public_key[32], const struct wbuf *sealed, Ns__ChangeBody__Object **out,
    struct ns_why *why)
{
	struct store_object row = { .version = version };
	Ns__Keyring ring = NS__KEYRING__INIT;
	struct keyblob b;
	enum ns_err err;

	if (!keyblob_read(sealed->base, sealed->len, &b) || b.kind != KEYBLOB_SEALED)
		return ns_fail(why, NS_INVALID, ES_RESTORE, "the fleet keys are no such blob");
	ring.public_key = (ProtobufCBinaryData){ KEYBLOB_KEY, (uint8_t *)(uintptr_t)public_key };
	ring.sealed = (ProtobufCBinaryData){ sealed->len, sealed->base };
	ring.apex = true;
	ring.epoch = b.epoch;
	*out = xmalloc(sizeof **out);
	ns__change_body__object__init(*out);
	(*out)->kind = xstrdup(KEYRING_KIND);
	(*out)->name = xstrdup(appliance);
	(*out)->body.len = ns__keyring__get_packed_size(&ring);
	(*out)->body.data = xmalloc((*out)->body.len);
	ns__keyring__pack(&ring, (*out)->body.data);
	snprintf(row.kind, sizeof row.kind, "%s", KEYRING_KIND);
	snprintf(row.name, sizeof row.name, "%s", appliance);
	err = store_object_put(s, &row, (*out)->body.data, (*out)->body.len, why);
	(*out)->id = row.id;
	return err == NS_OK ? err : ns_fail(why, err, ES_STORE, "the store cannot be written");
}

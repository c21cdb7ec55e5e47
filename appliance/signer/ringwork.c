/* ringwork - see ringwork.h. */
#include "appliance/signer/ringwork.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/keys/keybody.h"
#include "ipc/base/xalloc.h"

#define CODE_WORK 5044

static enum ns_err
seal(struct vault *v, const Ns__KeyWork__Recipient *r, Ns__KeyWorkDone *out, struct ns_why *why)
{
	struct wbuf blob = wbuf_grow(VAULT_BLOB_MAX);
	Ns__KeyWorkDone__Sealed *s;
	enum ns_err err;

	if (r->public_key.len != VAULT_KEY)
		return ns_fail(why, NS_INVALID, CODE_WORK, "%.60s has no key to seal to", r->name);
	err = vault_seal(v, r->public_key.data, r->apex, &blob, why);
	if (err != NS_OK) {
		wbuf_free(&blob);
		return err;
	}
	s = xmalloc(sizeof *s);
	ns__key_work_done__sealed__init(s);
	s->name = xstrdup(r->name);
	s->keyring = xmalloc(sizeof *s->keyring);
	ns__keyring__init(s->keyring);
	s->keyring->public_key.data = xmalloc(VAULT_KEY);
	s->keyring->public_key.len = VAULT_KEY;
	memcpy(s->keyring->public_key.data, r->public_key.data, VAULT_KEY);
	s->keyring->sealed = (ProtobufCBinaryData){ blob.len, blob.base };
	s->keyring->apex = r->apex;
	s->keyring->epoch = vault_epoch(v, VAULT_ZSK);
	out->sealed = xreallocarray(out->sealed, out->n_sealed + 1, sizeof *out->sealed);
	out->sealed[out->n_sealed++] = s;
	return NS_OK;
}

/* The number of the newest of the lost ones. */
static uint32_t
lost_epoch(const Ns__KeyWork *in)
{
	Ns__ZoneKeys *m = keybody_unpack(in->keys.data, in->keys.len);
	uint32_t newest = 0;

	for (size_t i = 0; m != NULL && i < m->n_keys; i++) {
		const ProtobufCBinaryData *blob = &m->keys[i]->wrapped;
		uint32_t epoch = vault_blob_epoch(blob->data, blob->len);

		newest = epoch > newest ? epoch : newest;
	}
	if (m != NULL)
		ns__zone_keys__free_unpacked(m, NULL);
	return newest;
}

/* In place of lost ones, with the first zone that gets new keys.  A K-zone that is not lost goes on: others have it. */
static enum ns_err
make_lost(struct vault *v, const Ns__KeyWork *in, Ns__KeyWorkDone *out, struct ns_why *why)
{
	if (in->holder[0] != '\0')
		return ns_fail(why, NS_DENIED, CODE_WORK,
		    "this appliance does not have the fleet key for KSKs, but %.60s has: promote "
		    "that "
		    "one, or restore a backup made with --passphrase-file; if it is lost for good, "
		    "fleet remove %.60s first",
		    in->holder, in->holder);
	out->kept = vault_has(v, VAULT_ZSK);
	return out->kept ? vault_make_apex(v, lost_epoch(in), why)
			 : vault_make(v, lost_epoch(in), why);
}

enum ns_err
ringwork_do(struct vault *v, const Ns__KeyWork *in, Ns__KeyWorkDone *out, struct ns_why *why)
{
	bool lost = in->verb == NS__DNSSEC_SET_REQUEST__VERB__NEW_KEYS;
	enum ns_err err = NS_OK;

	if (lost && vault_has(v, VAULT_KSK))
		return NS_OK;
	if (lost)
		err = make_lost(v, in, out, why);
	else if (in->rotate || (in->fresh && !vault_has(v, VAULT_ZSK)))
		err = vault_make(v, 0, why);
	if (in->forget_before != 0)
		vault_forget_before(v, in->forget_before);
	for (size_t i = 0; i < in->n_recipients && err == NS_OK; i++)
		err = seal(v, in->recipients[i], out, why);
	return err;
}

/* keystore - see keystore.h. */
#include "appliance/signer/keystore.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "appliance/dns/name.h"
#include "appliance/keys/keybody.h"
#include "appliance/signer/keypack.h"
#include "appliance/signer/keysecret.h"
#include "ipc/base/hash.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define CODE_STORE 5045
#define FIRST_SIZE 64u /* buckets; a power of two */

struct entry {
	struct entry *next;
	uint32_t hash;
	uint32_t len; /* of the keys */
	bool loaded;
	uint8_t octets[]; /* name, keys (keypack.h) */
};
struct keystore {
	uint8_t hash_key[16];
	struct vault *vault;
	const char *no_vault;
	struct entry **buckets;
	size_t size, count;
	size_t unloaded, cursor; /* how many there are, and the bucket to look for them next */
};

struct keystore *
keystore_new(struct vault *vault, const char *no_vault)
{
	struct keystore *s = xcalloc(1, sizeof *s);

	if (getrandom(s->hash_key, sizeof s->hash_key, 0) != sizeof s->hash_key)
		fatal("signer.random", "text=\"no random octets\"");
	s->vault = vault;
	s->no_vault = no_vault;
	s->size = FIRST_SIZE;
	s->buckets = xcalloc(s->size, sizeof *s->buckets);
	return s;
}

void
keystore_clear(struct keystore *s)
{
	for (size_t i = 0; i < s->size; i++)
		for (struct entry *e; (e = s->buckets[i]) != NULL;) {
			s->buckets[i] = e->next;
			free(e);
		}
	s->count = s->unloaded = s->cursor = 0;
}

void
keystore_destroy(struct keystore **sp)
{
	if (*sp == NULL)
		return;
	keystore_clear(*sp);
	free((*sp)->buckets);
	free(*sp);
	*sp = NULL;
}

void
keystore_each(const struct keystore *s, void (*fn)(void *arg, const uint8_t *apex), void *arg)
{
	for (size_t i = 0; i < s->size; i++)
		for (const struct entry *e = s->buckets[i]; e != NULL; e = e->next)
			fn(arg, e->octets);
}

size_t
keystore_count(const struct keystore *s)
{
	return s->count;
}

static struct entry **
place(const struct keystore *s, const uint8_t *name, uint32_t hash)
{
	struct entry **p = &s->buckets[hash & (s->size - 1)];

	while (*p != NULL && ((*p)->hash != hash || !name_equal((*p)->octets, name)))
		p = &(*p)->next;
	return p;
}

static void
grow(struct keystore *s)
{
	struct entry **old = s->buckets;
	size_t n = s->size;

	s->size *= 2;
	s->buckets = xcalloc(s->size, sizeof *s->buckets);
	for (size_t i = 0; i < n; i++)
		for (struct entry *e, *next = old[i]; (e = next) != NULL;) {
			struct entry **p = &s->buckets[e->hash & (s->size - 1)];

			next = e->next;
			e->next = *p;
			*p = e;
		}
	free(old);
}

/* NULL: not keys that can be. */
static struct entry *
entry_new(const uint8_t *name, uint32_t hash, const uint8_t *body, size_t len)
{
	Ns__ZoneKeys *m = keybody_unpack(body, len);
	struct wbuf packed = wbuf_grow(SIZE_MAX / 2);
	struct entry *e = NULL;

	if (m != NULL && keypack_put(&packed, name, m)) {
		e = xmalloc(sizeof *e + name_len(name) + packed.len);
		e->hash = hash;
		e->len = (uint32_t)packed.len;
		e->loaded = false;
		memcpy(e->octets, name, name_len(name));
		memcpy(e->octets + name_len(name), packed.base, packed.len);
	}
	wbuf_free(&packed);
	if (m != NULL)
		ns__zone_keys__free_unpacked(m, NULL);
	return e;
}

bool
keystore_unloaded(struct keystore *s, uint8_t apex[NAME_MAX_WIRE])
{
	if (s->unloaded == 0)
		return false;
	for (;; s->cursor = (s->cursor + 1) & (s->size - 1)) {
		for (const struct entry *e = s->buckets[s->cursor]; e != NULL; e = e->next) {
			if (e->loaded)
				continue;
			memcpy(apex, e->octets, name_len(e->octets));
			return true;
		}
	}
}

void
keystore_loaded(struct keystore *s, const uint8_t *apex)
{
	struct entry *e = *place(s, apex, (uint32_t)hash_sip24(s->hash_key, apex, name_len(apex)));

	if (e != NULL && !e->loaded) {
		e->loaded = true;
		s->unloaded--;
	}
}

void
keystore_unload(struct keystore *s)
{
	for (size_t i = 0; i < s->size; i++)
		for (struct entry *e = s->buckets[i]; e != NULL; e = e->next)
			e->loaded = false;
	s->unloaded = s->count;
}

bool
keystore_put(struct keystore *s, const uint8_t *name, const uint8_t *body, size_t len)
{
	uint32_t hash = (uint32_t)hash_sip24(s->hash_key, name, name_len(name));
	struct entry **p = place(s, name, hash), *old = *p, *fresh = NULL;

	if (len > 0 && (fresh = entry_new(name, hash, body, len)) == NULL)
		return false;
	if (old != NULL) {
		*p = old->next;
		s->unloaded -= !old->loaded;
		free(old);
		s->count--;
	}
	if (fresh == NULL)
		return true;
	fresh->next = *p;
	*p = fresh;
	s->unloaded++;
	if (++s->count > s->size)
		grow(s);
	return true;
}

/* ---- keys for whoever signs ---- */

/* zone_key_open_fn */
static enum ns_err
open_key(void *arg, const struct zone_keys *keys, struct zone_key *key, struct ns_why *why)
{
	struct keystore *s = arg;
	Ns__ZoneKeys__Key m = NS__ZONE_KEYS__KEY__INIT;
	struct zone_key open;
	enum ns_err err;

	if (s->vault == NULL)
		return ns_fail(why, NS_DENIED, CODE_STORE, "%s", s->no_vault);
	m.dnskey = (ProtobufCBinaryData){ key->rdlen, key->rdata };
	m.wrapped = (ProtobufCBinaryData){ key->closed_len, key->closed };
	err = keysecret_open(s->vault, keys->zone, &m, &open, why);
	if (err != NS_OK)
		return err;
	key->pkey = open.pkey;
	keystore_loaded(s, keys->zone);
	return NS_OK;
}

enum keys_found
keystore_find(void *arg, const uint8_t *apex, struct zone_keys **out, struct ns_why *why)
{
	struct keystore *s = arg;
	struct entry *e = *place(s, apex, (uint32_t)hash_sip24(s->hash_key, apex, name_len(apex)));
	struct zone_keys *keys;
	size_t len = name_len(apex);

	if (e == NULL)
		return KEYS_NONE;
	keys = zone_keys_new();
	memcpy(keys->zone, apex, len);
	keys->open = open_key;
	keys->open_arg = s;
	if (!keypack_get(e->octets + len, e->len, e->octets, keys)) {
		zone_keys_unref(&keys);
		ns_fail(why, NS_CORRUPT, CODE_STORE, "the zone's keys cannot be read");
		return KEYS_LOCKED;
	}
	*out = keys;
	return KEYS_FOUND;
}

/* vault_test - keys at rest and on their way: what opens, what does not, and what a zone's keys become of a request. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "appliance/keys/keybody.h"
#include "appliance/signer/apexset.h"
#include "appliance/signer/keystore.h"
#include "appliance/signer/keywork.h"
#include "appliance/signer/vault.h"
#include "ipc/passkey.h"

// link: appliance/signer/vault.c appliance/signer/keysecret.c appliance/signer/keystore.c appliance/signer/keypack.c appliance/signer/keywork.c
// link: appliance/signer/ringwork.c appliance/signer/keys.c appliance/signer/apexset.c appliance/signer/rrsig.c

static const uint8_t zone[] = "\7example\3com";
#define ZONE_LEN sizeof zone
#define NOW      1800000000

/* ---- appliances: a directory and a key file each ---- */
static char dirs[3][64];

static int
kek_of(unsigned i)
{
	char path[256];

	snprintf(path, sizeof path, "%s/kek", dirs[i]);
	return open(path, O_RDONLY);
}

static struct vault *
open_vault(unsigned i)
{
	struct ns_why why = { 0 };
	struct vault *v;
	int fd = kek_of(i);

	assert_int_equal(vault_open(fd, dirs[i], &v, &why), NS_OK);
	close(fd);
	return v;
}

static void
write_file(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	close(fd);
}

static int
set_up(void **state)
{
	(void)state;
	(void)vault_secure_heap();
	for (unsigned i = 0; i < 3; i++) {
		uint8_t kek[VAULT_KEY];
		char path[256];

		snprintf(dirs[i], sizeof dirs[i], "/tmp/ns-vault-XXXXXX");
		assert_non_null(mkdtemp(dirs[i]));
		memset(kek, (int)i + 1, sizeof kek);
		snprintf(path, sizeof path, "%s/kek", dirs[i]);
		write_file(path, kek, sizeof kek);
	}
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		char path[256];

		snprintf(path, sizeof path, "%s/kek", dirs[i]);
		unlink(path);
		snprintf(path, sizeof path, "%s/appliance.key", dirs[i]);
		unlink(path);
		rmdir(dirs[i]);
	}
	return 0;
}

static void
test_the_pair_is_the_kek_s(void **state)
{
	struct vault *v = open_vault(0), *again = open_vault(0), *w;
	struct ns_why why = { 0 };
	uint8_t octets[256];
	char path[256];
	int fd = kek_of(1);
	ssize_t n;

	(void)state;
	assert_memory_equal(vault_public(v), vault_public(again), VAULT_KEY);
	/* Another key file: refused, and nothing overwritten. */
	assert_int_equal(vault_open(fd, dirs[0], &w, &why), NS_DENIED);
	close(fd);
	assert_null(w);
	assert_int_equal(vault_open(-1, dirs[0], &w, &why), NS_UNAVAILABLE);
	vault_close(&again);
	again = open_vault(0);
	assert_memory_equal(vault_public(v), vault_public(again), VAULT_KEY);
	/* A flipped bit anywhere in the file, or one octet less. */
	snprintf(path, sizeof path, "%s/appliance.key", dirs[0]);
	fd = open(path, O_RDONLY);
	n = read(fd, octets, sizeof octets);
	close(fd);
	for (ssize_t i = 0; i <= n; i++) {
		if (i < n)
			octets[i] ^= 4;
		write_file(path, octets, (size_t)(i < n ? n : n - 1));
		fd = kek_of(0);
		assert_int_not_equal(vault_open(fd, dirs[0], &w, &why), NS_OK);
		close(fd);
		if (i < n)
			octets[i] ^= 4;
	}
	write_file(path, octets, (size_t)n);
	vault_close(&v);
	vault_close(&again);
}

static void
test_fleet_keys_travel_sealed(void **state)
{
	struct vault *a = open_vault(0), *b = open_vault(1), *c = open_vault(2);
	struct wbuf with = wbuf_grow(4096), without = wbuf_grow(4096);
	struct ns_why why = { 0 };

	(void)state;
	assert_int_equal(vault_make(a, 0, &why), NS_OK);
	assert_int_equal(vault_epoch(a, VAULT_ZSK), 1);
	assert_int_equal(vault_seal(a, vault_public(b), true, &with, &why), NS_OK);
	assert_int_equal(vault_seal(a, vault_public(c), false, &without, &why), NS_OK);
	assert_int_equal(vault_take(b, with.base, with.len, &why), NS_OK);
	assert_true(vault_has(b, VAULT_ZSK) && vault_has(b, VAULT_KSK));
	/* Not sealed to it: not taken, and what it had stays. */
	assert_int_equal(vault_take(c, with.base, with.len, &why), NS_DENIED);
	assert_int_equal(vault_take(b, without.base, without.len, &why), NS_DENIED);
	assert_true(vault_has(b, VAULT_KSK));
	assert_int_equal(vault_take(c, without.base, without.len, &why), NS_OK);
	assert_true(vault_has(c, VAULT_ZSK) && !vault_has(c, VAULT_KSK));
	/* Who has no key for KSKs gives none, and makes none but when that is asked for; one for ZSKs it does. */
	assert_int_equal(vault_seal(c, vault_public(b), true, &with, &why), NS_DENIED);
	assert_int_equal(vault_make(c, 0, &why), NS_OK);
	assert_true(vault_epoch(c, VAULT_ZSK) == 2 && !vault_has(c, VAULT_KSK));
	assert_int_equal(vault_make_apex(c, 7, &why), NS_OK);
	assert_true(vault_epoch(c, VAULT_ZSK) == 2 && vault_epoch(c, VAULT_KSK) == 8);
	/* A new one for ZSKs, beside the old until all is wrapped anew. */
	assert_int_equal(vault_make(a, 0, &why), NS_OK);
	assert_int_equal(vault_epoch(a, VAULT_ZSK), 2);
	assert_int_equal(vault_epoch(a, VAULT_KSK), 1);
	vault_close(&a);
	vault_close(&b);
	vault_close(&c);
	wbuf_free(&with);
	wbuf_free(&without);
}

static void
test_a_blob_opens_where_it_was_made_for(void **state)
{
	struct vault *v = open_vault(0);
	uint8_t secret[VAULT_KEY] = { 1, 2, 3 }, out[VAULT_KEY];
	struct wbuf blob = wbuf_grow(4096);
	struct ns_why why = { 0 };

	(void)state;
	assert_int_equal(vault_make(v, 0, &why), NS_OK);
	assert_int_equal(vault_wrap(v, VAULT_ZSK, secret, "here", 4, &blob, &why), NS_OK);
	assert_int_equal(
	    vault_unwrap(v, VAULT_ZSK, blob.base, blob.len, "here", 4, out, &why), NS_OK);
	assert_memory_equal(secret, out, VAULT_KEY);
	assert_int_equal(vault_blob_epoch(blob.base, blob.len), 1);
	assert_int_equal(
	    vault_unwrap(v, VAULT_ZSK, blob.base, blob.len, "hers", 4, out, &why), NS_CORRUPT);
	assert_int_equal(
	    vault_unwrap(v, VAULT_KSK, blob.base, blob.len, "here", 4, out, &why), NS_CORRUPT);
	for (size_t i = 0; i < blob.len; i++) {
		blob.base[i] ^= 1;
		assert_int_not_equal(
		    vault_unwrap(v, VAULT_ZSK, blob.base, blob.len, "here", 4, out, &why), NS_OK);
		blob.base[i] ^= 1;
		assert_int_not_equal(
		    vault_unwrap(v, VAULT_ZSK, blob.base, i, "here", 4, out, &why), NS_OK);
	}
	assert_int_equal(vault_make(v, 0, &why), NS_OK);
	assert_int_equal(
	    vault_unwrap(v, VAULT_ZSK, blob.base, blob.len, "here", 4, out, &why), NS_OK);
	vault_forget_before(v, 2);
	assert_int_equal(
	    vault_unwrap(v, VAULT_ZSK, blob.base, blob.len, "here", 4, out, &why), NS_DENIED);
	vault_close(&v);
	wbuf_free(&blob);
}

/* ---- a passphrase ---- */
/* RFC 7914 11 has none of our costs: what is checked is that each of them counts. */
static void
test_a_passphrase_is_a_key(void **state)
{
	char salt[] = "sixteen octets !", other[] = "sixteen octets ?";
	Ns__FleetKeys how = NS__FLEET_KEYS__INIT;
	struct passkey a, b;
	struct ns_why why = { 0 };

	(void)state;
	how.salt = (ProtobufCBinaryData){ PASSKEY_SALT, (uint8_t *)salt };
	how.block = PASSKEY_BLOCK;
	how.lanes = PASSKEY_LANES;
	how.cost = 4;
	assert_int_equal(passkey_derive(&how, "word", 4, &a, &why), NS_OK);
	assert_int_equal(passkey_derive(&how, "word", 4, &b, &why), NS_OK);
	assert_memory_equal(&a, &b, sizeof a);
	assert_int_equal(passkey_derive(&how, "word ", 5, &b, &why), NS_OK);
	assert_memory_not_equal(&a, &b, sizeof a);
	how.cost = 5;
	assert_int_equal(passkey_derive(&how, "word", 4, &b, &why), NS_OK);
	assert_memory_not_equal(&a, &b, sizeof a);
	how.cost = 4;
	how.salt.data = (uint8_t *)other;
	assert_int_equal(passkey_derive(&how, "word", 4, &b, &why), NS_OK);
	assert_memory_not_equal(&a, &b, sizeof a);
	/* A file does not make its reader work for days, nor fill the memory. */
	how.cost = PASSKEY_COST_MAX + 1;
	assert_int_equal(passkey_derive(&how, "word", 4, &b, &why), NS_INVALID);
	how.cost = 4;
	how.block = 1024;
	assert_int_equal(passkey_derive(&how, "word", 4, &b, &why), NS_INVALID);
	how.block = PASSKEY_BLOCK;
	how.salt.len = 3;
	assert_int_equal(passkey_derive(&how, "word", 4, &b, &why), NS_INVALID);
}

/* From an appliance that is lost to a new one, by way of a passphrase. */
static void
test_fleet_keys_outlive_their_appliance(void **state)
{
	struct vault *old = open_vault(0), *fresh = open_vault(1);
	struct wbuf resealed = wbuf_grow(4096), sealed = wbuf_grow(4096), blob = wbuf_grow(4096);
	uint8_t secret[VAULT_KEY] = { 7 }, out[VAULT_KEY], salt[PASSKEY_SALT];
	Ns__FleetKeys how;
	struct passkey key, wrong;
	struct ns_why why = { 0 };

	(void)state;
	assert_int_equal(passkey_begin(&how, salt, &why), NS_OK);
	how.cost = 4;
	assert_int_equal(passkey_derive(&how, "word", 4, &key, &why), NS_OK);
	assert_int_equal(passkey_derive(&how, "Word", 4, &wrong, &why), NS_OK);
	assert_int_equal(vault_make(old, 0, &why), NS_OK);
	assert_int_equal(vault_wrap(old, VAULT_KSK, secret, "here", 4, &blob, &why), NS_OK);
	assert_int_equal(vault_seal(old, key.public_key, true, &sealed, &why), NS_OK);
	how.sealed = (ProtobufCBinaryData){ sealed.len, sealed.base };
	assert_int_equal(
	    passkey_reseal(&wrong, &how, vault_public(fresh), &resealed, &why), NS_DENIED);
	assert_int_equal(passkey_reseal(&key, &how, vault_public(fresh), &resealed, &why), NS_OK);
	assert_int_equal(vault_blob_epoch(resealed.base, resealed.len), 1);
	assert_int_equal(vault_take(fresh, resealed.base, resealed.len, &why), NS_OK);
	assert_int_equal(
	    vault_unwrap(fresh, VAULT_KSK, blob.base, blob.len, "here", 4, out, &why), NS_OK);
	assert_memory_equal(secret, out, VAULT_KEY);
	vault_close(&old);
	vault_close(&fresh);
	wbuf_free(&resealed);
	wbuf_free(&sealed);
	wbuf_free(&blob);
}

/* ---- a zone ---- */
static Ns__KeyWork
work_for(Ns__DnssecSetRequest__Verb verb, const struct wbuf *keys)
{
	Ns__KeyWork m = NS__KEY_WORK__INIT;

	m.zone = (ProtobufCBinaryData){ ZONE_LEN, (uint8_t *)(uintptr_t)zone };
	m.verb = verb;
	m.now = NOW;
	m.zone_ttl = 3600;
	m.keys = (ProtobufCBinaryData){ keys->len, keys->base };
	return m;
}

/* With the first fleet keys, sealed to itself. */
static void
first(const struct vault *v, Ns__KeyWork *m)
{
	static Ns__KeyWork__Recipient self, *list[1] = { &self };

	ns__key_work__recipient__init(&self);
	self.name = (char *)(uintptr_t) "self";
	self.public_key = (ProtobufCBinaryData){ VAULT_KEY, (uint8_t *)(uintptr_t)vault_public(v) };
	self.apex = true;
	m->fresh = true;
	m->recipients = list;
	m->n_recipients = 1;
}

static enum ns_err
do_work(struct vault *v, const Ns__KeyWork *in, struct wbuf *keys)
{
	struct ns_why why = { 0 };
	Ns__KeyWorkDone done;
	enum ns_err err = keywork_do(v, in, &done, &why);

	/* As the feed does with what was committed. */
	for (size_t i = 0; err == NS_OK && i < done.n_sealed; i++)
		assert_int_equal(vault_take(v, done.sealed[i]->keyring->sealed.data,
				     done.sealed[i]->keyring->sealed.len, &why),
		    NS_OK);
	if (err == NS_OK && done.changed) {
		keys->len = 0;
		wbuf_put(keys, done.keys.data, done.keys.len);
	}
	keywork_free(&done);
	return err;
}

static Ns__ZoneKeys *
read_keys(const struct wbuf *keys)
{
	Ns__ZoneKeys *m = keybody_unpack(keys->base, keys->len);

	assert_non_null(m);
	return m;
}

static void
test_a_zone_is_signed_and_rolled(void **state)
{
	static const uint32_t algorithms[] = { 13, 15 };
	struct ns_why why = { 0 };

	(void)state;
	for (size_t a = 0; a < 2; a++) {
		struct vault *v = open_vault(0);
		struct wbuf keys = wbuf_grow(1u << 16);
		Ns__KeyWork m = work_for(NS__DNSSEC_SET_REQUEST__VERB__ROLL_ZSK, &keys);
		Ns__ZoneKeys *z;

		assert_int_equal(do_work(v, &m, &keys), NS_CONFLICT); /* not signed */
		m = work_for(NS__DNSSEC_SET_REQUEST__VERB__ENABLE, &keys);
		m.algorithm = algorithms[a];
		assert_int_equal(do_work(v, &m, &keys), NS_DENIED); /* no fleet keys */
		first(v, &m);
		assert_int_equal(do_work(v, &m, &keys), NS_OK);
		z = read_keys(&keys);
		assert_int_equal(z->n_keys, 2);
		assert_int_equal(z->apex_until, NOW + APEX_VALID);
		assert_true(z->next != 0 && !z->waits_ds);
		ns__zone_keys__free_unpacked(z, NULL);
		m = work_for(NS__DNSSEC_SET_REQUEST__VERB__ROLL_ZSK, &keys);
		assert_int_equal(do_work(v, &m, &keys), NS_OK);
		m = work_for(NS__DNSSEC_SET_REQUEST__VERB__EVENT, &keys);
		m.now = NOW + 7200;
		assert_int_equal(do_work(v, &m, &keys), NS_OK);
		z = read_keys(&keys);
		assert_int_equal(z->n_keys, 3);
		assert_int_equal(z->keys[0]->state, KS_READY);
		assert_int_equal(z->keys[1]->state, KS_RETIRED);
		assert_int_equal(z->keys[2]->state, KS_ACTIVE);
		assert_true(z->waits_ds);
		ns__zone_keys__free_unpacked(z, NULL);
		vault_close(&v);
		wbuf_free(&keys);
	}
	(void)why;
}

/* Signatures over DNSKEY last 60 days, and are renewed when 30 are left: the primary may be away for as long. */
static void
test_dnskey_is_signed_anew_in_time(void **state)
{
	static const struct {
		int64_t after, until;
	} rows[] = { { 0, 60 }, { 29, 60 }, { 30, 90 }, { 59, 90 }, { 60, 120 } }; /* days */
	struct vault *v = open_vault(0);
	struct wbuf keys = wbuf_grow(1u << 16);
	Ns__KeyWork m = work_for(NS__DNSSEC_SET_REQUEST__VERB__ENABLE, &keys);

	(void)state;
	first(v, &m);
	assert_int_equal(do_work(v, &m, &keys), NS_OK);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		Ns__ZoneKeys *z;

		m = work_for(NS__DNSSEC_SET_REQUEST__VERB__EVENT, &keys);
		m.now = NOW + 7200 + rows[i].after * 86400;
		assert_int_equal(do_work(v, &m, &keys), NS_OK);
		z = read_keys(&keys);
		assert_int_equal(z->apex_until, NOW + 7200 + rows[i].until * 86400);
		assert_true(z->next <= NOW + 7200 + (rows[i].until - 30) * 86400);
		ns__zone_keys__free_unpacked(z, NULL);
	}
	vault_close(&v);
	wbuf_free(&keys);
}

/* A replica has no key for KSKs: it signs, and begins no event. */
static void
test_a_replica_signs_and_begins_nothing(void **state)
{
	struct vault *primary = open_vault(0), *replica = open_vault(1), *stranger = open_vault(2);
	struct wbuf keys = wbuf_grow(1u << 16), sealed = wbuf_grow(4096);
	Ns__KeyWork m = work_for(NS__DNSSEC_SET_REQUEST__VERB__ENABLE, &keys);
	struct keystore *s = keystore_new(replica, "");
	struct zone_keys *found = NULL;
	uint8_t unloaded[NAME_MAX_WIRE];
	Ns__ZoneKeys *z;
	struct ns_why why = { 0 };

	(void)state;
	first(primary, &m);
	assert_int_equal(do_work(primary, &m, &keys), NS_OK);
	assert_int_equal(vault_seal(primary, vault_public(replica), false, &sealed, &why), NS_OK);
	assert_int_equal(keystore_find(s, zone, &found, &why), KEYS_NONE);
	assert_true(keystore_put(s, zone, keys.base, keys.len));
	assert_int_equal(keystore_find(s, zone, &found, &why), KEYS_FOUND);
	assert_int_equal(found->n, 2);
	assert_int_equal(zone_keys_open(found, &why), NS_DENIED);
	assert_true(keystore_unloaded(s, unloaded) && name_equal(unloaded, zone));
	assert_int_equal(vault_take(replica, sealed.base, sealed.len, &why), NS_OK);
	assert_false(zone_keys_are_open(found));
	assert_int_equal(zone_keys_open(found, &why), NS_OK);
	assert_true(zone_keys_are_open(found) && !keystore_unloaded(s, unloaded));
	for (unsigned i = 0; i < 2; i++)
		assert_true((found->key[i].pkey != NULL) == (found->key[i].flags == KEY_ZSK));
	z = read_keys(&keys);
	assert_int_equal(found->apex_len, z->apex.len);
	assert_memory_equal(found->apex, z->apex.data, z->apex.len);
	ns__zone_keys__free_unpacked(z, NULL);
	zone_keys_unref(&found);
	m = work_for(NS__DNSSEC_SET_REQUEST__VERB__EVENT, &keys);
	m.now = NOW + 7200;
	assert_int_equal(do_work(replica, &m, &keys), NS_DENIED);
	/* What is not keys is not taken, what was known stays; and it goes when it is gone. */
	assert_false(keystore_put(s, zone, keys.base, keys.len / 2));
	assert_int_equal(keystore_count(s), 1);
	assert_true(keystore_put(s, zone, NULL, 0));
	assert_int_equal(keystore_find(s, zone, &found, &why), KEYS_NONE);
	keystore_destroy(&s);
	vault_close(&primary);
	vault_close(&replica);
	vault_close(&stranger);
	wbuf_free(&keys);
	wbuf_free(&sealed);
}

static enum ns_err
open_keys(struct keystore *s, struct ns_why *why)
{
	struct zone_keys *keys = NULL;
	enum ns_err err;

	assert_int_equal(keystore_find(s, zone, &keys, why), KEYS_FOUND);
	err = zone_keys_open(keys, why);
	zone_keys_unref(&keys);
	return err;
}

/* The tags of the zone's keys: [0] of the KSK. */
static void
tags_of(const struct wbuf *keys, uint16_t tags[2])
{
	Ns__ZoneKeys *m = read_keys(keys);
	struct ks_zone z;

	keybody_read(m, &z);
	assert_int_equal(z.n, 2);
	for (unsigned i = 0; i < 2; i++)
		tags[z.key[i].role == KS_ZSK] = z.key[i].tag;
	ns__zone_keys__free_unpacked(m, NULL);
}

static enum ns_err
ask_new_keys(struct vault *v, char *holder, struct wbuf *keys)
{
	Ns__KeyWork m = work_for(NS__DNSSEC_SET_REQUEST__VERB__NEW_KEYS, keys);

	first(v, &m);
	m.holder = holder;
	return do_work(v, &m, keys);
}

/* Who could open KSKs is lost for good: another K-apex and KSK, and the ZSKs go on.  Who has nothing makes all anew. */
static void
test_new_keys_in_place_of_lost_ones(void **state)
{
	struct vault *lost = open_vault(0), *left = open_vault(1), *bare = open_vault(2);
	struct wbuf keys = wbuf_grow(1u << 16), sealed = wbuf_grow(4096);
	Ns__KeyWork m = work_for(NS__DNSSEC_SET_REQUEST__VERB__ENABLE, &keys);
	char nobody[] = "", holder[] = "other";
	uint16_t before[2], after[2];
	struct ns_why why = { 0 };

	(void)state;
	first(lost, &m);
	assert_int_equal(do_work(lost, &m, &keys), NS_OK);
	tags_of(&keys, before);
	assert_int_equal(vault_seal(lost, vault_public(left), false, &sealed, &why), NS_OK);
	assert_int_equal(vault_take(left, sealed.base, sealed.len, &why), NS_OK);
	assert_int_equal(ask_new_keys(lost, nobody, &keys), NS_CONFLICT); /* it has them */
	assert_int_equal(ask_new_keys(left, holder, &keys), NS_DENIED);
	/* What is due waits, what keeps others out does not. */
	assert_int_equal(vault_make(left, 0, &why), NS_OK);
	m = work_for(NS__DNSSEC_SET_REQUEST__VERB__EVENT, &keys);
	m.now += 7200;
	assert_int_equal(do_work(left, &m, &keys), NS_DENIED);
	m.epoch = 1;
	assert_int_equal(do_work(left, &m, &keys), NS_OK);
	tags_of(&keys, after);
	assert_memory_equal(before, after, sizeof before);
	assert_int_equal(do_work(left, &m, &keys), NS_DENIED); /* that was all */
	assert_int_equal(ask_new_keys(left, nobody, &keys), NS_OK);
	tags_of(&keys, after);
	assert_true(after[0] != before[0] && after[1] == before[1]);
	assert_int_equal(vault_epoch(left, VAULT_ZSK), 2);
	assert_true(vault_epoch(left, VAULT_KSK) > vault_epoch(lost, VAULT_KSK));
	assert_int_equal(ask_new_keys(left, nobody, &keys), NS_CONFLICT);
	m = work_for(NS__DNSSEC_SET_REQUEST__VERB__ROLL_ZSK, &keys);
	assert_int_equal(do_work(lost, &m, &keys), NS_DENIED); /* it comes back, and opens none */
	assert_int_equal(ask_new_keys(bare, nobody, &keys), NS_OK);
	tags_of(&keys, before);
	assert_true(after[0] != before[0] && after[1] != before[1]);
	assert_true(vault_epoch(bare, VAULT_ZSK) > vault_epoch(left, VAULT_ZSK));
	vault_close(&lost);
	vault_close(&left);
	vault_close(&bare);
	wbuf_free(&keys);
	wbuf_free(&sealed);
}

/* A new fleet key: every ZSK is wrapped with it at the next event, whatever else happens; who left before has what he
 * had, and nothing that comes. */
static void
test_keys_are_wrapped_anew(void **state)
{
	struct vault *v = open_vault(0), *left = open_vault(1);
	struct keystore *of_left = keystore_new(left, "");
	struct wbuf sealed = wbuf_grow(4096);
	struct wbuf keys = wbuf_grow(1u << 16);
	Ns__KeyWork m = work_for(NS__DNSSEC_SET_REQUEST__VERB__ENABLE, &keys);
	struct keystore *s = keystore_new(v, "");
	struct ns_why why = { 0 };

	(void)state;
	first(v, &m);
	assert_int_equal(do_work(v, &m, &keys), NS_OK);
	assert_int_equal(vault_seal(v, vault_public(left), false, &sealed, &why), NS_OK);
	assert_int_equal(vault_take(left, sealed.base, sealed.len, &why), NS_OK);
	assert_true(keystore_put(of_left, zone, keys.base, keys.len));
	assert_int_equal(open_keys(of_left, &why), NS_OK);
	assert_int_equal(vault_make(v, 0, &why), NS_OK);
	m = work_for(NS__DNSSEC_SET_REQUEST__VERB__EVENT, &keys);
	m.epoch = 1;
	assert_int_equal(do_work(v, &m, &keys), NS_OK);
	vault_forget_before(v, 2);
	assert_true(keystore_put(s, zone, keys.base, keys.len));
	assert_int_equal(open_keys(s, &why), NS_OK);
	assert_true(keystore_put(of_left, zone, keys.base, keys.len));
	assert_int_equal(open_keys(of_left, &why), NS_DENIED);
	keystore_destroy(&of_left);
	keystore_destroy(&s);
	vault_close(&left);
	vault_close(&v);
	wbuf_free(&sealed);
	wbuf_free(&keys);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_pair_is_the_kek_s),
		cmocka_unit_test(test_fleet_keys_travel_sealed),
		cmocka_unit_test(test_a_blob_opens_where_it_was_made_for),
		cmocka_unit_test(test_a_passphrase_is_a_key),
		cmocka_unit_test(test_fleet_keys_outlive_their_appliance),
		cmocka_unit_test(test_a_zone_is_signed_and_rolled),
		cmocka_unit_test(test_dnskey_is_signed_anew_in_time),
		cmocka_unit_test(test_a_replica_signs_and_begins_nothing),
		cmocka_unit_test(test_new_keys_in_place_of_lost_ones),
		cmocka_unit_test(test_keys_are_wrapped_anew),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

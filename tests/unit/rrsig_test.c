/* rrsig - one signature: the RFCs' vectors, windows, what it must not verify; and the apex's sets. */
// link: appliance/signer/keys.c appliance/signer/rrsig.c appliance/signer/apexset.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/dns/ds.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zonetext.h"
#include "appliance/signer/apexset.h"
#include "appliance/signer/rrsig.h"
#include "tests/lib/keykit.h"

#define NOW   1795000000u
#define DAY   86400
#define RDATA 512u

struct one { /* a set of a zone in text, and the octets it points into */
	struct wbuf zwire;
	struct rrset set;
};

static const uint8_t *
name(const char *text)
{
	static uint8_t out[4][NAME_MAX_WIRE];
	static unsigned turn;
	uint8_t *to = out[turn++ % 4];
	size_t len;
	struct ns_why why;

	assert_int_equal(name_from_text(text, (const uint8_t *)"", to, &len, &why), NS_OK);
	return to;
}

static struct one
one(const char *owner, uint16_t type, uint32_t ttl, const char *const *texts)
{
	struct rrpile *pile = rrpile_new();
	struct one o = { .zwire = wbuf_grow(1 << 20) };
	struct zwire_iter it;
	uint8_t rdata[RDATA];
	struct ns_why why;
	size_t len;

	for (; *texts != NULL; texts++) {
		assert_int_equal(rdata_from_text(type, *texts, (const uint8_t *)"", false, rdata,
				     sizeof rdata, &len, &why),
		    NS_OK);
		rrpile_add(pile, name(owner), type, ttl, rdata, len, 0);
	}
	assert_int_equal(rrpile_to_zwire(pile, &o.zwire, NULL, &why), NS_OK);
	rrpile_destroy(&pile);
	it = zwire_iter(o.zwire.base, o.zwire.len);
	assert_true(zwire_next(&it, &o.set));
	return o;
}

static const struct {
	const char *dnskey, *owner, *rrsig, *rdata;
	uint16_t type, tag;
} vectors[] = {
	/* RFC 6605 6.1 */
	{ "257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+"
	  "MAnLr+Wi9xMWyQLc8NAA==",
	    "www.example.net.",
	    "A 13 3 3600 20100909100439 20100812100439 55648 example.net. "
	    "qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep"
	    "666VCw==",
	    "192.0.2.1", RR_A, 55648 },
	/* RFC 8080 6.1 */
	{ "257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=", "example.com.",
	    "MX 15 2 3600 1440021600 1438207200 3613 example.com. "
	    "oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngw"
	    "crqNAg==",
	    "10 Mail.Example.Com.", RR_MX, 3613 },
};

static void
key_from(const char *text, struct zone_key *key)
{
	struct ns_why why;
	size_t len;

	*key = (struct zone_key){ 0 };
	assert_int_equal(rdata_from_text(RR_DNSKEY, text, (const uint8_t *)"", false, key->rdata,
			     sizeof key->rdata, &len, &why),
	    NS_OK);
	key->rdlen = (uint8_t)len;
	key->flags = get_u16(key->rdata);
	key->algorithm = key->rdata[3];
	key->tag = ds_key_tag(key->rdata, len);
}

static void
test_vectors(void **state)
{
	struct rrsigner *s = rrsigner_new();

	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		struct one o = one(vectors[i].owner, vectors[i].type, 3600,
		    (const char *const[]){ vectors[i].rdata, NULL });
		uint8_t sig[RDATA];
		struct zone_key key;
		struct ns_why why;
		size_t len;

		key_from(vectors[i].dnskey, &key);
		assert_int_equal(key.tag, vectors[i].tag);
		assert_int_equal(rdata_from_text(RR_RRSIG, vectors[i].rrsig, (const uint8_t *)"",
				     false, sig, sizeof sig, &len, &why),
		    NS_OK);
		assert_true(rrsigner_verify(s, &o.set, &key, sig, len));
		sig[len - 1] ^= 1;
		assert_false(rrsigner_verify(s, &o.set, &key, sig, len));
		sig[len - 1] ^= 1;
		sig[15] ^= 1; /* inception */
		assert_false(rrsigner_verify(s, &o.set, &key, sig, len));
		assert_false(rrsigner_verify(s, &o.set, &key, sig, RRSIG_HEAD));
		wbuf_free(&o.zwire);
	}
	rrsigner_destroy(&s);
}

/* Ed25519 has one signature a message: ours is the RFC's. */
static void
test_ed25519_exact(void **state)
{
	static const uint8_t private[] = "82260384628080122645190204142262";
	struct rrsigner *s = rrsigner_new();
	struct one o = one(vectors[1].owner, vectors[1].type, 3600,
	    (const char *const[]){ vectors[1].rdata, NULL });
	uint8_t want[RDATA], got[RRSIG_MAX];
	struct zone_key key;
	struct ns_why why;
	size_t len;

	(void)state;
	assert_int_equal(
	    zone_key_take(&key,
		EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, private, sizeof private - 1),
		KEY_KSK, &why),
	    NS_OK);
	assert_int_equal(key.tag, 3613);
	assert_int_equal(rdata_from_text(RR_RRSIG, vectors[1].rrsig, (const uint8_t *)"", false,
			     want, sizeof want, &len, &why),
	    NS_OK);
	assert_int_equal(rrsigner_make(s, &o.set, &key, name("example.com."),
			     (struct rrsig_window){ 1438207200, 1440021600 }, got),
	    len);
	assert_memory_equal(got, want, len);
	EVP_PKEY_free(key.pkey);
	wbuf_free(&o.zwire);
	rrsigner_destroy(&s);
}

static void
test_make_verify(void **state)
{
	static const char *const texts[] = { "20 b.Example.", "10 A.example.", NULL };
	struct one o = one("*.mx.example.", RR_MX, 300, texts);
	struct one other = one("*.mx.example.", RR_MX, 301, texts);
	struct rrsigner *s = rrsigner_new();

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct zone_keys *k =
		    keykit_new(name("example."), i ? KEY_ED25519 : KEY_P256, DENIAL_NSEC, NOW);
		const uint8_t *apex = name("example.");
		uint8_t rdata[RRSIG_MAX], print[RRSIG_PRINT], print2[RRSIG_PRINT];
		size_t len = rrsigner_make(
		    s, &o.set, &k->key[1], apex, rrsig_window(o.set.owner, RR_MX, NOW), rdata);
		struct zone_key public = k->key[1];
		struct rrsig sig;

		assert_true(rrsig_read(rdata, len, &sig));
		assert_int_equal(sig.labels, 2);
		assert_true(rrsigner_verify(s, &o.set, &k->key[1], rdata, len));
		public.pkey = NULL;
		assert_true(rrsigner_verify(s, &o.set, &public, rdata, len));
		assert_false(rrsigner_verify(s, &other.set, &public, rdata, len));
		assert_false(rrsigner_verify(s, &o.set, &k->key[0], rdata, len));
		rrsigner_print(s, &o.set, print);
		rrsigner_print(s, &other.set, print2);
		assert_memory_not_equal(print, print2, sizeof print);
		zone_keys_unref(&k);
	}
	wbuf_free(&o.zwire);
	wbuf_free(&other.zwire);
	rrsigner_destroy(&s);
}

/* Whenever it is made, beyond 2106 too: valid for a clock an hour behind, due between 4 and 7 days on. */
static void
test_windows(void **state)
{
	static const uint32_t nows[] = { 0, NOW, UINT32_MAX - 1000, UINT32_MAX };
	uint32_t least = UINT32_MAX, most = 0;
	uint8_t owner[] = { 1, 'a', 0 };

	(void)state;
	for (size_t i = 0; i < sizeof nows / sizeof *nows; i++) {
		uint32_t now = nows[i];

		for (unsigned c = 0; c < 256; c++) {
			struct rrsig sig = { 0 };
			uint32_t life;

			owner[1] = (uint8_t)c;
			sig.window = rrsig_window(owner, RR_A, now);
			life = sig.window.expiration - now;
			assert_true(rrsig_is_valid_at(&sig, now - 3600));
			assert_false(rrsig_is_valid_at(&sig, now - 3601));
			assert_false(rrsig_is_due(&sig, now + 3 * DAY));
			assert_true(rrsig_is_due(&sig, now + 7 * DAY + 1));
			assert_true(rrsig_is_valid_at(&sig, now + 11 * DAY - 1));
			assert_false(rrsig_is_valid_at(&sig, now + 14 * DAY));
			least = life < least ? life : least;
			most = life > most ? life : most;
		}
	}
	assert_true(most - least > 2 * DAY); /* spread out */
}

static void
test_apexset(void **state)
{
	struct zone_keys *k = keykit_new(name("example."), KEY_P256, DENIAL_NSEC, NOW);
	struct rrsigner *s = rrsigner_new();
	struct zwire_iter it = zwire_iter(k->apex, k->apex_len);
	struct rrset set[8];
	struct apex_wish wish = { .ttl = 60, .cds = APEX_CDS_DELETE, .now = NOW };
	struct ns_why why;
	unsigned n = 0, signatures = 0;

	(void)state;
	assert_int_equal(zwire_check(k->apex, k->apex_len, &why), NS_OK);
	assert_int_equal(apexset_expires(k), NOW + 60 * DAY);
	while (n < 8 && zwire_next(&it, &set[n]))
		n++;
	assert_int_equal(n, 6);
	for (unsigned i = 0; i < n; i++) {
		for (unsigned j = 0; j < n; j++) {
			if (set[j].type != RR_RRSIG || set[j].covers != set[i].type)
				continue;
			assert_true(rrsigner_verify(
			    s, &set[i], &k->key[0], set[j].rdata + 2, set[j].rdata_len - 2));
			signatures++;
		}
	}
	assert_int_equal(signatures, 3);
	assert_int_equal(apexset_make(k, name("example."), &wish, &why), NS_OK);
	it = zwire_iter(k->apex, k->apex_len);
	while (zwire_next(&it, &set[0])) {
		if (set[0].type == RR_CDS)
			assert_memory_equal(set[0].rdata, "\0\5\0\0\0\0\0", 7);
		if (set[0].type == RR_CDNSKEY)
			assert_memory_equal(set[0].rdata, "\0\5\0\0\3\0\0", 7);
	}
	k->key[0].signs = false;
	assert_int_equal(apexset_make(k, name("example."), &wish, &why), NS_INVALID);
	zone_keys_unref(&k);
	rrsigner_destroy(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_ed25519_exact),
		cmocka_unit_test(test_make_verify),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_apexset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

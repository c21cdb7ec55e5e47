/* name - text, order, keys and relations of names; order and keys against ldns for random names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ldns/ldns.h>

#include "appliance/dns/name.h"
#include "tests/lib/zonebox.h"

#define L63  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define L61  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define L253 L63 "." L63 "." L63 "." L61

static const struct {
	const char *text, *wire; /* wire NULL: refused */
	const char *back; /* NULL: as text */
} texts[] = {
	{ ".", "00", NULL },
	{ "a.", "01 61 00", NULL },
	{ "A.b.", "01 41 01 62 00", NULL },
	{ "@", "02 65 78 00", "ex." },
	{ "www", "03 77 77 77 02 65 78 00", "www.ex." },
	{ "a.b", "01 61 01 62 02 65 78 00", "a.b.ex." },
	{ "*", "01 2a 02 65 78 00", "*.ex." },
	{ "a\\.b.", "03 61 2e 62 00", NULL },
	{ "a\\046b.", "03 61 2e 62 00", "a\\.b." },
	{ "\\000\\255\\032.", "03 00 ff 20 00", NULL },
	{ "\\@\\;\\(\\)\\$\\\"\\\\.", "07 40 3b 28 29 24 22 5c 00", NULL },
	{ "\\@", "01 40 02 65 78 00", "\\@.ex." },
	{ L253 ".", "", NULL },
	{ "", NULL, NULL },
	{ "..", NULL, NULL },
	{ ".a", NULL, NULL },
	{ "a..b.", NULL, NULL },
	{ "a\\", NULL, NULL },
	{ "a\\25", NULL, NULL },
	{ "a\\256", NULL, NULL },
	{ L63 "a", NULL, NULL },
	{ L253, NULL, NULL }, /* + ex. */
	{ L253 "a.", NULL, NULL },
	{ L253 "a.b.c.", NULL, NULL },
};

static void
reads_and_writes_text(void **state)
{
	const uint8_t *origin = zonebox_name("ex.");

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		uint8_t got[NAME_MAX_WIRE], want[NAME_MAX_WIRE];
		char back[NAME_MAX_TEXT];
		struct ns_why why = { 0 };
		size_t len = 0, n;
		enum ns_err err = name_from_text(texts[i].text, origin, got, &len, &why);

		if (texts[i].wire == NULL) {
			assert_int_equal(err, NS_INVALID);
			assert_string_equal(why.field, "name");
			assert_true(why.text[0] != '\0');
			continue;
		}
		assert_int_equal(err, NS_OK);
		assert_int_equal(name_check(got, len), len);
		assert_int_equal(name_len(got), len);
		n = zonebox_hex(texts[i].wire, want, sizeof want);
		if (n > 0) {
			assert_int_equal(len, n);
			assert_memory_equal(got, want, n);
		}
		assert_string_equal(
		    name_to_text(got, back), texts[i].back != NULL ? texts[i].back : texts[i].text);
	}
}

static const struct {
	const char *hex;
	size_t len;
} wires[] = {
	{ "00", 1 },
	{ "00 00", 1 },
	{ "01 61 00", 3 },
	{ "", 0 },
	{ "01", 0 },
	{ "01 61", 0 },
	{ "40 61 00", 0 },
	{ "c0 00", 0 },
	{ "02 61 00", 0 },
};

static void
checks_wire(void **state)
{
	uint8_t big[300];

	(void)state;
	for (size_t i = 0; i < sizeof wires / sizeof wires[0]; i++) {
		uint8_t in[64], out[NAME_MAX_WIRE];
		size_t n = zonebox_hex(wires[i].hex, in, sizeof in);
		struct rbuf r = rbuf_init(in, n);

		assert_int_equal(name_check(in, n), wires[i].len);
		assert_int_equal(name_read(&r, out), wires[i].len);
		assert_int_equal(rbuf_ok(&r), wires[i].len > 0);
	}
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = i % 2 == 0 ? 1 : 'a';
	big[254] = 0;
	assert_int_equal(name_check(big, sizeof big), 255);
	assert_int_equal(name_labels(big), NAME_MAX_LABELS);
	big[254] = 1;
	big[256] = 0;
	assert_int_equal(name_check(big, sizeof big), 0);
}

static void
knows_relations(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal, below, in;
		unsigned common;
	} rows[] = {
		{ "a.", "A.", true, false, true, 1 },
		{ "www.ex.", "EX.", false, true, true, 1 },
		{ "ex.", "www.ex.", false, false, false, 1 },
		{ "xex.", "ex.", false, false, false, 0 },
		{ "a.b.c.", "x.B.c.", false, false, false, 2 },
		{ "a.", ".", false, true, true, 0 },
		{ ".", ".", true, false, true, 0 },
		{ "ab.", "a.b.", false, false, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const uint8_t *a = zonebox_name(rows[i].a), *b = zonebox_name(rows[i].b);

		assert_int_equal(name_equal(a, b), rows[i].equal);
		assert_int_equal(name_is_below(a, b), rows[i].below);
		assert_int_equal(name_in(a, b), rows[i].in);
		assert_int_equal(name_common(a, b), rows[i].common);
	}
	assert_true(name_is_wild(zonebox_name("*.a.")));
	assert_false(name_is_wild(zonebox_name("a.*.")));
	assert_false(name_is_wild(zonebox_name("**.")));
	assert_true(name_equal(name_skip(zonebox_name("a.b.c."), 2), zonebox_name("c.")));
	assert_true(name_equal(name_parent(zonebox_name("c.")), zonebox_name(".")));
}

/* RFC 4034 6.1, and names whose labels hold 0x00, 0x01 and upper case. */
static const char *const ordered[] = {
	".",
	"example.",
	"a.example.",
	"yljkjljk.a.example.",
	"Z.a.example.",
	"zABC.a.EXAMPLE.",
	"z.example.",
	"\\000.z.example.",
	"\\000\\000.z.example.",
	"\\000\\001.z.example.",
	"\\001.z.example.",
	"\\001\\000.z.example.",
	"\\001\\001.z.example.",
	"\\001a.z.example.",
	"\\002.z.example.",
	"*.z.example.",
	"A.z.example.",
	"\\200.z.example.",
	"example\\000.",
};

static int
key_cmp(const uint8_t *a, const uint8_t *b)
{
	uint8_t ka[NAME_MAX_KEY], kb[NAME_MAX_KEY];
	size_t na = name_sort_key(a, ka), nb = name_sort_key(b, kb);
	int d = memcmp(ka, kb, na < nb ? na : nb);

	return d != 0 ? d : (na > nb) - (na < nb);
}

static int
sign(int d)
{
	return (d > 0) - (d < 0);
}

static void
orders_names(void **state)
{
	const int count = sizeof ordered / sizeof ordered[0];

	(void)state;
	for (int i = 0; i < count; i++) {
		for (int k = 0; k < count; k++) {
			const uint8_t *a = zonebox_name(ordered[i]), *b = zonebox_name(ordered[k]);

			assert_int_equal(sign(name_cmp(a, b)), sign(i - k));
			assert_int_equal(sign(key_cmp(a, b)), sign(i - k));
		}
	}
}

static size_t
random_name(uint8_t *out, unsigned *seed)
{
	static const char letters[] = { 0, 1, 2, 'a', 'A', 'b', 'Z', 'z', '*', '-', '[', 127 };
	size_t n = 0;

	for (int labels = rand_r(seed) % 5; labels > 0; labels--) {
		size_t len = 1 + (size_t)(rand_r(seed) % 4);

		out[n++] = (uint8_t)len;
		while (len-- > 0)
			out[n++] = (uint8_t)letters[(size_t)rand_r(seed) % sizeof letters];
	}
	out[n++] = 0;
	return n;
}

static void
agrees_with_ldns(void **state)
{
	unsigned seed = 42;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint8_t a[NAME_MAX_WIRE], b[NAME_MAX_WIRE], key[NAME_MAX_KEY], back[NAME_MAX_WIRE];
		uint8_t lower[NAME_MAX_WIRE];
		size_t na = random_name(a, &seed), nb = random_name(b, &seed), keylen;
		ldns_rdf *ra = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, na, a);
		ldns_rdf *rb = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, nb, b);

		assert_int_equal(sign(name_cmp(a, b)), sign(ldns_dname_compare(ra, rb)));
		assert_int_equal(sign(key_cmp(a, b)), sign(name_cmp(a, b)));
		assert_int_equal(name_equal(a, b), name_cmp(a, b) == 0);
		keylen = name_sort_key(a, key);
		name_lower(lower, a, na);
		assert_int_equal(name_from_key(key, keylen, back), na);
		assert_memory_equal(back, lower, na);
		ldns_rdf_deep_free(ra);
		ldns_rdf_deep_free(rb);
	}
}

static void
refuses_wrong_keys(void **state)
{
	static const char *const wrong[] = { "61", "00", "41 00", "01 00", "01 03 00", "61 00 62",
		"61 00 00", "01" };
	uint8_t key[NAME_MAX_KEY], out[NAME_MAX_WIRE];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		n = zonebox_hex(wrong[i], key, sizeof key);
		assert_int_equal(name_from_key(key, n, out), 0);
	}
	for (n = 0; n < sizeof key; n++) /* 128 labels of one octet do not fit */
		key[n] = n % 2 == 0 ? 'a' : 0;
	assert_int_equal(name_from_key(key, 254, out), 255);
	assert_int_equal(name_from_key(key, 256, out), 0);
	assert_int_equal(name_from_key(key, 0, out), 1);
}

static void
fits_the_longest_key(void **state)
{
	uint8_t name[NAME_MAX_WIRE], key[NAME_MAX_KEY], back[NAME_MAX_WIRE];
	size_t len;
	static const uint8_t labels[] = { 63, 63, 63, 61 };
	uint8_t *p = name;

	(void)state;
	memset(name, 0, sizeof name);
	for (size_t i = 0; i < sizeof labels; i++) {
		*p = labels[i];
		p += labels[i] + 1;
	}
	len = name_sort_key(name, key);
	assert_int_equal(len, 504);
	assert_int_equal(name_from_key(key, len, back), sizeof name);
	assert_memory_equal(back, name, sizeof name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes_text),
		cmocka_unit_test(checks_wire),
		cmocka_unit_test(knows_relations),
		cmocka_unit_test(orders_names),
		cmocka_unit_test(agrees_with_ldns),
		cmocka_unit_test(refuses_wrong_keys),
		cmocka_unit_test(fits_the_longest_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

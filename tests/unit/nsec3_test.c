/* nsec3 - hashes and proofs of RFC 5155 appendices A and B; which chain counts; chains that change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ldns/ldns.h>

#include "appliance/serve/work.h"
#include "tests/lib/zonekit.h"

static struct zonekit kit;
static uint8_t reply[SERVE_TCP_MAX];

/* ---- appendix A: hashes ---- */
static const struct nsec3_chain rfc_chain = {
	.used = true, .iterations = 12, .salt_len = 4, .salt = { 0xaa, 0xbb, 0xcc, 0xdd }
};

static void
hashes_as_in_appendix_a(void **state)
{
	static const char *const rows[][2] = {
		{ "example.", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom" },
		{ "a.example.", "35mthgpgcu1qg68fab165klnsnk3dpvl" },
		{ "ai.example.", "gjeqe526plbf1g8mklp59enfd789njgi" },
		{ "ns1.example.", "2t7b4g4vsa5smi47k61mv5bv1a22bojr" },
		{ "ns2.example.", "q04jkcevqvmu85r014c7dkba38o0ji5r" },
		{ "w.example.", "k8udemvp1j2f7eg6jebps17vp3n8i58h" },
		{ "*.w.example.", "r53bq7cc2uvmubfu5ocmm6pers9tk9en" },
		{ "x.w.example.", "b4um86eghhds6nea196smvmlo4ors995" },
		{ "y.w.example.", "ji6neoaepv8b5o6k4ev33abha8ht9fgc" },
		{ "x.y.w.example.", "2vptu5timamqttgl4luu9kg21e0aor3s" },
		{ "xx.example.", "t644ebqk9bibcna874givr6joj62mlhv" },
		{ "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.", "kohar7mbb8dc2ce8a9qvl8hon4k53uhi" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t name[255], label[NSEC3_LABEL];

		zonekit_name(rows[i][0], name);
		nsec3_hash(&rfc_chain, name, name_len(name), label);
		assert_memory_equal(label, rows[i][1], NSEC3_LABEL);
	}
}

/* A salt of 255 octets goes into more than one block of SHA-1; the value is ldns's. */
static void
hashes_with_the_longest_salt(void **state)
{
	struct nsec3_chain chain = { .used = true, .iterations = 1, .salt_len = 255 };
	uint8_t name[255], label[NSEC3_LABEL];
	ldns_rdf *owner = ldns_dname_new_frm_str("www.example."), *hash;

	(void)state;
	memset(chain.salt, 0x5a, sizeof chain.salt);
	zonekit_name("www.example.", name);
	nsec3_hash(&chain, name, name_len(name), label);
	hash = ldns_nsec3_hash_name(owner, 1, 1, 255, chain.salt);
	assert_memory_equal(label, ldns_rdf_data(hash) + 1, NSEC3_LABEL);
	ldns_rdf_deep_free(hash);
	ldns_rdf_deep_free(owner);
}

/* ---- the zone of appendix A; the same signature everywhere ---- */
#define SIG(type, labels)                                                                          \
	"RRSIG " type " 13 " labels " 3600 20300101000000 20200101000000 1 example. "              \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==" \
	"\n"
#define N3(hash, next, types) \
	hash " NSEC3 1 1 12 aabbccdd " next " " types "\n" hash " " SIG("NSEC3", "2")
#define PARAM "@ NSEC3PARAM 1 0 12 aabbccdd\n"
#define ZONE                                                                                    \
	"$TTL 3600\n@ SOA ns1 bugs.x.w 1 3600 300 3600000 3600\n@ " SIG("SOA",                  \
	    "1") "@ NS ns1\n@ NS ns2\n@ MX 1 xx\nns1 A 192.0.2.1\nns2 A 192.0.2.2\n"            \
		 "a NS ns1.a\na NS ns2.a\na DS 58470 5 1 "                                      \
		 "3079f1593ebad6dc121e202a8b766a6a4837206c\n"                                   \
		 "ns1.a A 192.0.2.5\nns2.a A 192.0.2.6\nai A 192.0.2.9\n"                       \
		 "c NS ns1.c\nc NS ns2.c\nns1.c A 192.0.2.7\nns2.c A 192.0.2.8\n*.w MX 1 ai\n"  \
		 "x.w MX 1 xx\nx.y.w MX 1 xx\nxx A 192.0.2.10\n" N3(                            \
		     "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", "2t7b4g4vsa5smi47k61mv5bv1a22bojr",    \
		     "NS SOA") N3("2t7b4g4vsa5smi47k61mv5bv1a22bojr",                           \
		     "2vptu5timamqttgl4luu9kg21e0aor3s",                                        \
		     "A RRSIG") N3("2vptu5timamqttgl4luu9kg21e0aor3s",                          \
		     "35mthgpgcu1qg68fab165klnsnk3dpvl", "MX RRSIG")                            \
		     N3("35mthgpgcu1qg68fab165klnsnk3dpvl", "b4um86eghhds6nea196smvmlo4ors995", \
			 "NS DS RRSIG") N3("b4um86eghhds6nea196smvmlo4ors995",                  \
			 "gjeqe526plbf1g8mklp59enfd789njgi", "MX RRSIG")                        \
			 N3("gjeqe526plbf1g8mklp59enfd789njgi",                                 \
			     "ji6neoaepv8b5o6k4ev33abha8ht9fgc", "A RRSIG")                     \
			     N3("ji6neoaepv8b5o6k4ev33abha8ht9fgc",                             \
				 "k8udemvp1j2f7eg6jebps17vp3n8i58h", "")                        \
				 N3("k8udemvp1j2f7eg6jebps17vp3n8i58h",                         \
				     "q04jkcevqvmu85r014c7dkba38o0ji5r", "")                    \
				     N3("q04jkcevqvmu85r014c7dkba38o0ji5r",                     \
					 "r53bq7cc2uvmubfu5ocmm6pers9tk9en", "A RRSIG")         \
					 N3("r53bq7cc2uvmubfu5ocmm6pers9tk9en",                 \
					     "t644ebqk9bibcna874givr6joj62mlhv", "MX RRSIG")    \
					     N3("t644ebqk9bibcna874givr6joj62mlhv",             \
						 "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", "A RRSIG")

static void
put_zone(const char *text)
{
	zonekit_add(&kit, "example.", text, strlen(text), 1);
	zonekit_publish(&kit);
}

/* The hashes' first four letters of the NSEC3 in the authority section, by blanks, sorted; "3 " before them
 * when the name does not exist. */
static const char *
proof_of(const char *name, uint16_t type)
{
	static char out[256];
	uint8_t pkt[512];
	size_t len = zonekit_question(name, type, "d", pkt), at = 0;
	char *text, *line, *rest;

	len = zonekit_ask(&kit, pkt, len, false, reply);
	text = zonekit_text(reply, len);
	assert_non_null(text);
	out[0] = '\0';
	for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		if (line == text && line[0] == '3')
			at += (size_t)snprintf(out + at, sizeof out - at, "3 ");
		if (strncmp(line, "NS ", 3) == 0 && strstr(line, " IN NSEC3 ") != NULL)
			at += (size_t)snprintf(out + at, sizeof out - at, "%.4s ", line + 3);
	}
	free(text);
	return out;
}

struct row {
	const char *name;
	uint16_t type;
	const char *proof;
};

static void
expect(const struct row *row, size_t n)
{
	bool failed = false;

	for (size_t i = 0; i < n; i++) {
		const char *got = proof_of(row[i].name, row[i].type);

		if (strcmp(got, row[i].proof) != 0) {
			print_error("%s %u: want %s, got %s\n", row[i].name, row[i].type,
			    row[i].proof, got);
			failed = true;
		}
	}
	assert_false(failed);
}

static const struct row appendix_b[] = {
	{ "a.c.x.w.example.", RR_A, "3 0p9m 35mt b4um " }, /* B.1 */
	{ "ns1.example.", RR_MX, "2t7b " }, /* B.2 */
	{ "y.w.example.", RR_A, "ji6n " }, /* B.2.1 */
	{ "mc.c.example.", RR_MX, "0p9m 35mt " }, /* B.3: an opted-out delegation */
	{ "a.z.w.example.", RR_MX, "q04j " }, /* B.4 */
	{ "a.z.w.example.", RR_AAAA, "k8ud q04j r53b " }, /* B.5 */
	{ "example.", RR_DS, "0p9m " }, /* B.6 */
	{ "c.example.", RR_DS, "0p9m 35mt " }, /* 7.2.4 */
	{ "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.", RR_NSEC3, "3 0p9m gjeq k8ud " }, /* 7.2.8 */
};

static void
proves_as_in_appendix_b(void **state)
{
	(void)state;
	put_zone(ZONE PARAM);
	expect(appendix_b, sizeof appendix_b / sizeof appendix_b[0]);
}

/* ---- which chain counts ---- */
static void
uses_the_chain_that_the_parameters_name(void **state)
{
	static const struct {
		const char *params;
		bool proves;
	} rows[] = {
		{ "", false },
		{ "@ NSEC3PARAM 2 0 12 aabbccdd\n", false },
		{ "@ NSEC3PARAM 1 1 12 aabbccdd\n", false },
		{ "@ NSEC3PARAM 1 0 151 aabbccdd\n", false },
		{ "@ NSEC3PARAM 1 0 151 aabbccdd\n" PARAM, true },
		{ "@ NSEC3PARAM 1 0 12 aabbccde\n", false },
		{ "@ NSEC3PARAM 1 0 13 aabbccdd\n", false },
		{ PARAM, true },
	};
	/* One record of another chain, where it would cover names of this one. */
	static const char other[] =
	    "1111111111111111111111111111111v NSEC3 1 1 1 - 22222222222222222222222222222222 A\n";

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[16384];

		snprintf(text, sizeof text, "%s%s%s", ZONE, other, rows[i].params);
		put_zone(text);
		if (rows[i].proves)
			expect(appendix_b, sizeof appendix_b / sizeof appendix_b[0]);
		else
			assert_string_equal(proof_of("nx.example.", RR_A), "3 ");
	}
}

/* ---- edits ---- */
static void
edit(const char *text)
{
	const struct image_meta meta = { .version = ++kit.revision, .account = 1 };
	struct wbuf zwire = zonekit_zwire("example.", text, strlen(text));
	struct ns_why why = { 0 };
	uint8_t apex[255];
	map_off off;

	zonekit_name("example.", apex);
	assert_int_equal(image_edit(kit.w, writer_zone_find(kit.w, apex), &meta, zwire.base,
			     zwire.len, NULL, 0, &off, &why),
	    NS_OK);
	assert_int_equal(writer_zone_put(kit.w, apex, off), NS_OK);
	zonekit_publish(&kit);
	wbuf_free(&zwire);
}

#define APEX                                                             \
	"$TTL 3600\n@ SOA ns1 bugs.x.w 2 3600 300 3600000 3600\n@ " SIG( \
	    "SOA", "1") "@ NS ns1\n"                                     \
			"@ NS ns2\n@ MX 1 xx\n"

static void
follows_edits_of_the_chain(bool tree)
{
	struct wbuf text = wbuf_grow(1 << 20);
	char line[200];

	wbuf_put(&text, ZONE, sizeof ZONE - 1);
	for (unsigned i = 0; tree && i < 1000; i++)
		wbuf_put(&text, line,
		    (size_t)snprintf(line, sizeof line, "q%u.q TXT \"%080u\"\n", i, i));
	wbuf_u8(&text, 0);
	put_zone((const char *)text.base);
	wbuf_free(&text);
	assert_string_equal(proof_of("nx.example.", RR_A), "3 ");
	edit(APEX PARAM);
	expect(appendix_b, sizeof appendix_b / sizeof appendix_b[0]);
	edit("$TTL 1\nai A 192.0.2.99\n" N3(
	    "gjeqe526plbf1g8mklp59enfd789njgi", "ji6neoaepv8b5o6k4ev33abha8ht9fgc", "A TXT RRSIG"));
	expect(appendix_b, sizeof appendix_b / sizeof appendix_b[0]);
	assert_string_equal(proof_of("ai.example.", RR_MX), "gjeq ");
	edit(APEX "@ NSEC3PARAM 1 0 12 aa\n");
	assert_string_equal(proof_of("nx.example.", RR_A), "3 ");
	edit(APEX PARAM);
	expect(appendix_b, sizeof appendix_b / sizeof appendix_b[0]);
}

static void
follows_edits_of_a_flat_image(void **state)
{
	(void)state;
	follows_edits_of_the_chain(false);
}

static void
follows_edits_of_a_tree(void **state)
{
	(void)state;
	follows_edits_of_the_chain(true);
}

/* Its owner is no name of the zone, unless something else makes it one (RFC 5155 7.2.8). */
static void
hides_the_owners_of_nsec3(void **state)
{
	static const struct row rows[] = {
		{ "k8udemvp1j2f7eg6jebps17vp3n8i58h.example.", RR_NSEC3, "" },
		{ "k8udemvp1j2f7eg6jebps17vp3n8i58h.example.", RR_TXT, "" },
	};
	uint8_t pkt[512];
	size_t len;

	(void)state;
	put_zone(ZONE PARAM "*.q TXT w\nh.k8udemvp1j2f7eg6jebps17vp3n8i58h A 192.0.2.1\n");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		len = zonekit_question(rows[i].name, rows[i].type, "", pkt);
		zonekit_ask(&kit, pkt, len, false, reply);
		assert_int_equal(reply[3] & 15, 0);
	}
	len = zonekit_question("2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.", RR_NSEC3, "", pkt);
	zonekit_ask(&kit, pkt, len, false, reply);
	assert_int_equal(reply[3] & 15, RCODE_NXDOMAIN);
	assert_int_equal(get_u16(reply + 6), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_as_in_appendix_a),
		cmocka_unit_test(hashes_with_the_longest_salt),
		cmocka_unit_test(proves_as_in_appendix_b),
		cmocka_unit_test(uses_the_chain_that_the_parameters_name),
		cmocka_unit_test(follows_edits_of_a_flat_image),
		cmocka_unit_test(follows_edits_of_a_tree),
		cmocka_unit_test(hides_the_owners_of_nsec3),
	};

	zonekit_init(&kit, 256u << 20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

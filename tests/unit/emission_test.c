/* emission - policies in a zone that is signed here: whatever health is, what is sent has a signature that holds, and
 * what signing foresees is what is picked. */
// link: appliance/signer/compile.c appliance/signer/making.c appliance/signer/current.c appliance/signer/sources.c appliance/signer/content.c appliance/signer/signed.c appliance/signer/sigfile.c appliance/signer/sigframe.c appliance/signer/signcheck.c appliance/signer/sidecheck.c appliance/signer/signtables.c appliance/signer/resign.c appliance/signer/resign3.c appliance/signer/polbook.c appliance/signer/zonesign.c appliance/signer/hashsort.c appliance/signer/signowner.c appliance/signer/emissions.c appliance/signer/aliassign.c appliance/signer/aliassets.c appliance/signer/aliasbook.c appliance/signer/names.c appliance/signer/sheet.c appliance/signer/typemap.c appliance/signer/rrsig.c appliance/signer/keys.c appliance/signer/apexset.c appliance/signer/sigaudit.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <cmocka.h>

#include <ldns/ldns.h>

#include "appliance/dns/closure.h"
#include "appliance/dns/policy.h"
#include "appliance/dns/rrtype.h"
#include "appliance/signer/compile.h"
#include "appliance/signer/emissions.h"
#include "appliance/signer/sigaudit.h"
#include "appliance/signer/signcheck.h"
#include "appliance/zonemap/image_read.h"
#include "tests/lib/keykit.h"
#include "tests/lib/mapbox.h"
#include "tests/lib/zonebox.h"
#include "tests/lib/zonekit.h"

#define CHECKS   9u /* c1 to c9 */
#define POLICIES 24u

struct bench {
	struct zonekit kit;
	struct compiler *compiler;
	struct board board;
	struct zone_keys *keys;
	struct wbuf content;
	map_off image;
	uint64_t version, seed, random;
	ldns_rr_list *dnskeys;
	unsigned answers, none, late;
};

/* ---- a zone of random policies ---- */

static unsigned
chance(struct bench *b, unsigned n)
{
	return (unsigned)(mapbox_random(&b->seed) % n);
}

static size_t
put_pool(struct bench *b, char *to, unsigned i, unsigned pools, bool cname)
{
	static const char *const serves[] = { "\"all\"", "\"one\"", "2", "1" };
	static const char *const downs[] = { "\"open\"", "\"closed\"", "\"last\"" };
	unsigned answers = 1 + chance(b, 5), n = 0;

	n += (unsigned)sprintf(to, "%s\"p%u\":{\"serve\":%s,", i > 0 ? "," : "", i,
	    cname ? "\"one\"" : serves[chance(b, 4)]);
	if (i + 1 < pools && chance(b, 4) == 0)
		n += (unsigned)sprintf(to + n, "\"when_down\":{\"pool\":\"p%u\"},", i + 1);
	else
		n += (unsigned)sprintf(to + n, "\"when_down\":%s,", downs[chance(b, 3)]);
	n += (unsigned)sprintf(to + n, "\"min_healthy\":%u,\"answers\":[", 1 + chance(b, answers));
	for (unsigned k = 0; k < answers; k++) {
		n += (unsigned)sprintf(to + n, "%s{\"value\":\"%s%u%s\",\"weight\":%u",
		    k > 0 ? "," : "", cname ? "H" : "192.0.2.", chance(b, 200),
		    cname ? ".Example." : "", chance(b, 3));
		if (chance(b, 5) > 0)
			n += (unsigned)sprintf(to + n, ",\"check\":\"c%u\"", 1 + chance(b, CHECKS));
		n += (unsigned)sprintf(to + n, "}");
	}
	return n + (unsigned)sprintf(to + n, "]}");
}

static size_t
put_policy(struct bench *b, char *to, unsigned number)
{
	unsigned pools = 1 + chance(b, 4), n = 0;
	bool cname = number % 4 == 3;

	n += (unsigned)sprintf(to, ";ns-policy %sn%u.s.example. %s {\"ttl\":7,\"pools\":{",
	    number % 5 == 4 ? "*." : "", number, cname ? "CNAME" : "A");
	for (unsigned i = 0; i < pools; i++)
		n += (unsigned)put_pool(b, to + n, i, pools, cname);
	n += (unsigned)sprintf(to + n, "},\"root\":{\"use\":\"weighted\",\"branches\":[");
	for (unsigned i = 0; i < pools; i++)
		n += (unsigned)sprintf(
		    to + n, "%s{\"weight\":1,\"then\":{\"pool\":\"p%u\"}}", i > 0 ? "," : "", i);
	return n + (unsigned)sprintf(to + n, "]}}\n");
}

/* Text names checks; numbers are given to them at commit. */
static void
number_checks(struct wbuf *content)
{
	struct zwire_iter it = zwire_iter(content->base, content->len);
	struct rrset set;

	while (zwire_next(&it, &set)) {
		struct rbuf r = rbuf_init(set.rdata, set.rdata_len);
		const uint8_t *rdata;
		struct policy_answer a;
		struct policy po;
		size_t len;

		while (set.type == RR_NSPOLICY && (rdata = rrset_next_rdata(&r, &len)) != NULL) {
			assert_true(policy_open(&po, rdata, len));
			for (unsigned i = 0; i < po.nanswers; i++) {
				uint8_t *p = (uint8_t *)(uintptr_t)po.answers + i * POLICY_ANSWER;

				assert_true(policy_answer_at(&po, i, &a));
				if (a.check_name != 0)
					p[7] = (uint8_t)(policy_name(&po, a.check_name, &len)[1] -
							 '0');
			}
		}
	}
}

static void
make_content(struct bench *b)
{
	char *text = malloc(1 << 20);
	size_t n = (size_t)sprintf(text,
	    "$TTL 60\n@ SOA ns.example. h.example. 1 2 3 4 60\n@ NS ns.example.\n"
	    "n1 TXT \"beside\"\n");
	uint64_t records;

	for (unsigned i = 0; i < POLICIES; i++)
		n += put_policy(b, text + n, i);
	b->content = zonebox_zwire("s.example.", text, n, n, &records);
	number_checks(&b->content);
	free(text);
}

/* ---- the appliance in small ---- */

static void
set_board(struct bench *b, uint64_t check, bool up)
{
	board_write(&b->board, check,
	    &(struct board_word){
		.state = up ? BOARD_UP : BOARD_DOWN, .since = 1000 + chance(b, 1000) });
}

static void
compile(struct bench *b)
{
	const uint8_t *apex = zonebox_name("s.example.");
	struct compile_zone z = { .apex = apex,
		.version = ++b->version,
		.old = b->image,
		.keys = b->keys,
		.now = (uint32_t)time(NULL),
		.board = &b->board };
	struct compile_whole *whole = compile_begin(b->compiler, &z);
	struct ns_why why = { 0 };
	map_off image;

	assert_int_equal(compile_add(whole, b->content.base, b->content.len, &why), NS_OK);
	if (compile_end(&whole, &image, &why) != NS_OK)
		fail_msg("%s", why.text);
	assert_int_equal(writer_zone_put(b->kit.w, apex, image), NS_OK);
	if (b->image != 0)
		image_retire(b->kit.w, b->image);
	b->image = image;
	zonekit_publish(&b->kit);
}

static struct bench *
bench_open(enum key_algorithm algorithm, enum zone_denial denial)
{
	struct bench *b = calloc(1, sizeof *b);

	zonekit_init(&b->kit, 64u << 20);
	b->seed = 7 + denial;
	b->board.slots = mmap(NULL, BOARD_OCTETS, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(b->board.slots != MAP_FAILED);
	b->compiler = compiler_new(b->kit.w, NULL);
	b->keys = keykit_new(zonebox_name("s.example."), algorithm, denial, (uint32_t)time(NULL));
	b->kit.conf.board = &b->board;
	b->kit.conf.random = &b->random;
	make_content(b);
	return b;
}

static void
bench_close(struct bench *b)
{
	compiler_destroy(&b->compiler);
	zone_keys_unref(&b->keys);
	wbuf_free(&b->content);
	ldns_rr_list_deep_free(b->dnskeys);
	(void)munmap(b->board.slots, BOARD_OCTETS);
	zonekit_fini(&b->kit);
	free(b);
}

/* ---- what a validator says ---- */

static ldns_pkt *
ask(struct bench *b, const char *name, uint16_t type, const char *flags, bool *late)
{
	static uint8_t pkt[512], out[SERVE_TCP_MAX];
	struct query q = { .pkt = pkt, .out = out, .out_cap = sizeof out, .transport = SERVE_TCP };
	ldns_pkt *reply;

	q.len = zonekit_question(name, type, flags, pkt);
	serve_batch(&b->kit.conf, &b->kit.view, &q, 1);
	assert_int_equal(q.verdict, SERVE_REPLY);
	*late = q.policy_unsigned;
	assert_int_equal(ldns_wire2pkt(&reply, out, q.out_len), LDNS_STATUS_OK);
	return reply;
}

/* Every set of the section has a signature of the zone that holds. */
static void
verify_section(struct bench *b, ldns_pkt *reply, ldns_pkt_section section)
{
	ldns_rr_list *all =
	    section == LDNS_SECTION_ANSWER ? ldns_pkt_answer(reply) : ldns_pkt_authority(reply);
	size_t n = ldns_rr_list_rr_count(all);

	for (size_t i = 0; i < n; i++) {
		ldns_rr *rr = ldns_rr_list_rr(all, i);
		ldns_rr_list *set = ldns_rr_list_new(), *sigs = ldns_rr_list_new();

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG) {
			ldns_rr_list_free(set);
			ldns_rr_list_free(sigs);
			continue;
		}
		for (size_t k = 0; k < n; k++) {
			ldns_rr *other = ldns_rr_list_rr(all, k);

			if (ldns_dname_compare(ldns_rr_owner(rr), ldns_rr_owner(other)) != 0)
				continue;
			if (ldns_rr_get_type(other) == ldns_rr_get_type(rr))
				ldns_rr_list_push_rr(set, other);
			else if (ldns_rr_get_type(other) == LDNS_RR_TYPE_RRSIG &&
				 ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(other)) ==
				     ldns_rr_get_type(rr))
				ldns_rr_list_push_rr(sigs, other);
		}
		if (ldns_verify(set, sigs, b->dnskeys, NULL) != LDNS_STATUS_OK) {
			ldns_pkt_print(stdout, reply);
			fail_msg("a set does not validate");
		}
		ldns_rr_list_free(set);
		ldns_rr_list_free(sigs);
	}
}

/* The record that denies the type at the name does not claim it. */
static void
expect_denied(ldns_pkt *reply, ldns_rr_type type, bool nsec3)
{
	ldns_rr_list *all = ldns_pkt_authority(reply);
	unsigned found = 0;

	for (size_t i = 0; i < ldns_rr_list_rr_count(all); i++) {
		ldns_rr *rr = ldns_rr_list_rr(all, i);

		if (ldns_rr_get_type(rr) != (nsec3 ? LDNS_RR_TYPE_NSEC3 : LDNS_RR_TYPE_NSEC))
			continue;
		found++;
		assert_false(ldns_nsec_bitmap_covers_type(
		    nsec3 ? ldns_nsec3_bitmap(rr) : ldns_nsec_get_bitmap(rr), type));
	}
	assert_true(found > 0);
}

static void
ask_policy(struct bench *b, unsigned number, bool may_be_late)
{
	bool cname = number % 4 == 3, wild = number % 5 == 4, late;
	uint16_t type = cname ? RR_CNAME : RR_A;
	char name[64];
	ldns_pkt *reply;

	(void)snprintf(name, sizeof name, "%sn%u.s.example.", wild ? "some." : "", number);
	b->random = mapbox_random(&b->seed);
	reply = ask(b, name, cname && chance(b, 2) ? RR_A : type, "ed", &late);
	assert_int_equal(ldns_pkt_get_rcode(reply), LDNS_RCODE_NOERROR);
	if (late && !may_be_late)
		fail_msg("%s: what was picked has no signature", name);
	verify_section(b, reply, LDNS_SECTION_ANSWER);
	verify_section(b, reply, LDNS_SECTION_AUTHORITY);
	b->late += late ? 1u : 0u;
	if (ldns_rr_list_rr_count(ldns_pkt_answer(reply)) > 0) {
		b->answers++;
	} else {
		b->none++;
		if (!wild)
			expect_denied(reply, (ldns_rr_type)type, b->keys->denial != DENIAL_NSEC);
	}
	ldns_pkt_free(reply);
}

static void
learn_keys(struct bench *b)
{
	bool late;
	ldns_pkt *reply = ask(b, "s.example.", RR_DNSKEY, "ed", &late);

	b->dnskeys = ldns_pkt_rr_list_by_type(reply, LDNS_RR_TYPE_DNSKEY, LDNS_SECTION_ANSWER);
	assert_int_equal(ldns_rr_list_rr_count(b->dnskeys), 2);
	ldns_pkt_free(reply);
}

static void
rounds(enum key_algorithm algorithm, enum zone_denial denial)
{
	struct bench *b = bench_open(algorithm, denial);
	bool state[CHECKS + 1];

	for (unsigned i = 1; i <= CHECKS; i++)
		set_board(b, i, state[i] = true);
	for (unsigned round = 0; round < 12; round++) {
		unsigned flipped = 1 + chance(b, CHECKS);

		for (unsigned i = 1; i <= CHECKS; i++) {
			if (chance(b, 3) == 0)
				set_board(b, i, state[i] = chance(b, 2) != 0);
		}
		compile(b);
		if (b->dnskeys == NULL)
			learn_keys(b);
		for (unsigned i = 0; i < POLICIES; i++)
			ask_policy(b, i, false);
		/* One flip, before the signer has heard of it. */
		board_write(&b->board, flipped,
		    &(struct board_word){
			.state = state[flipped] ? BOARD_DOWN : BOARD_UP, .since = 3000 });
		for (unsigned i = 0; i < POLICIES; i++)
			ask_policy(b, i, false);
		/* All of them at once, and no signer. */
		for (unsigned i = 1; i <= CHECKS; i++)
			board_write(&b->board, i,
			    &(struct board_word){
				.state = state[i] ? BOARD_DOWN : BOARD_UP, .since = 3000 + i });
		for (unsigned i = 0; i < POLICIES; i++)
			ask_policy(b, i, true);
		for (unsigned i = 1; i <= CHECKS; i++)
			set_board(b, i, state[i]);
	}
	assert_true(b->answers > 500 && b->none > 20 && b->late > 20);
	assert_true(compiler_stats(b->compiler)->kept > compiler_stats(b->compiler)->made);
	bench_close(b);
}

static void
test_policies(void **state)
{
	(void)state;
	rounds(KEY_P256, DENIAL_NSEC);
	rounds(KEY_ED25519, DENIAL_NSEC3);
}

/* The bound that edits are held against is one, whatever health is. */
static void
test_bound(void **state)
{
	struct bench *b = bench_open(KEY_P256, DENIAL_NSEC);
	struct emission_pick pick[EMISSIONS_MAX + 1];
	unsigned policies = 0, most = 0;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct zwire_iter it = zwire_iter(b->content.base, b->content.len);
		struct rrset set;

		for (unsigned i = 1; i <= CHECKS; i++)
			set_board(b, i, chance(b, 2) != 0);
		while (zwire_next(&it, &set)) {
			struct rbuf r = rbuf_init(set.rdata, set.rdata_len);
			const uint8_t *rdata;
			struct policy po;
			size_t len;

			while (set.type == RR_NSPOLICY &&
			       (rdata = rrset_next_rdata(&r, &len)) != NULL) {
				unsigned n;

				assert_true(policy_open(&po, rdata, len));
				n = emissions_of(&po, &b->board, pick);
				assert_in_range(n, 1, policy_signed_max(&po));
				most += n == policy_signed_max(&po) ? 1u : 0u;
				policies++;
			}
		}
	}
	assert_true(policies == 300 * POLICIES && most > 0);
	bench_close(b);
}

/* ---- every signature of the image (sigaudit.h) ---- */

static void
audit(struct bench *b, const struct wbuf *zwire, uint32_t now, struct sigaudit_found *found)
{
	const uint8_t *apex = zonebox_name("s.example.");
	const struct image_meta meta = { .here = true, .expires = now };
	struct image_builder *builder = image_builder_new(b->kit.w, apex, &meta);
	struct sigaudit *a = sigaudit_new();
	struct map_view view = b->kit.view;
	struct ns_why why = { 0 };
	map_off image;

	assert_int_equal(image_builder_add(builder, zwire->base, zwire->len, &why), NS_OK);
	assert_int_equal(image_builder_end(&builder, &image, &why), NS_OK);
	view.size = atomic_load(&view.map->header->size);
	assert_true(sigaudit_begin(a, &view, image, now));
	while (sigaudit_step(a, 0))
		continue;
	*found = *sigaudit_found(a);
	sigaudit_destroy(&a);
	image_retire(b->kit.w, image);
}

static void
whole_zwire(struct bench *b, struct wbuf *out)
{
	struct image_walk walk;
	struct image_node node;
	struct image_ref ref;

	assert_true(image_open(&b->kit.view, b->image, &ref));
	image_walk_begin(&walk, &ref);
	while (image_walk_next(&walk, &node))
		assert_true(image_node_zwire(&ref, &node, false, out));
}

/* One octet of each signature set in turn: found, and nothing else is. */
static void
audits_find_each_wrong_octet(void **state)
{
	struct bench *b = bench_open(KEY_P256, DENIAL_NSEC);
	struct wbuf zwire = wbuf_grow(SIZE_MAX / 2);
	uint32_t now = (uint32_t)time(NULL);
	struct sigaudit_found good, bad;
	struct zwire_iter it;
	struct rrset set;
	unsigned sets = 0, tables = 0;

	(void)state;
	compile(b);
	whole_zwire(b, &zwire);
	audit(b, &zwire, now, &good);
	assert_int_equal(good.wrong, 0);
	assert_true(good.verified > 100);
	it = zwire_iter(zwire.base, zwire.len);
	while (zwire_next(&it, &set)) {
		bool table = set.type == RR_RRSIG && set.covers == RR_NSPOLICY;
		/* The first octets of a table's rdata: length, type, count, an entry up to its signature. */
		size_t at =
		    (size_t)(set.rdata - zwire.base) + (table ? 2 + 2 + 2 + 29 : set.rdata_len - 1);

		if (set.type != RR_RRSIG || get_u16(set.rdata + 4) == 0)
			continue;
		zwire.base[at] ^= 1;
		audit(b, &zwire, now, &bad);
		zwire.base[at] ^= 1;
		assert_int_equal(bad.wrong, 1);
		assert_non_null(strstr(bad.first, "does not verify"));
		assert_int_equal(bad.verified, good.verified);
		tables += table ? 1u : 0u;
		sets++;
	}
	assert_true(sets > 50 && tables > 10);
	audit(b, &zwire, now + 14 * 86400, &bad);
	assert_true(bad.wrong > good.verified / 2 && strstr(bad.first, "has expired") != NULL);
	wbuf_free(&zwire);
	bench_close(b);
}

/* ---- what is judged before it is served (signcheck.h) ---- */

/* `seen`: where every 64th begins. */
static bool
is_fit(struct bench *b, const struct wbuf *zwire, uint64_t seen, struct ns_why *why)
{
	struct signcheck c = { .apex = zonebox_name("s.example."),
		.keys = b->keys,
		.now = (uint32_t)time(NULL),
		.signer = rrsigner_new(),
		.fresh = SIGNCHECK_ALL,
		.seen = seen };
	bool fit = signcheck_zone(&c, zwire->base, zwire->len, why) == NS_OK;

	rrsigner_destroy(&c.signer);
	return fit;
}

/* How many of four times 64 places find an octet changed that only arithmetic can find. */
static unsigned
places_that_find(struct bench *b, struct wbuf *zwire, size_t at)
{
	struct ns_why why = { 0 };
	unsigned found = 0;

	zwire->base[at] ^= 1;
	for (unsigned i = 0; i < 4 * SIGNCHECK_ONE_IN; i++) {
		if (is_fit(b, zwire, i, &why))
			continue;
		assert_non_null(strstr(why.text, "does not verify"));
		found++;
	}
	zwire->base[at] ^= 1;
	return found;
}

static void
assert_refused(struct bench *b, struct wbuf *zwire, size_t at, const char *text)
{
	struct ns_why why = { 0 };

	zwire->base[at] ^= 0x80;
	assert_false(is_fit(b, zwire, 0, &why));
	assert_non_null(strstr(why.text, text));
	zwire->base[at] ^= 0x80;
}

/* Entries and denials of policies' tables are judged like any signature. */
static void
tables_are_judged(void **state)
{
	enum { HEAD = 2 + 2 + 2, TAG = HEAD + 19, EXPIRES = HEAD + 21, SIG = HEAD + 29 };
	struct bench *b = bench_open(KEY_P256, DENIAL_NSEC);
	struct wbuf zwire = wbuf_grow(SIZE_MAX / 2);
	struct ns_why why = { 0 };
	unsigned tables = 0, denials = 0;
	struct zwire_iter it;
	struct rrset set;

	(void)state;
	compile(b);
	whole_zwire(b, &zwire);
	assert_true(is_fit(b, &zwire, 0, &why));
	it = zwire_iter(zwire.base, zwire.len);
	while (zwire_next(&it, &set)) {
		size_t at = (size_t)(set.rdata - zwire.base);
		size_t len = get_u16(set.rdata), n = get_u16(set.rdata + 4);

		if (set.type != RR_RRSIG || set.covers != RR_NSPOLICY || n == 0)
			continue;
		assert_refused(b, &zwire, at + TAG, "of none of the zone's keys");
		assert_refused(b, &zwire, at + EXPIRES, "not valid now");
		if (tables++ == 0)
			assert_in_range(places_that_find(b, &zwire, at + SIG), 1, 8);
		if (2 + len > HEAD + n * EMISSION_SIZE && denials++ == 0)
			assert_in_range(places_that_find(b, &zwire, at + 1 + len), 1, 8);
	}
	assert_true(tables > 10 && denials > 0);
	wbuf_free(&zwire);
	bench_close(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(audits_find_each_wrong_octet),
		cmocka_unit_test(tables_are_judged),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

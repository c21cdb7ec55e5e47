/* store_mention_test - the index of what zones mention follows their content, however it is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zonetext.h"
#include "tests/lib/store_kit.h"

static bool
add(void *arg, const struct store_mentioned *m)
{
	char *text = arg, owner[NAME_MAX_TEXT], name[NAME_MAX_TEXT];
	size_t n = strlen(text);

	name_to_text(m->owner, owner);
	if (memchr(m->name, 0, m->len) != NULL)
		name_to_text(m->name, name);
	else
		snprintf(name, sizeof name, "%.*s", (int)m->len, (const char *)m->name);
	snprintf(text + n, 512 - n, "%s<%s ", name, owner);
	return true;
}

static void
mentions(struct kit_store *f, const char *expected)
{
	char text[512] = "";

	OK(store_mention_each(f->s, STORE_ALIASES, NULL, 0, add, text));
	OK(store_mention_each(f->s, STORE_CHECKS, NULL, 0, add, text));
	assert_string_equal(text, expected);
}

static struct wbuf
zwire(const char *text)
{
	struct wbuf out = wbuf_grow(1u << 20);
	struct rrpile *pile = rrpile_new();
	struct zonetext *zt = zonetext_new((const uint8_t *)"\1z", pile);
	uint64_t records;

	OK(zonetext_feed(zt, text, strlen(text), NULL));
	OK(zonetext_end(zt, NULL));
	OK(rrpile_to_zwire(pile, &out, &records, NULL));
	zonetext_destroy(&zt);
	rrpile_destroy(&pile);
	return out;
}

#define POLICY(name, check)                                                                  \
	";ns-policy " name                                                                   \
	" A {\"root\":{\"pool\":\"p\"},\"pools\":{\"p\":{\"answers\":[{\"value\":"           \
	"\"192.0.2.1\",\"check\":\"" check "\"},{\"value\":\"192.0.2.2\",\"check\":\"" check \
	"\"}]}}}\n"

static void
put_owner(struct kit_store *f, uint64_t zone, const char *owner, const char *text)
{
	struct wbuf w = zwire(text);
	uint8_t name[NAME_MAX_WIRE];
	size_t len;

	OK(name_from_text(owner, (const uint8_t *)"", name, &len, NULL));
	OK(store_owner_put(f->s, zone, name, w.base, w.len, NULL));
	wbuf_free(&w);
}

static void
put_all(struct kit_store *f, uint64_t zone, bool first, const char *text)
{
	struct wbuf w = zwire(text);

	OK(store_content_put(f->s, zone, first, w.base, w.len, NULL));
	wbuf_free(&w);
}

static void
test_follows_content(void **state)
{
	struct kit_store *f = *state;
	uint64_t before = store_mentions(f->s);
	struct store_zone z;

	OK(store_begin(f->s, NULL));
	z = kit_new_zone(f, "z", 1);
	put_all(
	    f, z.id, true, "$TTL 60\na.z. ALIAS Q.test.\nb.z. A 192.0.2.1\n" POLICY("c.z.", "c1"));
	mentions(f, "q.test.<a.z. c1<c.z. ");
	assert_true(store_mentions(f->s) > before);
	put_all(f, z.id, false, "$TTL 60\nd.z. ALIAS q.test.\n");
	mentions(f, "q.test.<a.z. q.test.<d.z. c1<c.z. ");
	before = store_mentions(f->s);
	put_owner(f, z.id, "b.z.", "b.z. 60 A 192.0.2.2\n");
	assert_int_equal(store_mentions(f->s), before); /* nothing that is mentioned */
	put_owner(f, z.id, "a.z.", "a.z. 60 ALIAS r.test.\n");
	put_owner(f, z.id, "c.z.", POLICY("c.z.", "c2"));
	mentions(f, "q.test.<d.z. r.test.<a.z. c2<c.z. ");
	put_owner(f, z.id, "a.z.", "");
	mentions(f, "q.test.<d.z. c2<c.z. ");
	store_rollback(f->s);
	mentions(f, "");

	OK(store_begin(f->s, NULL));
	z = kit_new_zone(f, "z", 1);
	put_all(f, z.id, true, "$TTL 60\na.z. ALIAS q.test.\n");
	put_all(f, z.id, true, "$TTL 60\nb.z. ALIAS q.test.\n");
	mentions(f, "q.test.<b.z. ");
	OK(store_zone_drop(f->s, z.id, 2, 1, NULL));
	mentions(f, "");
	OK(store_commit(f->s, NULL));
}

/* A store of before: the migration reads all zones. */
static void
test_is_made_anew(void **state)
{
	struct kit_store *f = *state;
	struct store_zone z;

	OK(store_begin(f->s, NULL));
	z = kit_new_zone(f, "z", 1);
	put_all(f, z.id, true, "$TTL 60\na.z. ALIAS q.test.\n" POLICY("c.z.", "c1"));
	OK(store_commit(f->s, NULL));
	store_close(&f->s);
	kit_raw(f, "DROP TABLE whence; DROP INDEX change_zone_revision; DROP TABLE mention;"
		   "DELETE FROM migration WHERE number > 5; PRAGMA user_version = 5");
	OK(store_open(f->dir, STORE_WRITE, NULL, &f->s, NULL));
	mentions(f, "q.test.<a.z. c1<c.z. ");
	kit_assert_sound(f->s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_follows_content, kit_set_up, kit_tear_down),
		cmocka_unit_test_setup_teardown(test_is_made_anew, kit_set_up, kit_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

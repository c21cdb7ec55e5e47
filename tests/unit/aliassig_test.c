/* aliassig_test - the signatures that stand behind an ALIAS, as octets, and who is told when what it leads to changes. */
// link: appliance/signer/aliasbook.c appliance/signer/names.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "appliance/signer/aliasbook.h"
#include "appliance/zonemap/aliassig.h"
#include "appliance/zonemap/board.h"
#include "ipc/base/wbuf.h"
#include "tests/lib/zonekit.h"

static void
put_item(struct wbuf *w, enum aliassig_kind kind, const void *p, size_t len)
{
	wbuf_u8(w, (uint8_t)kind);
	wbuf_u16(w, (uint16_t)len);
	wbuf_put(w, p, len);
}

/* 192.0.2.1 and .3 with one signature, and what denies AAAA. */
static struct wbuf
make_piece(void)
{
	static const uint8_t head[] = { 1u << ALIAS_V6, 0, 0, 1, 44 };
	static const uint8_t none[] = { ALIAS_V4, 2, 'a', 0, 0, 3, 7, 8, 9, 5 };
	uint8_t set[3 + 8 + ALIASSIG_SIG] = { ALIAS_V4, 0, 2, 192, 0, 2, 1, 192, 0, 2, 3, 13, 0xab,
		0xcd, 0, 0, 0, 9, 0, 0, 0, 4 };
	struct wbuf w = wbuf_grow(1 << 16);

	put_item(&w, ALIASSIG_HEAD, head, sizeof head);
	put_item(&w, ALIASSIG_NONE, none, sizeof none);
	put_item(&w, ALIASSIG_SET, set, sizeof set);
	return w;
}

static void
reads_what_was_written(void **state)
{
	static const uint8_t there[] = { 192, 0, 2, 3 }, not_there[] = { 192, 0, 2, 2 };
	struct wbuf w = make_piece();
	const uint8_t *p = w.base, *end = w.base + w.len;
	struct aliassig item;
	struct emission e;

	(void)state;
	assert_int_equal(aliassig_next(&p, end, &item), ALIASSIG_HEAD);
	assert_true(item.denied == 1u << ALIAS_V6 && item.ttl == 300);
	assert_int_equal(aliassig_next(&p, end, &item), ALIASSIG_NONE);
	assert_true(item.family == ALIAS_V4 && item.denial.key_len == 2 &&
		    item.denial.body_len == 3 && item.denial.sig_len == 1);
	assert_int_equal(aliassig_next(&p, end, &item), ALIASSIG_SET);
	assert_true(item.count == 2 && item.nsigs == 1 && aliassig_has(&item, there) &&
		    !aliassig_has(&item, not_there));
	aliassig_at(&item, 0, &e);
	assert_true(e.algorithm == 13 && e.tag == 0xabcd && e.expiration == 9 && e.inception == 4);
	assert_int_equal(aliassig_next(&p, end, &item), ALIASSIG_END);
	wbuf_free(&w);
}

/* Any octet wrong, any length: items are read or not, never past the end (under ASan). */
static void
broken_octets_end_it(void **state)
{
	struct wbuf w = make_piece();

	(void)state;
	for (size_t len = 0; len <= w.len; len++) {
		uint8_t *copy = malloc(len + 1);
		struct aliassig item;

		for (unsigned with = 0; with < 256; with += 17) {
			const uint8_t *p = copy;
			unsigned n = 0;

			memcpy(copy, w.base, len);
			if (len > 0)
				copy[len / 2] = (uint8_t)with;
			while (aliassig_next(&p, copy + len, &item) != ALIASSIG_END)
				n++;
			assert_true(n <= 3 && p <= copy + len);
		}
		free(copy);
	}
	wbuf_free(&w);
}

/* ---- who is told ---- */

static char told[256];

static void
tell(void *arg, const uint8_t *apex)
{
	char text[NAME_MAX_TEXT];

	(void)arg;
	strcat(strcat(told, name_to_text(apex, text)), " ");
}

static const uint8_t *
name(const char *text, uint8_t out[NAME_MAX_WIRE])
{
	zonekit_name(text, out);
	return out;
}

static void
follow(struct aliasbook *b, const struct alias_table *t, const char *apex, const char *to)
{
	uint8_t a[NAME_MAX_WIRE], n[NAME_MAX_WIRE];

	aliasbook_follow(b, name(apex, a), name(to, n), t);
}

static const char *
changed(struct aliasbook *b, const char *zone)
{
	uint8_t z[NAME_MAX_WIRE];

	told[0] = '\0';
	aliasbook_changed(b, name(zone, z), tell, NULL);
	return told;
}

static const char *
looked(struct aliasbook *b, const struct alias_table *t)
{
	told[0] = '\0';
	aliasbook_look(b, t, tell, NULL);
	return told;
}

static void
tells_who_follows(void **state)
{
	static const uint64_t key[2] = { 1, 2 };
	int fd = memfd_create("board", MFD_CLOEXEC);
	struct aliasbook *b = aliasbook_new();
	struct alias_known k = { .tried = 1, .family = { { .state = ALIAS_HERE, .count = 1 } } };
	uint8_t n[NAME_MAX_WIRE];
	struct board board;

	(void)state;
	assert_true(
	    fd >= 0 && ftruncate(fd, (off_t)BOARD_FILE) == 0 && board_map(&board, fd, true));
	alias_begin(board.aliases, key);
	follow(b, board.aliases, "z1.", "a.x.");
	follow(b, board.aliases, "z2.", "a.x.");
	follow(b, board.aliases, "z2.", "b.y.");
	follow(b, board.aliases, "z3.", "xx.");
	assert_string_equal(changed(b, "w."), "");
	assert_string_equal(changed(b, "c.a.x."), ""); /* a zone that does not hold the name */
	assert_string_equal(changed(b, "x."), "z1. z2. ");
	assert_string_equal(changed(b, "x."), "");
	follow(b, board.aliases, "z1.", "a.x.");

	assert_string_equal(looked(b, board.aliases), "");
	assert_true(alias_write(board.aliases, name("a.x.", n), &k));
	assert_string_equal(looked(b, board.aliases), "z1. ");
	follow(b, board.aliases, "z1.", "a.x.");
	k.tried = 2; /* looked up again: the same */
	k.family[0].until = 9;
	assert_true(alias_write(board.aliases, name("a.x.", n), &k));
	assert_string_equal(looked(b, board.aliases), "");
	k.family[0].octets[0][3] = 1;
	assert_true(alias_write(board.aliases, name("a.x.", n), &k));
	assert_string_equal(looked(b, board.aliases), "z1. ");
	follow(b, board.aliases, "z1.", "a.x.");
	alias_remove(board.aliases, name("a.x.", n));
	assert_string_equal(looked(b, board.aliases), "z1. ");
	assert_string_equal(changed(b, "."), "z3. z2. ");
	assert_true(aliasbook_is_empty(b));
	aliasbook_destroy(&b);
	board_unmap(&board);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_was_written),
		cmocka_unit_test(broken_octets_end_it),
		cmocka_unit_test(tells_who_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

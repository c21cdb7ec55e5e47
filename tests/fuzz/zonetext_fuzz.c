/* Any text as a master file: the same however it is cut; what is taken is a sound zwire, and comes
 * back from its own print. */
#include <string.h>

#include "appliance/dns/zonetext.h"
#include "tests/fuzz/fuzz.h"

static enum ns_err
parse(const char *text, size_t len, size_t piece, struct wbuf *out, struct ns_why *why)
{
	struct rrpile *pile = rrpile_new();
	struct zonetext *zt = zonetext_new((const uint8_t *)"\2ex", pile);
	enum ns_err err = NS_OK;
	uint64_t n;

	for (size_t at = 0; at < len && err == NS_OK; at += piece)
		err = zonetext_feed(zt, text + at, len - at < piece ? len - at : piece, why);
	if (err == NS_OK)
		err = zonetext_end(zt, why);
	if (err == NS_OK)
		err = rrpile_to_zwire(pile, out, &n, why);
	zonetext_destroy(&zt);
	rrpile_destroy(&pile);
	return err;
}

static void
compare_print(const struct wbuf *zwire)
{
	struct wbuf text = wbuf_grow(1u << 26), back = wbuf_grow(1u << 24);
	struct zwire_iter it = zwire_iter(zwire->base, zwire->len);
	struct ns_why why = { 0 };
	struct rrset set;

	while (zwire_next(&it, &set))
		rrset_to_text(&set, &text);
	CHECK(rbuf_ok(&it.r) && wbuf_ok(&text));
	/* A record may be longer in print than a line may be. */
	if (parse((char *)text.base, text.len, 4096, &back, &why) == NS_OK)
		CHECK(back.len == zwire->len && memcmp(back.base, zwire->base, back.len) == 0);
	else
		CHECK(strstr(why.text, "longer than") != NULL);
	wbuf_free(&text);
	wbuf_free(&back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wbuf whole = wbuf_grow(1u << 24), cut = wbuf_grow(1u << 24);
	struct ns_why why = { 0 }, why_cut = { 0 };
	enum ns_err err = parse((const char *)data, size, 65536, &whole, &why);
	enum ns_err err_cut =
	    parse((const char *)data, size, size > 0 ? 1 + data[0] % 7u : 1, &cut, &why_cut);

	CHECK(err == err_cut && why.code == why_cut.code && why.line == why_cut.line);
	CHECK(whole.len == cut.len);
	if (err != NS_OK)
		CHECK(why.code != 0 && why.text[0] != '\0');
	else if (whole.len > 0) {
		CHECK(memcmp(whole.base, cut.base, whole.len) == 0);
		CHECK(zwire_check(whole.base, whole.len, &why) == NS_OK);
		compare_print(&whole);
	}
	wbuf_free(&whole);
	wbuf_free(&cut);
	return 0;
}

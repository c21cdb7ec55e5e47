/* Edits: any typed operation on a small zone is refused with a reason, or leaves a zone that is a valid
 * zwire and whose difference, applied the other way, is what it was. */
// link: appliance/sync/edit.c
// link: appliance/sync/editop.c
// link: appliance/sync/diff.c
// link: appliance/sync/place.c
// link: appliance/sync/request.c
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/zonecheck.h"
#include "appliance/dns/zonetext.h"
#include "appliance/dns/zwire.h"
#include "appliance/sync/edit.h"
#include "appliance/sync/editop.h"
#include "tests/fuzz/fuzz.h"

static uint8_t apex[] = "\7example\3com";

static struct wbuf
zone(void)
{
	static const char text[] =
	    "@ 3600 SOA ns1 host 1 2 3 4 5\n@ 3600 NS ns1\nns1 300 A 192.0.2.1\n"
	    "www 300 A 192.0.2.10\nwww 300 A 192.0.2.11\nwww 60 TXT \"x\"\n";
	struct rrpile *pile = rrpile_new();
	struct zonetext *zt = zonetext_new(apex, pile);
	struct wbuf out = wbuf_grow(1u << 20);
	struct ns_why why = { 0 };
	uint64_t records;

	if (zonetext_feed(zt, text, sizeof text - 1, &why) != NS_OK ||
	    zonetext_end(zt, &why) != NS_OK || rrpile_to_zwire(pile, &out, &records, &why) != NS_OK)
		abort();
	zonetext_destroy(&zt);
	rrpile_destroy(&pile);
	return out;
}

static void
check(struct edit *e)
{
	struct ns_why why = { 0 };
	struct diff d, back;

	diff_init(&d);
	diff_init(&back);
	assert(edit_diff(e, &d));
	for (size_t i = 0; i < e->count; i++) {
		struct edit_owner *o = &e->owners[i];

		assert(zwire_check(o->after.base, o->after.len, &why) == NS_OK);
		assert(
		    diff_zwire(&back, o->after.base, o->after.len, o->before.base, o->before.len));
	}
	assert(back.added.len == d.removed.len && back.removed.len == d.added.len);
	assert(back.nadded == d.nremoved && back.nremoved == d.nadded);
	diff_free(&d);
	diff_free(&back);
}

/* Lines "K NAME TTL TYPE RDATA|RDATA", K one of s, a, d. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wbuf zwire;
	struct zwire_view *view;
	struct edit e;
	char *text, *rest, *line;

	if (size > 4096)
		return 0;
	zwire = zone();
	view = zwire_view_new(apex, zwire.base, zwire.len);
	text = malloc(size + 1);
	memcpy(text, data, size);
	text[size] = '\0';
	rest = text;
	edit_init(&e, apex);
	while ((line = strsep(&rest, "\n")) != NULL) {
		Ns__RecordOp op = NS__RECORD_OP__INIT, *ops[1] = { &op };
		Ns__ZoneEdit ze = NS__ZONE_EDIT__INIT, *zes[1] = { &ze };
		Ns__CommitRequest cr = NS__COMMIT_REQUEST__INIT;
		struct edit_request *er;
		struct ns_why why = { 0 };
		char *rdata[16], *word;

		op.kind = *line == 's' ? 0 : *line == 'a' ? 1 : 2;
		(void)strsep(&line, " ");
		if (line != NULL)
			op.name = strsep(&line, " ");
		if (line != NULL) {
			word = strsep(&line, " ");
			op.ttl_given = *word != '-';
			op.ttl = (uint32_t)strtoul(word, NULL, 10);
		}
		if (line != NULL)
			op.type = strsep(&line, " ");
		op.rdata = rdata;
		while (line != NULL && op.n_rdata < 16)
			rdata[op.n_rdata++] = strsep(&line, "|");
		ze.zone = "example.com";
		ze.ops = ops;
		ze.n_ops = 1;
		cr.zones = zes;
		cr.n_zones = 1;
		er = edit_request_read(&cr, &why);
		if (er == NULL) {
			assert(why.err != NS_OK && why.text[0] != '\0');
			continue;
		}
		if (edit_apply(&e, zwire_view_get(view), &er->zones[0].ops[0], &why) != NS_OK)
			assert(why.err != NS_OK && why.text[0] != '\0');
		edit_request_free(er);
	}
	check(&e);
	edit_free(&e);
	zwire_view_destroy(&view);
	wbuf_free(&zwire);
	free(text);
	return 0;
}

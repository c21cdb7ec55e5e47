/* Any octets as the body of a change from another appliance: refused with a reason, or sound enough for all that
 * is done with it: its zones' names and zwires, its difference put onto what it was made from, shown as lines. */
// link: appliance/sync/bodycheck.c
// link: appliance/sync/patch.c
// link: appliance/sync/difftext.c
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/zwire.h"
#include "appliance/store/store.h"
#include "appliance/sync/bodycheck.h"
#include "appliance/sync/difftext.h"
#include "appliance/sync/secret.h"
#include "tests/fuzz/fuzz.h"

static struct bytes
bytes_of(ProtobufCBinaryData d)
{
	return (struct bytes){ d.data, d.len };
}

/* The RRsets that it takes away, and nothing else, are what it puts its own in place of; and back. */
static void
patch_both_ways(const Ns__ChangeBody__Zone *z)
{
	struct bytes removed = bytes_of(z->removed), added = bytes_of(z->added);
	struct wbuf out = wbuf_grow(1u << 20), back = wbuf_grow(1u << 20);

	CHECK(patch_zwire(removed, removed, added, &out) == NS_OK);
	CHECK(out.len == added.len && (out.len == 0 || memcmp(out.base, added.data, out.len) == 0));
	CHECK(patch_zwire(added, added, removed, &back) == NS_OK);
	CHECK(back.len == removed.len);
	wbuf_free(&out);
	wbuf_free(&back);
}

static void
lines_free(struct diff_lines *l)
{
	CHECK(l->count <= DIFF_TEXT_LINES);
	for (size_t i = 0; i < l->count; i++)
		free(l->line[i]);
	free(l->line);
}

static void
zone_is_sound(const Ns__ChangeBody__Zone *z)
{
	struct diff_lines removed, added;
	char text[NAME_MAX_TEXT];
	size_t octets = 0;

	CHECK(z->name.len <= NAME_MAX_WIRE && name_len(z->name.data) == z->name.len);
	CHECK(name_to_text(z->name.data, text)[0] != '\0');
	patch_both_ways(z);
	diff_lines_make(bytes_of(z->removed), bytes_of(z->added), &octets, &removed, &added);
	lines_free(&removed);
	lines_free(&added);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Ns__ChangeBody *body = size <= 1u << 16 ? ns__change_body__unpack(NULL, size, data) : NULL;
	const struct store_object *o = NULL;
	struct ns_why why = { 0 };

	if (body == NULL)
		return 0;
	if (change_body_check(body, &why) != NS_OK) {
		CHECK(why.err != NS_OK && why.code != 0 && why.text[0] != '\0');
	} else {
		for (size_t i = 0; i < body->n_zones; i++)
			zone_is_sound(body->zones[i]);
		for (size_t i = 0; i < body->n_objects; i++)
			CHECK(strlen(body->objects[i]->kind) < sizeof o->kind &&
			      strlen(body->objects[i]->name) < sizeof o->name);
		CHECK(body->cookie_secret.len == 0 || body->cookie_secret.len == SECRET_SIZE);
	}
	ns__change_body__free_unpacked(body, NULL);
	return 0;
}

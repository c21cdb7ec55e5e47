/* Any master file signed, with every denial: what zonesign makes of it is sound, and signcheck finds it fit. */
// link: appliance/signer/keys.c appliance/signer/rrsig.c appliance/signer/apexset.c appliance/signer/sheet.c appliance/signer/typemap.c appliance/signer/signowner.c appliance/signer/emissions.c appliance/signer/aliassign.c appliance/signer/aliassets.c appliance/signer/aliasbook.c appliance/signer/names.c appliance/signer/zonesign.c appliance/signer/hashsort.c appliance/signer/signcheck.c appliance/signer/sidecheck.c appliance/signer/signtables.c tests/lib/keykit.c
#include <stdlib.h>

#include "appliance/dns/zonetext.h"
#include "appliance/signer/signcheck.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/keykit.h"

#define NOW 1795000000u
static const uint8_t apex[] = "\2ex";

static bool
parse(const char *text, size_t len, struct wbuf *out)
{
	static const char soa[] = "$TTL 60\n@ SOA ns. h. 1 2 3 4 5\n";
	struct rrpile *pile = rrpile_new();
	struct zonetext *zt = zonetext_new(apex, pile);
	struct ns_why why = { 0 };
	bool ok = zonetext_feed(zt, soa, sizeof soa - 1, &why) == NS_OK &&
		  zonetext_feed(zt, text, len, &why) == NS_OK && zonetext_end(zt, &why) == NS_OK &&
		  rrpile_to_zwire(pile, out, NULL, &why) == NS_OK;

	zonetext_destroy(&zt);
	rrpile_destroy(&pile);
	return ok;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct zone_keys *keys;
	static struct rrsigner *signer;
	struct wbuf content = wbuf_grow(1u << 20), out = wbuf_grow(1u << 26);
	struct zonesign z = { .apex = apex, .now = NOW };
	struct signcheck check = { .apex = apex, .now = NOW };
	struct zonesign_done done;
	struct ns_why why = { 0 };

	if (keys == NULL) {
		keys = keykit_new(apex, KEY_ED25519, DENIAL_NSEC, NOW);
		signer = rrsigner_new();
	}
	z.keys = check.keys = keys;
	z.signer = check.signer = signer;
	if (size > 0 && parse((const char *)data + 1, size - 1, &content)) {
		keys->denial = data[0] % 3;
		CHECK(zonesign_all(&z, content.base, content.len, &out, &done, &why) == NS_OK);
		CHECK(signcheck_zone(&check, out.base, out.len, &why) == NS_OK);
	}
	wbuf_free(&content);
	wbuf_free(&out);
	return 0;
}

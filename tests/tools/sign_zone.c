/* sign_zone - a master file signed with keys made on the spot, for ldns-verify-zone and its like.
 *
 *     sign_zone ORIGIN FILE ALGORITHM nsec|nsec3|optout [UNIX-TIME]
 *
 * The signed zone on stdout; "made N kept N ms N" on stderr: of the processor. */
// link: appliance/signer/keys.c appliance/signer/rrsig.c appliance/signer/apexset.c appliance/signer/sheet.c appliance/signer/typemap.c appliance/signer/signowner.c appliance/signer/emissions.c appliance/signer/aliassign.c appliance/signer/aliassets.c appliance/signer/aliasbook.c appliance/signer/names.c appliance/signer/zonesign.c appliance/signer/hashsort.c
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/dns/zonetext.h"
#include "appliance/signer/zonesign.h"
#include "tests/lib/keykit.h"
#include "tests/lib/zonekit.h"

static void
print(const struct wbuf *signed_zone)
{
	struct zwire_iter it = zwire_iter(signed_zone->base, signed_zone->len);
	struct wbuf text = wbuf_grow(SIZE_MAX / 2);
	struct rrset set;

	while (zwire_next(&it, &set))
		rrset_to_text(&set, &text);
	if (!rbuf_ok(&it.r))
		fprintf(stderr, "what was signed breaks its form\n");
	(void)!fwrite(text.base, 1, text.len, stdout);
	wbuf_free(&text);
}

int
main(int argc, char **argv)
{
	static const char *const denials[] = { "nsec", "nsec3", "optout" };
	struct wbuf text, content, out = wbuf_grow(SIZE_MAX / 2);
	uint8_t apex[NAME_MAX_WIRE];
	struct zonesign_done done;
	struct ns_why why = { 0 };
	struct zonesign z;
	struct zone_keys *keys;
	unsigned denial = 0;
	clock_t t0;

	if (argc < 5)
		return 2;
	while (denial < 2 && strcmp(argv[4], denials[denial]) != 0)
		denial++;
	text = zonekit_read(argv[2]);
	content = zonekit_zwire(argv[1], (const char *)text.base, text.len);
	zonekit_name(argv[1], apex);
	z = (struct zonesign){ .apex = apex,
		.now = argc > 5 ? (uint32_t)strtoul(argv[5], NULL, 10) : (uint32_t)time(NULL),
		.signer = rrsigner_new() };
	z.keys = keys = keykit_new(apex, strcmp(argv[3], "15") == 0 ? KEY_ED25519 : KEY_P256,
	    (enum zone_denial)denial, z.now);
	t0 = clock();
	if (zonesign_all(&z, content.base, content.len, &out, &done, &why) != NS_OK) {
		fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	fprintf(stderr, "made %llu kept %llu ms %.1f\n", (unsigned long long)done.made,
	    (unsigned long long)done.kept, (double)(clock() - t0) * 1e3 / CLOCKS_PER_SEC);
	print(&out);
	wbuf_free(&out);
	wbuf_free(&content);
	wbuf_free(&text);
	rrsigner_destroy(&z.signer);
	zone_keys_unref(&keys);
	return 0;
}

/* Any octets as a zwire: readers stay inside, and what passes the check is what the pile would have
 * written.  The zone check is given all of it, whole and around each owner. */
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/dns/zonecheck.h"
#include "appliance/dns/zwire.h"
#include "tests/fuzz/fuzz.h"

static void
hear(void *arg, const struct ns_why *why)
{
	(void)arg;
	CHECK(why->code != 0 && why->text[0] != '\0');
}

static void
check_zone(const uint8_t *data, size_t size)
{
	struct zwire_iter it = zwire_iter(data, size);
	uint8_t apex[NAME_MAX_WIRE];
	struct zwire_view *v;
	struct ns_why why = { 0 };
	struct rrset set;

	if (!zwire_next(&it, &set))
		return;
	memcpy(apex, set.owner, set.owner_len);
	v = zwire_view_new(apex, data, size);
	if (zonecheck_all(zwire_view_get(v), hear, NULL, &why) != NS_OK)
		CHECK(why.code != 0 && why.text[0] != '\0');
	do
		(void)zonecheck_owner(zwire_view_get(v), set.owner, hear, NULL, &why);
	while (zwire_next(&it, &set));
	zwire_view_destroy(&v);
}

/* A set of signatures takes the TTL of what it covers: those are not compared. */
static bool
pile_up(struct rrpile *pile, const uint8_t *data, size_t size)
{
	struct zwire_iter it = zwire_iter(data, size);
	struct rrset set;
	bool plain = true;

	while (zwire_next(&it, &set)) {
		struct rbuf r = rbuf_init(set.rdata, set.rdata_len);
		const uint8_t *rdata;
		size_t len;

		plain &= set.type != RR_RRSIG;
		while ((rdata = rrset_next_rdata(&r, &len)) != NULL)
			rrpile_add(pile, set.owner, set.type, set.ttl, rdata, len, 1);
	}
	return plain;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wbuf out = wbuf_grow(1u << 24);
	struct rrpile *pile = rrpile_new();
	struct ns_why why = { 0 };
	uint64_t n;

	check_zone(data, size);
	if (zwire_check(data, size, &why) == NS_OK && pile_up(pile, data, size) &&
	    rrpile_to_zwire(pile, &out, &n, &why) == NS_OK)
		CHECK(out.len == size && (size == 0 || memcmp(out.base, data, size) == 0));
	rrpile_destroy(&pile);
	wbuf_free(&out);
	return 0;
}

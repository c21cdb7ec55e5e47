/* Any octets as a name, as text and as a sort key: what is taken survives the way there and back. */
#include <string.h>

#include "appliance/dns/name.h"
#include "tests/fuzz/fuzz.h"

static void
as_wire(const uint8_t *data, size_t size)
{
	uint8_t back[NAME_MAX_WIRE], key[NAME_MAX_KEY], lower[NAME_MAX_WIRE];
	char text[NAME_MAX_TEXT];
	size_t len = name_check(data, size), n, keylen;

	if (len == 0)
		return;
	CHECK(len == name_len(data));
	CHECK(
	    name_from_text(name_to_text(data, text), (const uint8_t *)"", back, &n, NULL) == NS_OK);
	CHECK(n == len && memcmp(back, data, n) == 0);
	name_lower(lower, data, len);
	keylen = name_sort_key(data, key);
	CHECK(name_from_key(key, keylen, back) == len && memcmp(back, lower, len) == 0);
	CHECK(name_equal(data, lower) && name_cmp(data, lower) == 0 && name_in(data, lower));
	CHECK(name_common(data, lower) == name_labels(data));
}

static void
as_text(const uint8_t *data, size_t size)
{
	uint8_t name[NAME_MAX_WIRE];
	struct ns_why why = { 0 };
	size_t len;

	if (name_from_chars((const char *)data, size, (const uint8_t *)"\2ex", name, &len, &why) ==
	    NS_OK) {
		CHECK(name_check(name, len) == len);
		as_wire(name, len);
	}
}

static void
as_key(const uint8_t *data, size_t size)
{
	uint8_t name[NAME_MAX_WIRE], key[NAME_MAX_KEY];
	size_t len = name_from_key(data, size, name);

	if (len == 0)
		return;
	CHECK(name_check(name, len) == len);
	CHECK(name_sort_key(name, key) == size && memcmp(key, data, size) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	as_wire(data, size);
	as_text(data, size);
	as_key(data, size);
	return 0;
}

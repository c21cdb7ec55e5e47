/* A type and any octets: as rdata (what is taken prints and reads back the same, canonical form
 * stays valid) and as the text of an rdata. */
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/dns/zonetext.h"
#include "ipc/base/wbuf.h"
#include "tests/fuzz/fuzz.h"

static char text[4 * UINT16_MAX + 65536];
static uint8_t back[UINT16_MAX];

static void
as_rdata(uint16_t type, const uint8_t *data, size_t size)
{
	struct ns_why why = { 0 };
	uint8_t *copy;
	size_t len;

	if (rdata_check(type, data, size, &why) != NS_OK) {
		CHECK(why.code != 0 && why.text[0] != '\0');
		return;
	}
	CHECK(rdata_to_text(type, data, size, text, sizeof text));
	if (rdata_from_text(type, text, (const uint8_t *)"", true, back, sizeof back, &len, &why) ==
	    NS_OK)
		CHECK(len == size && (len == 0 || memcmp(back, data, len) == 0));
	else
		CHECK(strstr(why.text, "longer than") != NULL);
	copy = malloc(size + 1);
	memcpy(copy, data, size);
	rdata_canonical(type, copy, size);
	CHECK(rdata_check(type, copy, size, &why) == NS_OK);
	free(copy);
}

static void
as_text(uint16_t type, const uint8_t *data, size_t size)
{
	char *words = malloc(size + 1);
	struct ns_why why = { 0 };
	size_t len;

	memcpy(words, data, size);
	words[size] = '\0';
	if (rdata_from_text(type, words, (const uint8_t *)"\2ex", false, back, sizeof back, &len,
		&why) == NS_OK) {
		uint8_t *copy = malloc(len + 1);

		memcpy(copy, back, len);
		CHECK(rdata_check(type, copy, len, &why) == NS_OK);
		as_rdata(type, copy, len);
		free(copy);
	} else {
		CHECK(why.code != 0 && why.text[0] != '\0');
	}
	free(words);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint16_t type;

	if (size < 2)
		return 0;
	type = (uint16_t)(get_u16(data) % 300);
	as_rdata(type, data + 2, size - 2);
	as_text(type, data + 2, size - 2);
	return 0;
}

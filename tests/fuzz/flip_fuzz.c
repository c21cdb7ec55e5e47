/* flip_fuzz - any octets as a record of the history of flips, with the sum it must have: what is taken is text with an end. */
// link: appliance/probe/flips.c
#include <assert.h>
#include <string.h>

#include "appliance/probe/flips.h"
#include "appliance/zonemap/board.h"
#include "ipc/base/wbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t record[FLIP_OCTETS] = { 0 }, again[FLIP_OCTETS];
	struct flip f, g;

	memcpy(record, data, size < FLIP_OCTETS ? size : FLIP_OCTETS);
	put_u32(record, (uint32_t)(flip_sum(record) >> 32));
	put_u32(record + 4, (uint32_t)flip_sum(record));
	if (!flip_decode(record, &f))
		return 0;
	assert(f.seq != 0 && (f.state == BOARD_UP || f.state == BOARD_DOWN));
	assert(strlen(f.name) < FLIP_NAME && strlen(f.reason) < FLIP_REASON);
	flip_encode(&f, again);
	assert(flip_decode(again, &g) && memcmp(&f, &g, sizeof f) == 0);
	return 0;
}

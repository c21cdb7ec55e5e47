/* Records of data/probe/aliases: any octets are none, or say the same when they are written again. */
// link: appliance/probe/alias_file.c
#include <assert.h>
#include <string.h>

#include "appliance/probe/aliases.h"
#include "ipc/base/hash.h"
#include "ipc/base/wbuf.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[16] = "nameserve-alias";
	uint8_t record[ALIAS_RECORD] = { 0 }, again[ALIAS_RECORD], name[NAME_MAX_WIRE];
	struct alias_known known, same;
	uint64_t sum;

	if (size > ALIAS_RECORD - 8)
		size = ALIAS_RECORD - 8;
	memcpy(record + 8, data, size);
	/* With a checksum that fits, so that more than that is tried. */
	sum = hash_sip24(key, record + 8, ALIAS_RECORD - 8);
	put_u32(record, (uint32_t)(sum >> 32));
	put_u32(record + 4, (uint32_t)sum);
	if (!alias_record_read(record, name, &known))
		return 0;
	alias_record_write(again, name, &known);
	assert(alias_record_read(again, name, &same));
	assert(memcmp(&known, &same, sizeof same) == 0);
	return 0;
}

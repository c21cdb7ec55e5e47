/* Signatures that stand behind an ALIAS: any octets are items whose parts lie in them, or the end. */
#include <assert.h>

#include "appliance/zonemap/aliassig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *p = data, *end = data + size;
	struct aliassig item;
	struct emission e;

	while (aliassig_next(&p, end, &item) != ALIASSIG_END) {
		assert(p <= end);
		if (item.kind == ALIASSIG_NONE)
			assert(item.denial.sig + item.denial.sig_len == p);
		if (item.kind != ALIASSIG_SET)
			continue;
		(void)aliassig_has(&item, item.addresses);
		for (unsigned i = 0; i < item.nsigs; i++) {
			aliassig_at(&item, i, &e);
			assert(e.sig + EMISSION_SIG <= p);
		}
	}
	return 0;
}

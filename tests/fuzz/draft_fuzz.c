/* A draft's file: any bytes are no draft, with a reason, or one that keeps every limit and is written back
 * to a file that reads the same. */
// link: ipc/client/draft_file.c
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/client/draft.h"
#include "tests/fuzz/fuzz.h"

static void
check(Ns__Draft *d)
{
	struct ns_why why = { 0 };
	char *zone = draft_zone(d->zone);
	uint8_t *bytes;
	Ns__Draft *again;
	size_t len;

	assert(strcmp(zone, d->zone) == 0 && d->n_ops <= DRAFT_OPS_MAX &&
	       d->n_steps <= DRAFT_STEPS_MAX);
	bytes = draft_encode(d, &len);
	assert(bytes != NULL);
	again = draft_decode(bytes, len, &why);
	assert(again != NULL && again->n_ops == d->n_ops && again->n_steps == d->n_steps &&
	       strcmp(again->zone, d->zone) == 0);
	ns__draft__free_unpacked(again, NULL);
	ns__draft__free_unpacked(d, NULL);
	free(bytes);
	free(zone);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ns_why why = { 0 };
	Ns__Draft *d = draft_decode(data, size, &why);

	assert(d != NULL || why.err == NS_CORRUPT);
	if (d != NULL)
		check(d);
	d = draft_decode_body(data, size, &why);
	if (d != NULL)
		check(d);
	return 0;
}

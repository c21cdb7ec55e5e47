/* The signatures of a reply as steps: any octets are told as lines that end, or not at all. */
// link: appliance/answer/explainsign.c
#include <assert.h>
#include <string.h>

#include "appliance/answer/explainsign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
on_step(void *arg, const char *step, const char *text)
{
	assert(strcmp(step, "sign") == 0 && strlen(text) < 256);
	++*(unsigned *)arg;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t query[512];
	unsigned steps = 0;
	bool had;

	explain_sign(data, size, on_step, &steps);
	assert(steps <= EXPLAIN_SIGNS + 1);
	(void)explain_with_do(data, size, query, sizeof query, &had);
	return 0;
}

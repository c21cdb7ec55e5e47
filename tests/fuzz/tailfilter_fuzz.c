/* The filter of the tail: any words are refused with a reason or match any row in bounded time. */
// link: appliance/answer/tailfilter.c
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/answer/tailfilter.h"
#include "tests/fuzz/fuzz.h"

static uint64_t
hash(void *arg, const uint8_t *name, size_t len)
{
	(void)arg;
	return name[len - 1] + len;
}

/* The first octet says how long the words are; a row is what stands behind them. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tailfilter f;
	struct tail_row r = { .family = 4, .one_in = 1 };
	char why[TAILFILTER_WHY] = "";
	char *text;
	size_t n, rest;

	if (size < 1 || size > 1024)
		return 0;
	n = data[0] < size - 1 ? data[0] : size - 1;
	rest = size - 1 - n;
	text = malloc(n + 1);
	memcpy(text, data + 1, n);
	text[n] = '\0';
	r.name_len = (uint8_t)(rest < TAIL_NAME ? rest : TAIL_NAME);
	memcpy(r.name, data + 1 + n, r.name_len);
	if (rest > 20) {
		r.family = data[size - 1] & 1 ? 4 : 6;
		r.flags = data[size - 2];
		r.rcode = data[size - 3];
		r.qtype = data[size - 4];
		memcpy(r.address, data + size - 20, 16);
	}
	if (tailfilter_read(&f, text, hash, NULL, why))
		(void)tailfilter_match(&f, &r);
	else
		assert(strncmp(why, "filter: ", 8) == 0);
	free(text);
	return 0;
}

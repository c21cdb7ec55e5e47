/* The filter of lists: any words are refused with a reason or match in bounded time; and a text that says from where
 * somebody came, which is an address or nothing. */
// link: appliance/sync/filter.c
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/filter.h"
#include "ipc/base/source.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ns_why why = { 0 };
	struct filter *f;
	char *text, source[SOURCE_LEN], again[SOURCE_LEN];

	if (size > 1024)
		return 0;
	text = malloc(size + 1);
	memcpy(text, data, size);
	text[size] = '\0';
	if (source_read(text, source)) {
		source_take(source, again);
		assert(strcmp(again, source) == 0);
	}
	source_take(text, source);
	source_cut(source, source);
	f = filter_new(FILTER_RRSETS, text, &why);
	if (f != NULL)
		(void)filter_match_rrset(f, &(struct filter_rrset){ "www.example.com.", "www", "MX",
						(char *[]){ (char[]){ "10 mx" } }, 1, false });
	filter_destroy(&f);
	f = filter_new(FILTER_CHANGES, text, &why);
	if (f != NULL)
		(void)filter_match_change(
		    f, &(struct filter_change){ "ann", "cli", "192.0.2.7", "fra1-a", "edit",
			   "cut over", 60, (char *[]){ (char[]){ "www.example.com." } }, 1 });
	filter_destroy(&f);
	f = filter_new(FILTER_ZONES, text, &why);
	if (f != NULL) {
		(void)filter_match(
		    f, &(struct filter_zone){ "www.example.com.", FILTER_SIGNED, 10, 60 });
		(void)filter_match(f, &(struct filter_zone){ ".", 0, 0, 0 });
		(void)filter_match(f, &(struct filter_zone){ "a\\.b.xn--bcher-kva.example.",
					  FILTER_HEALTH_BAD, 1, 1 });
		filter_destroy(&f);
	} else {
		assert(why.err == NS_USAGE && why.text[0] != '\0');
	}
	free(text);
	return 0;
}

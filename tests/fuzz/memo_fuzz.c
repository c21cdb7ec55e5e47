/* What the console reads of the operator's own files: any octets are no memo, or one within its limits that reads
 * back the same; and keys.conf is refused with a line, or goes on. */
// link: console/core/memo.c console/core/ownkeys.c console/core/action.c console/core/keymap.c console/core/key.c console/core/surface.c
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/keymap.h"
#include "console/core/memo.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memo *m = memo_new(), *again = memo_new();
	struct ns_why why = { 0 };
	char *text = malloc(size + 1), *out;
	struct keymap *map;

	if (memo_decode(m, data, size, &why) == NS_OK) {
		out = memo_encode(m);
		assert(out != NULL && strlen(out) <= MEMO_FILE);
		assert(memo_decode(again, out, strlen(out), &why) == NS_OK);
		free(out);
	} else {
		assert(why.err == NS_CORRUPT);
	}
	memo_destroy(&m);
	memo_destroy(&again);
	memcpy(text, data, size);
	text[size] = '\0';
	why = (struct ns_why){ 0 };
	if (ns_actions_own_keys(text, &why) == NS_OK &&
	    (map = keymap_new(ns_actions, &why)) != NULL)
		keymap_destroy(&map);
	assert(why.err == NS_OK || why.text[0] != '\0');
	free(text);
	return 0;
}

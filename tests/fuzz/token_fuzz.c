/* Invitations: any text is refused with a sentence, or is what token_write() would have written. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/fleet/token.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), again[TOKEN_TEXT];
	struct ns_why why = { 0 };
	struct token t;

	memcpy(text, data, size);
	text[size] = '\0';
	if (token_read(text, &t, &why) == NS_OK) {
		token_write(&t, again);
		assert(strncmp(text + strspn(text, " \t\r\n"), again, strlen(again)) == 0);
	} else {
		assert(why.text[0] != '\0');
	}
	free(text);
	return 0;
}

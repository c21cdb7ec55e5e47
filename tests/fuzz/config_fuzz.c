/* The configuration parser: any text is either refused with a line and a reason, or accepted with every
 * limit kept.  An administrator writes the file, but a crash at a typo is no answer either. */
// link: appliance/supervisor/config.c
// link: appliance/supervisor/config_value.c
// link: appliance/supervisor/config_cross.c
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/role/role.h"
#include "appliance/supervisor/config.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ns_why why = { 0 };
	struct config c;
	char *text;

	if (size > CONFIG_FILE_MAX)
		return 0;
	text = malloc(size + 1);
	memcpy(text, data, size);
	text[size] = '\0';
	if (config_parse("f", text, &c, &why) == NS_OK) {
		assert(c.pb.name[0] != '\0' && c.pb.n_dns_listen > 0);
		assert(c.pb.workers >= 1 && c.pb.workers <= ROLE_MAX_WORKERS);
		assert(c.pb.n_dns_listen <= CONFIG_LIST_MAX);
		config_free(&c);
	} else {
		assert(strncmp(why.text, "f:", 2) == 0);
	}
	free(text);
	return 0;
}

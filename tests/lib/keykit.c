/* keykit.c - see keykit.h. */
#include "tests/lib/keykit.h"

#include "appliance/signer/apexset.h"
#include "ipc/base/log.h"

struct zone_keys *
keykit_new(const uint8_t *apex, enum key_algorithm algorithm, enum zone_denial denial, uint32_t now)
{
	const struct apex_wish wish = {
		.ttl = 3600, .cds = APEX_CDS_KEYS, .cds_of = 1, .now = now
	};
	struct zone_keys *keys = zone_keys_new();
	struct ns_why why = { 0 };

	if (zone_key_generate(&keys->key[0], algorithm, KEY_KSK, &why) != NS_OK ||
	    zone_key_generate(&keys->key[1], algorithm, KEY_ZSK, &why) != NS_OK)
		fatal("keykit", "text=%s", log_quote(why.text));
	keys->n = 2;
	keys->denial = denial;
	for (unsigned i = 0; i < keys->n; i++)
		keys->key[i].published = keys->key[i].signs = true;
	if (apexset_make(keys, apex, &wish, &why) != NS_OK)
		fatal("keykit", "text=%s", log_quote(why.text));
	return keys;
}

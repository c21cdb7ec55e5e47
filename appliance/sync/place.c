/* place - see place.h. */
#include "appliance/sync/place.h"

#include <stdio.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"

#define VALUE_SHOWN 80

void
place_names(struct ns_why *why, const uint8_t *apex, const uint8_t *owner, uint16_t type)
{
	char word[RRTYPE_MAX_TEXT];

	if (why->zone[0] == '\0')
		name_show(apex, why->zone, sizeof why->zone);
	if (owner != NULL && why->owner[0] == '\0')
		name_show(owner, why->owner, sizeof why->owner);
	if (type != 0 && why->type[0] == '\0')
		snprintf(why->type, sizeof why->type, "%s", rrtype_to_text(type, word));
}

void
place_sentence(struct ns_why *why, const char *value)
{
	char text[sizeof why->text];

	memcpy(text, why->text, sizeof text);
	if (why->owner[0] == '\0' || strncmp(text, why->owner, strlen(why->owner)) == 0)
		return;
	ns_fail(why, why->err, why->code, "%s%s%s%s%.*s%s: %s", why->owner,
	    why->type[0] != '\0' ? " " : "", why->type, value != NULL ? " \"" : "", VALUE_SHOWN,
	    value != NULL ? value : "", value != NULL ? "\"" : "", text);
}

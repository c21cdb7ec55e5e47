/* auditnotes - events that wait to be written, equal ones as one with a count.  Pure.
 *
 * Bounded, and a person's share of it too: who does many different things between two writes has them counted as the
 * last of that kind that found room, so that nothing is lost but the detail, and nobody else's. */
#ifndef NS_SYNC_AUDITNOTES_H
#define NS_SYNC_AUDITNOTES_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/store/audit.h"

#define AUDIT_NOTES  128u
#define AUDIT_PERSON 16u

struct audit_notes {
	struct store_event rows[AUDIT_NOTES];
	size_t n;
};

/* first_ms … last_ms and count are the event's.  false: there is no room for it. */
bool audit_notes_add(struct audit_notes *, const struct store_event *);

#endif

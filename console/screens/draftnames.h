/* draftnames - what the operator's drafts change, by name, for a filter that asks: drafts lie here, lists in the appliance. */
#ifndef NS_CONSOLE_SCREENS_DRAFTNAMES_H
#define NS_CONSOLE_SCREENS_DRAFTNAMES_H

#include "console/screens/ui.h"

struct draftnames {
	char **list;
	size_t n;
};

bool draftnames_asked(const char *filter); /* does it ask for drafts? */
/* The zones that have one; nothing when the filter does not ask. */
void draftnames_zones(struct draftnames *, struct ui *, const char *filter);
/* "NAME TYPE" of the RRsets that the draft of the zone that is looked at changes, as its plan tells. */
void draftnames_rrsets(struct draftnames *, struct ui *, const char *filter);
void draftnames_free(struct draftnames *);

#endif

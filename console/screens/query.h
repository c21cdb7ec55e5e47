/* query - the query test's state, for its two files: query.c has the form and asks, query_show.c shows. */
#ifndef NS_CONSOLE_SCREENS_QUERY_H
#define NS_CONSOLE_SCREENS_QUERY_H

#include "console/screens/ui.h"
#include "console/widgets/form.h"
#include "console/widgets/lines.h"
#include "ipc/client/draft.h"

#define RECENT 16u
#define PLACES 258u /* appliances, "all", and the end */

enum {
	FIELD_NAME,
	FIELD_TYPE,
	FIELD_CLIENT,
	FIELD_ECS,
	FIELD_VIA,
	FIELD_DO,
	FIELD_AT,
	FIELD_DRAFT,
	FIELDS
};

struct query_test {
	struct form form;
	struct lines answer;
	bool below; /* the answer has the keys */
	char *places[PLACES + 1]; /* appliances by name, "all", NULL */
	size_t n_places;
	Ns__Draft *instead; /* of the draft of its zone; NULL: none */
	uint64_t request, draft_request, fleet_request;
	Ns__TestReply *live, *drafted; /* the last replies; NULL: none */
	char fault[400], draft_fault[400]; /* or why there is none */
	bool no_draft; /* there was none to ask with */
	bool asked; /* once at least */
	char recent[RECENT][FIELDS][160];
	size_t n_recent, at_recent; /* how far back H is */
};

/* The last replies as lines. */
void query_show(struct view *);

#endif

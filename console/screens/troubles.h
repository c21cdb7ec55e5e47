/* troubles - the Overview's list of what is not well: checks, appliances, zones' DNSSEC, this appliance itself; Enter
 * goes to the thing behind the row. */
#ifndef NS_CONSOLE_SCREENS_TROUBLES_H
#define NS_CONSOLE_SCREENS_TROUBLES_H

#include "console/screens/ui.h"
#include "console/widgets/table.h"

#define TROUBLES_EACH 16u

enum trouble_kind { TROUBLE_CHECK, TROUBLE_POP, TROUBLE_ZONE, TROUBLE_OWN, TROUBLE_KINDS };

struct trouble {
	enum trouble_kind kind;
	bool crit;
	char *id; /* as the appliance has it */
	char *text; /* sanitized */
};
struct troubles {
	struct view *view;
	struct ns_table table;
	struct {
		struct trouble list[TROUBLES_EACH];
		size_t n, all; /* here; there are */
		uint64_t request;
	} of[TROUBLE_KINDS];
	void (*fleet)(struct view *, const Ns__FleetListReply *); /* who else wants it; NULL: nobody */
	uint64_t zones_ms; /* when zones were asked about */
	const struct trouble *shown[TROUBLES_EACH * TROUBLE_KINDS];
	size_t n; /* of shown */
};

void troubles_init(struct troubles *, struct view *);
void troubles_free(struct troubles *);
void troubles_tick(struct troubles *);
void troubles_reload(struct troubles *); /* zones too, which cost a walk */
void troubles_draw(struct troubles *, bool focus, struct rect);
bool troubles_act(struct troubles *, enum ns_action_id);

#endif

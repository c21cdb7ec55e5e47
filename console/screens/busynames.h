/* busynames - which names are asked for most on the appliance that is shown: of all types, by samples, of the last one
 * to two minutes. */
#ifndef NS_CONSOLE_SCREENS_BUSYNAMES_H
#define NS_CONSOLE_SCREENS_BUSYNAMES_H

#include "console/screens/ui.h"

#define BUSYNAMES 100u

struct busynames { /* zeroed: none yet */
	struct view *view;
	struct {
		char *name; /* as the appliance has it */
		double qps;
	} list[BUSYNAMES];
	size_t n;
	uint64_t request, asked_ms; /* 0: never */
};

/* Asks now and then; the figures are of minutes. */
void busynames_tick(struct busynames *, struct view *);
/* Queries a second; negative: it is not among those that are asked most. */
double busynames_qps(const struct busynames *, const char *name);
void busynames_close(struct busynames *);

#endif

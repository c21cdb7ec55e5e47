/* control.c - see control.h. */
#include "appliance/probe/control.h"

enum control
control_judge(const struct control_look *l, size_t n, uint64_t since_ms)
{
	enum control is = n > 0 ? CONTROL_CUT : CONTROL_FINE;

	for (size_t i = 0; i < n; i++) {
		if (l[i].at_ms == 0 || l[i].at_ms < since_ms)
			is = CONTROL_OPEN;
		else if (l[i].good)
			return CONTROL_FINE;
	}
	return is;
}

/* zone - what the tabs of one zone have in common: its title and the line of tabs. */
#ifndef NS_CONSOLE_SCREENS_ZONE_H
#define NS_CONSOLE_SCREENS_ZONE_H

#include "console/screens/ui.h"

bool zone_is_tab(const struct ns_screen_ops *);
/* Two lines: the zone, what zonehead tells of it and `state` behind that, and its tabs with `right` on the right.  What is left of r. */
struct rect zone_title(struct view *, struct rect r, const char *state, const char *right);
/* "www" of "www.example.com." in example.com., "@" of the zone itself: where it begins, and its octets. */
int zone_relative(const char *name, const char *zone, const char **out);
/* What every tab can do: another tab, the zone's history and draft, undo and redo; false: it is none of that. */
bool zone_act(struct view *, enum ns_action_id);
/* Why not, of the draft's actions; NULL: it may, or it is none of them. */
const char *zone_refuse(const struct view *, enum ns_action_id);

#endif

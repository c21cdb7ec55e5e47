/* preview - on the right of a wide list, what is behind the row under the cursor. */
#ifndef NS_CONSOLE_SCREENS_PREVIEW_H
#define NS_CONSOLE_SCREENS_PREVIEW_H

#include "console/screens/ui.h"

#define PREVIEW_FROM 110 /* columns of a screen that has room for it, */
#define PREVIEW_LIST 74 /* and those that the list keeps; of more, two thirds */

struct preview {
	bool on;
};

/* As it was in the last session. */
void preview_open(struct view *, struct preview *);
/* Cuts its part off a list's: w is 0 where it is not shown. */
struct rect preview_part(const struct preview *, struct rect *list);
bool preview_shown(const struct view *, const struct preview *);
bool preview_act(struct view *, struct preview *, enum ns_action_id); /* false: not its key */
/* A line of it, wrapped below `r`, which becomes what is left. */
void preview_put(struct view *, struct rect *r, enum ui_role, const char *text);

/* ---- zonepreview.c: the apex of a zone, and its last changes ---- */
struct zonepreview;
/* Asked for when it is another one than before, or something was committed. */
void zonepreview_follow(struct view *, struct zonepreview **, const char *zone);
/* zone: NULL, none is under the cursor. */
void zonepreview_draw(struct view *, const struct zonepreview *, struct rect, const char *zone);
void zonepreview_free(struct view *, struct zonepreview **);

#endif

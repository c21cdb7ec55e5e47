/* mouse - off unless it is asked for (`:set mouse on`), because it takes the terminal's own selecting and copying: the
 * wheel moves in a list, a click goes to a tab or a row, and opens the row that has the cursor. */
#ifndef NS_CONSOLE_SCREENS_MOUSE_H
#define NS_CONSOLE_SCREENS_MOUSE_H

#include "console/screens/ui.h"

void mouse_set(struct ui *, bool on);
/* "set mouse on", "set mouse off": done; false: another line. */
bool mouse_line(struct ui *, const char *line);
/* key_is_mouse(): nothing happens where text is typed. */
void mouse_took(struct ui *, uint32_t key);

#endif

/* fieldedit - the field in focus, or what is typed at the prompt, as text in the operator's editor: what is long is read better there.
 *
 * A field is one line: what the editor leaves is typed into it with blanks for the line breaks. */
#ifndef NS_CONSOLE_SCREENS_FIELDEDIT_H
#define NS_CONSOLE_SCREENS_FIELDEDIT_H

#include "console/screens/ui.h"

/* One at a time; why not is said. */
void fieldedit_start(struct ui *);
void fieldedit_free(struct ui *);

#endif

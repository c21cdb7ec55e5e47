/* textedit - a zone as text in the operator's editor, and what he changed as a draft.
 *
 * The zone is fetched, with the operator's draft in it if there is one, written into a file of our own (mode 0600,
 * beside the drafts), and the editor has the terminal while the loop goes on.  Unchanged, empty, or an editor that
 * fails: nothing happens.  The appliance makes operations of the text, by its own rules, which take the draft's place;
 * where it cannot read a line, the editor opens there again, if the operator wants.  The file goes when its operations
 * are in the draft, and whatever fails says where it is. */
#ifndef NS_CONSOLE_SCREENS_TEXTEDIT_H
#define NS_CONSOLE_SCREENS_TEXTEDIT_H

#include "console/screens/ui.h"

/* One at a time; why not is said. */
void textedit_start(struct ui *, const char *zone);
void textedit_free(struct ui *);

#endif

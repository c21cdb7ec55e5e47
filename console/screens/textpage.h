/* textpage - the console's own editor, for who has no shell: a file in a text area, until Ctrl-S or Esc.
 *
 * Its text is in the file when it was accepted, or when the screen goes for another reason and something was typed. */
#ifndef NS_CONSOLE_SCREENS_TEXTPAGE_H
#define NS_CONSOLE_SCREENS_TEXTPAGE_H

#include "console/screens/textfile.h"

bool textpage_open(
    struct ui *, const struct textfile_what *, void (*ended)(void *arg, enum textfile_end), void *arg);

#endif

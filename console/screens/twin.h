/* twin - the command that tells at the command line what a screen shows: `Y`.
 *
 * A screen names its words in ns_screen_ops.twin, or puts them itself; what is no plain word is quoted for a shell.
 * Pure but for twin_yank. */
#ifndef NS_CONSOLE_SCREENS_TWIN_H
#define NS_CONSOLE_SCREENS_TWIN_H

#include "console/screens/ui.h"
#include "ipc/base/wbuf.h"

#define TWIN_MAX 65536u /* octets of a command */

/* The word as one that a shell, or words_split(), leaves as it is, whatever is in it. */
void twin_quote(struct wbuf *, const char *word);
/* A blank and the word, quoted where a shell would take it apart. */
void twin_word(struct wbuf *, const char *word);
/* --option word; nothing when the word is empty. */
void twin_option(struct wbuf *, const char *option, const char *word);
/* malloc'ed, sanitized; NULL: no command tells that. */
char *twin_command(struct view *);
/* To the terminal's clipboard, else as a page, with a word about it. */
void twin_yank(struct ui *);

#endif

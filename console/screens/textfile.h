/* textfile - a text that is edited, in a file beside the drafts (mode 0600), so that nothing typed is lost. */
#ifndef NS_CONSOLE_SCREENS_TEXTFILE_H
#define NS_CONSOLE_SCREENS_TEXTFILE_H

#include "console/screens/ui.h"
#include "ipc/base/wbuf.h"

#define TEXTFILE_MAX (8u << 20) /* octets */

/* A new file with this text, in the directory; its path, malloc'ed.  NULL: it cannot be written. */
char *textfile_new(const char *dir, const char *suffix, const void *text, size_t len);
bool textfile_write(const char *path, const void *text, size_t len);
/* false: it cannot be read, or is too long; out is the caller's to free all the same. */
bool textfile_read(const char *path, struct wbuf *out);

/* What runs the operator's editor on "$@": a line for sh -c; malloc'ed. */
char *textfile_command(void);

enum textfile_end { TEXTFILE_DONE, TEXTFILE_FAILED, TEXTFILE_LEFT };

/* The operator's editor has the file ($VISUAL, $EDITOR, vi), and ended() is told how it went: FAILED is an exit code
 * other than 0.  Somebody without a shell gets the console's own editor in its place, which runs nothing and opens no
 * other file; LEFT: he said that nothing of it counts.  false: it cannot be started. */
struct textfile_what {
	const char *path;
	const char *title; /* what it is, for the console's own editor */
	const char *note; /* what is wrong with it; "": nothing */
	uint32_t line; /* where it opens; 0: at the top */
};
bool textfile_edit(
    struct ui *, const struct textfile_what *, void (*ended)(void *arg, enum textfile_end), void *arg);

#endif

/* edittext - a zone as text in an editor: what stands at its head, and the marks of what could not be read.
 *
 * A mark is a line of its own above the one that is wrong; marks of the round before are no part of the text.  Pure; for
 * CLI and console. */
#ifndef NS_CONSOLE_CORE_EDITTEXT_H
#define NS_CONSOLE_CORE_EDITTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/base/wbuf.h"

#define EDITTEXT_MAX (4u << 20) /* octets: what is longer is nobody's to edit by hand */

/* ops: of the draft that is in the text; 0: it is what is served.  malloc'ed. */
char *edittext_head(const char *zone, uint32_t serial, size_t ops);
void edittext_strip(struct wbuf *text); /* the marks */
/* The text with a mark above that line (from 1; behind the end: there); out is a fresh buffer.  false: too long. */
bool edittext_mark(const struct wbuf *text, uint32_t line, const char *why, struct wbuf *out);
/* The same text? */
bool edittext_same(const struct wbuf *, const struct wbuf *);

#endif

/* sanitize - nothing that came from the network may steer the terminal.
 *
 * Every byte of a name, a record, a comment, an error text goes through here before it is put anywhere.
 * What is left: printable ASCII and, outside ASCII mode, assigned printable characters with at most two
 * combining ones each.  Broken UTF-8 comes out as \DDD, as in master files; controls (C0, C1), bidi controls,
 * invisible characters and what has no width as \u{…}. */
#ifndef NS_CONSOLE_CORE_SANITIZE_H
#define NS_CONSOLE_CORE_SANITIZE_H

#include <stdbool.h>
#include <stddef.h>

/* At most size - 1 octets and a NUL, cut between characters; their number. */
size_t sanitize(char *out, size_t size, const char *text, bool ascii);
/* malloc'ed. */
char *sanitize_dup(const char *text, bool ascii);

#endif

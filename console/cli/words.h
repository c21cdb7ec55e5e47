/* words - one line as the words of a command, for who has no shell: what sshd hands to a login shell with -c.
 *
 * Pure.  Blanks part words; '...' is literal, in "..." and outside of quotes a backslash takes the next character
 * as it is.  What a shell would do beyond that (;|&<>$ and backquotes outside of quotes, a line break) is refused,
 * never ignored. */
#ifndef NS_CLI_WORDS_H
#define NS_CLI_WORDS_H

#include <stddef.h>

#define WORDS_TEXT (1u << 20) /* octets of a line */

/* The words, one block to free, ended by NULL; their number in *n.  NULL: *why says why not. */
char **words_split(const char *line, size_t *n, const char **why);

#endif

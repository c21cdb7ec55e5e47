/* text - what may stand in a string that crosses a process border, a log or a terminal: valid UTF-8
 * (RFC 3629: no overlong forms, no surrogates) without control characters (C0, DEL, C1). */
#ifndef NS_BASE_TEXT_H
#define NS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

bool	 text_is_clean(const void *data, size_t len);
/* Every offending byte becomes '?'; a character cut off at the end goes the same way. */
void	 text_scrub(char *text);
/* As much of it as fits, cut between two characters; always ended. */
void	 text_copy(char *out, size_t size, const char *text);
/* All of it; false, and out is as it was: there is no room for it. */
bool	 text_take(char *out, size_t size, const char *text) __attribute__((warn_unused_result));
/* `*` any octets, `?` one, else itself; at most text × pattern steps. */
bool	 text_glob(const char *pattern, const char *text);

#endif

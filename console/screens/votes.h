/* votes - what appliances say of one check, in few words.  Pure; what comes out is not sanitized yet. */
#ifndef NS_CONSOLE_SCREENS_VOTES_H
#define NS_CONSOLE_SCREENS_VOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console/core/glyph.h"
#include "ipc/nameserve.pb-c.h"

/* U up, d down, ? nothing or nothing new was heard, - it does not look (abstains). */
char votes_letter(const Ns__CheckInfo__Vote *);
unsigned votes_up(const Ns__CheckInfo *);
/* "ams1 UU  fra1 dU": by site, in the order in which they come. */
void votes_by_site(const Ns__CheckInfo *, char *out, size_t size);
/* "12x connect timeout   5x status 503": of those who do not say up, the commonest first. */
void votes_errors(const Ns__CheckInfo *, char *out, size_t size);
/* The last looks as characters, at most `width`: as high as they took long, x failed. */
void votes_spark(enum glyph_set, const uint32_t *looks, size_t n, size_t width, char *out, size_t size);
/* "CRIT", "WARN", "OK", "-" of a level's name, and what it looks like. */
const char *level_word(const char *level, enum ui_role *);
/* The same of a check with its votes. */
const char *votes_level(const Ns__CheckInfo *);

#endif

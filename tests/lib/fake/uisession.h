/* uisession - the console's screens with keys and clock in the hands of a test: no terminal, no appliance (uiclient), and
 * a directory of state of its own, which goes when the program ends. */
#ifndef NS_TESTS_FAKE_UISESSION_H
#define NS_TESTS_FAKE_UISESSION_H

#include "console/screens/ui.h"

#define UISESSION_WALL_MS 1795356127000 /* 2026-11-22T14:02:07Z */
#define UISESSION_MONO_MS 1000000u

/* Once, before all others. */
void uisession_begin(void);
/* The Overview, after so many refreshes; uiclient is as at first, and there are no drafts. */
struct ui *uisession_open(int w, int h, enum glyph_set, const char *role, unsigned ticks);
/* The session after it, of the same person at the same machine, before anything has answered. */
struct ui *uisession_next(struct ui **before, int w, int h, enum glyph_set);
/* The first so many refreshes of such a session. */
void uisession_ticks(struct ui *, unsigned ticks);
/* So much later. */
void uisession_pass(struct ui *, unsigned ms);
/* One key, 200 ms and more after the one before, and its answers; '\v' is no key: a refresh. */
void uisession_key(struct ui *, uint32_t key);
void uisession_keys(struct ui *, const char *keys);
/* All of it as it is now. */
void uisession_draw(struct ui *);

#endif

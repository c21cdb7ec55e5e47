/* prompt - one line of typed text, edited as in readline. */
#ifndef NS_CONSOLE_WIDGETS_PROMPT_H
#define NS_CONSOLE_WIDGETS_PROMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console/core/surface.h"
#include "console/widgets/edit.h"

#define PROMPT_MAX 256u

struct prompt {
	bool on;
	char label; /* '/' or ':' */
	struct edit edit;
	bool whole; /* the text was there before: the first letter takes the place of all of it */
};

enum prompt_end { PROMPT_MORE, PROMPT_CHANGED, PROMPT_ENTER, PROMPT_CANCEL };

void prompt_open(struct prompt *, char label, const char *text);
void prompt_set(struct prompt *, const char *text);
enum prompt_end prompt_key(struct prompt *, uint32_t key);
void prompt_draw(const struct prompt *, struct surface *, struct rect);

#endif

/* spoken.c - see spoken.h. */
#include "console/core/spoken.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/base/xalloc.h"

void
spoken_clear(struct spoken *s)
{
	s->n = 0;
}

void
spoken_free(struct spoken *s)
{
	free(s->list);
	*s = (struct spoken){ 0 };
}

void
spoken_row(struct spoken *s, int y, size_t index, bool cursor)
{
	if (s->n == s->room) {
		s->room = s->room > 0 ? s->room * 2 : 32;
		s->list = xreallocarray(s->list, s->room, sizeof *s->list);
	}
	s->list[s->n++] = (struct spoken_row){ .y = y, .index = index, .cursor = cursor };
}

void
spoken_cell(struct spoken *s, const char *title, const char *text)
{
	struct spoken_row *r = s->n > 0 ? &s->list[s->n - 1] : NULL;
	size_t len = r != NULL ? strlen(r->text) : 0, i = len;

	if (r == NULL || text[0] == '\0')
		return;
	/* The first cell is the name: it needs no title. */
	snprintf(r->text + len, sizeof r->text - len, "%s%s%s%s", len > 0 ? ", " : "",
	    len > 0 ? title : "", len > 0 && title[0] != '\0' ? " " : "", text);
	for (size_t end = i + strlen(title) + 2; len > 0 && i < end && r->text[i] != '\0'; i++)
		r->text[i] = (char)tolower((unsigned char)r->text[i]);
}

const struct spoken_row *
spoken_at(const struct spoken *s, int y)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].y == y)
			return &s->list[i];
	return NULL;
}

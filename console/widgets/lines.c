/* lines.c - see lines.h. */
#include "console/widgets/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "ipc/base/xalloc.h"

#define SHIFT 16

void
lines_add(struct lines *l, enum ui_role role, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	if (l->n == l->size) {
		l->size = l->size > 0 ? l->size * 2 : 32;
		l->list = xreallocarray(l->list, l->size, sizeof *l->list);
	}
	l->list[l->n++] = (struct line){ text, role };
}

void
lines_add_foreign(struct lines *l, enum ui_role role, bool ascii, const char *fmt, va_list ap)
{
	char *text = xvasprintf(fmt, ap), *safe = sanitize_dup(text, ascii);

	lines_add(l, role, "%s", safe);
	free(safe);
	free(text);
}

void
lines_clear(struct lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->list[i].text);
	free(l->list);
	l->list = NULL;
	l->n = l->size = 0;
}

void
lines_drop(struct lines *l, size_t n)
{
	n = n < l->n ? n : l->n;
	for (size_t i = 0; i < n; i++)
		free(l->list[i].text);
	l->n -= n;
	memmove(l->list, l->list + n, l->n * sizeof *l->list);
	l->top -= l->top < n ? l->top : n;
	l->found -= l->found < n ? l->found : n;
}

static size_t
last_top(const struct lines *l)
{
	return l->n > (size_t)l->page ? l->n - (size_t)l->page : 0;
}

void
lines_find(struct lines *l, size_t i)
{
	size_t page = l->page > 0 ? (size_t)l->page : 1;

	l->found = i + 1;
	if (i < l->top || i >= l->top + page)
		l->top = i > page / 2 ? i - page / 2 : 0;
}

void
lines_draw(struct lines *l, struct surface *s, struct rect r)
{
	l->page = r.h > 0 ? r.h : 1;
	if (l->top > last_top(l))
		l->top = last_top(l);
	surface_park(s, r.x, r.y, false);
	for (int y = 0; y < r.h && l->top + (size_t)y < l->n; y++) {
		const struct line *line = &l->list[l->top + (size_t)y];
		bool found = l->top + (size_t)y + 1 == l->found;
		const char *text = line->text;
		uint32_t cp;

		for (int i = 0; i < l->shift; i++)
			text += utf8_next(text, &cp);
		surface_put(s, r.x, r.y + y, r.w, line->role, text);
		if (found) {
			surface_put(s, r.x, r.y + y, 1, UI_SELECT, ">");
			surface_mark(s, (struct rect){ r.x, r.y + y, r.w, 1 }, UI_SELECT);
			surface_park(s, r.x, r.y + y, false);
		}
	}
}

bool
lines_act(struct lines *l, enum ns_action_id id)
{
	size_t half = l->page > 1 ? (size_t)l->page / 2 : 1, page = (size_t)l->page, by = 0;

	switch (id) {
	case ACT_RIGHT:
		l->shift += l->shift < SURFACE_MAX ? SHIFT : 0;
		return true;
	case ACT_LEFT:
		l->shift -= l->shift < SHIFT ? l->shift : SHIFT;
		return true;
	case ACT_TOP:
		l->top = 0;
		return true;
	case ACT_BOTTOM:
		l->top = last_top(l);
		return true;
	case ACT_UP:
	case ACT_HALF_UP:
	case ACT_PAGE_UP:
		by = id == ACT_UP ? 1 : id == ACT_HALF_UP ? half : page;
		l->top -= l->top < by ? l->top : by;
		return true;
	case ACT_DOWN:
	case ACT_HALF_DOWN:
	case ACT_PAGE_DOWN:
		by = id == ACT_DOWN ? 1 : id == ACT_HALF_DOWN ? half : page;
		l->top = l->top + by < last_top(l) ? l->top + by : last_top(l);
		return true;
	default:
		return false;
	}
}

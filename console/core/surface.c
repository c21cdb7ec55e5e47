/* surface.c - see surface.h. */
#define _XOPEN_SOURCE 700
#include "console/core/surface.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "ipc/base/xalloc.h"

struct surface *
surface_new(int w, int h, bool ascii)
{
	struct surface *s = xcalloc(1, sizeof *s);

	s->ascii = ascii;
	surface_resize(s, w, h);
	return s;
}

void
surface_destroy(struct surface **sp)
{
	if (*sp == NULL)
		return;
	free((*sp)->cells);
	free(*sp);
	*sp = NULL;
}

static int
limited(int n)
{
	return n < 1 ? 1 : n > SURFACE_MAX ? SURFACE_MAX : n;
}

void
surface_resize(struct surface *s, int w, int h)
{
	s->w = limited(w);
	s->h = limited(h);
	s->cells = xreallocarray(s->cells, (size_t)s->w * (size_t)s->h, sizeof *s->cells);
	surface_clear(s);
}

void
surface_clear(struct surface *s)
{
	for (size_t i = 0; i < (size_t)s->w * (size_t)s->h; i++)
		s->cells[i] = (struct cell){ .cp = ' ', .role = UI_TEXT };
	s->cursor_x = s->cursor_y = 0;
	s->cursor_on = false;
	s->outside = 0;
}

static struct cell *
cell_at(struct surface *s, int x, int y)
{
	if (x < 0 || y < 0 || x >= s->w || y >= s->h)
		return NULL;
	return &s->cells[(size_t)y * (size_t)s->w + (size_t)x];
}

const struct cell *
surface_at(const struct surface *s, int x, int y)
{
	return cell_at((struct surface *)(uintptr_t)s, x, y);
}

void
surface_fill(struct surface *s, struct rect r, enum ui_role role)
{
	for (int y = r.y; y < r.y + r.h && y < s->h; y++)
		for (int x = r.x; x < r.x + r.w && x < s->w; x++) {
			struct cell *c = cell_at(s, x, y);

			if (c != NULL)
				*c = (struct cell){ .cp = ' ', .role = (uint8_t)role };
		}
}

void
surface_mark(struct surface *s, struct rect r, enum ui_role role)
{
	for (int y = r.y; y < r.y + r.h && y < s->h; y++)
		for (int x = r.x; x < r.x + r.w && x < s->w; x++) {
			struct cell *c = cell_at(s, x, y);

			if (c != NULL)
				c->role = (uint8_t)role;
		}
}

unsigned
utf8_next(const char *text, uint32_t *cp)
{
	const unsigned char *p = (const unsigned char *)text;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned n = p[0] < 0x80                   ? 1
		     : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
		     : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
		     : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
						   : 0;

	if (p[0] == 0)
		return 0;
	*cp = 0xfffd;
	if (n == 0)
		return 1;
	uint32_t v = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));
	for (unsigned i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 1;
		v = v << 6 | (p[i] & 0x3fu);
	}
	if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		return 1;
	*cp = v;
	return n;
}

static int
columns_of(uint32_t cp)
{
	if (cp < 0x7f)
		return 1;
	int w = wcwidth((wchar_t)cp);
	return w < 0 ? 1 : w;
}

int
text_width(const char *text)
{
	uint32_t cp;
	int w = 0;

	for (unsigned n; (n = utf8_next(text, &cp)) > 0; text += n)
		w += columns_of(cp);
	return w;
}

/* A combining one belongs to the cell before it. */
static void
combine(struct surface *s, int x, int y, uint32_t cp)
{
	struct cell *c = cell_at(s, x, y);

	if (c != NULL && c->cp == 0)
		c = cell_at(s, x - 1, y);
	if (c == NULL || s->ascii)
		return;
	if (c->marks[0] == 0)
		c->marks[0] = cp;
	else if (c->marks[1] == 0)
		c->marks[1] = cp;
}

static void
put_cell(struct surface *s, int x, int y, enum ui_role role, uint32_t cp, int columns)
{
	struct cell *c = cell_at(s, x, y);

	if (c == NULL || (columns == 2 && cell_at(s, x + 1, y) == NULL)) {
		s->outside++;
		return;
	}
	if (cp < 0x20 || cp == 0x7f || (cp >= 0x80 && (s->ascii || wcwidth((wchar_t)cp) < 0)))
		cp = '?';
	*c = (struct cell){ .cp = cp, .role = (uint8_t)role };
	if (columns == 2)
		*cell_at(s, x + 1, y) = (struct cell){ .cp = 0, .role = (uint8_t)role };
}

const char *
surface_old(const struct surface *s)
{
	return s->stale ? "~" : "";
}

/* Behind the blanks that the text begins with; what says that nothing is known is not old. */
static void
mark_old(struct surface *s, int x, int y, const char *text)
{
	int blanks = (int)strspn(text, " ");
	const char *said = text + blanks;
	struct cell *before = cell_at(s, x + blanks - 1, y);
	bool nothing =
	    *said == '\0' || (strspn(said, "-?") == 1 && (said[1] == '\0' || said[1] == ' '));

	if (!nothing && before != NULL && before->cp == ' ')
		*before = (struct cell){ .cp = '~', .role = UI_DIM };
}

static int
put_text(struct surface *s, int x, int y, int w, enum ui_role role, const char *text)
{
	int at = 0, whole = text_width(text), room = whole > w ? w - 1 : w;
	uint32_t cp;

	for (unsigned n; (n = utf8_next(text, &cp)) > 0; text += n) {
		int columns = columns_of(cp);

		if (columns == 0) {
			if (at > 0)
				combine(s, x + at - 1, y, cp);
			continue;
		}
		if (at + columns > room)
			break;
		put_cell(s, x + at, y, role, cp, columns);
		at += columns;
	}
	if (whole > w)
		put_cell(s, x + at++, y, role, s->ascii ? '~' : 0x2026, 1);
	return at;
}

int
surface_put(struct surface *s, int x, int y, int w, enum ui_role role, const char *text)
{
	bool old = (role & UI_OLD) != 0 || ((role & UI_LIVE) != 0 && s->stale);
	int n;

	if (w <= 0)
		return 0;
	role &= (enum ui_role) ~(UI_LIVE | UI_OLD);
	n = put_text(s, x, y, w, old || (role == UI_GRAPH && s->stale) ? UI_DIM : role, text);
	if (old)
		mark_old(s, x, y, text);
	return n;
}

/* Octets of the first line of w columns. */
static size_t
line_of(const char *text, int w)
{
	size_t at = 0, blank = 0;
	uint32_t cp;
	int x = 0;

	for (unsigned n; (n = utf8_next(text + at, &cp)) > 0; at += n) {
		x += columns_of(cp);
		if (x > w)
			return blank > 0 ? blank : at > 0 ? at : n;
		if (cp == ' ')
			blank = at;
	}
	return at;
}

int
text_lines(const char *text, int w)
{
	int n = 0;

	for (; *text != '\0'; n++) {
		text += line_of(text, w);
		text += *text == ' ';
	}
	return n;
}

int
surface_wrap(struct surface *s, struct rect r, enum ui_role role, const char *text)
{
	char line[1024];
	int y = 0;

	for (; y < r.h && *text != '\0'; y++) {
		size_t n = line_of(text, r.w);

		if (y + 1 == r.h)
			n = strlen(text);
		snprintf(line, sizeof line, "%.*s", (int)n, text);
		surface_put(s, r.x, r.y + y, r.w, role, line);
		text += n;
		text += *text == ' ';
	}
	return y;
}

int
surface_putf(struct surface *s, int x, int y, int w, enum ui_role role, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return surface_put(s, x, y, w, role, text);
}

int
surface_put_right(struct surface *s, int x, int y, int w, enum ui_role role, const char *text)
{
	int n = text_width(text);

	return n < w ? surface_put(s, x + w - n, y, n, role, text)
		     : surface_put(s, x, y, w, role, text);
}

void
surface_park(struct surface *s, int x, int y, bool on)
{
	s->cursor_x = x < 0 ? 0 : x >= s->w ? s->w - 1 : x;
	s->cursor_y = y < 0 ? 0 : y >= s->h ? s->h - 1 : y;
	s->cursor_on = on;
}

/* textarea.c - see textarea.h. */
#include "console/widgets/textarea.h"

#include <stdlib.h>
#include <string.h>

#include "console/core/key.h"
#include "console/core/sanitize.h"
#include "ipc/base/xalloc.h"

#define TAB 8

/* ---- lines ---- */
static size_t
begin_of(const struct textarea *t, size_t at)
{
	const char *nl = at > 0 ? memrchr(t->text, '\n', at) : NULL;

	return nl != NULL ? (size_t)(nl - t->text) + 1 : 0;
}

static size_t
end_of(const struct textarea *t, size_t at)
{
	const char *nl = memchr(t->text + at, '\n', t->len - at);

	return nl != NULL ? (size_t)(nl - t->text) : t->len;
}

/* The character at an offset: its octets, and the columns it takes when it begins in that one. */
static size_t
character(const struct textarea *t, size_t at, int column, int *width, char shown[16])
{
	char one[8] = { 0 };
	uint32_t cp;
	unsigned n;

	memcpy(one, t->text + at, t->len - at < 4 ? t->len - at : 4);
	n = utf8_next(one, &cp);
	if (n == 0) /* a NUL in the text */
		n = 1;
	one[n] = '\0';
	if (one[0] == '\t') {
		*width = TAB - column % TAB;
		memcpy(shown, "        ", (size_t)*width);
		shown[*width] = '\0';
		return n;
	}
	if (sanitize(shown, 16, one, false) != n || strcmp(shown, one) != 0)
		memcpy(shown, "?", 2);
	*width = text_width(shown);
	return n;
}

static int
column_of(const struct textarea *t, size_t at)
{
	int column = 0, width;
	char shown[16];

	for (size_t p = begin_of(t, at); p < at; column += width)
		p += character(t, p, column, &width, shown);
	return column;
}

/* Where in the line that begins there this column is, or its end. */
static size_t
at_column(const struct textarea *t, size_t begin, int goal)
{
	size_t end = end_of(t, begin), p = begin;
	int column = 0, width;
	char shown[16];

	while (p < end) {
		size_t n = character(t, p, column, &width, shown);

		if (column + width > goal)
			break;
		column += width;
		p += n;
	}
	return p;
}

uint32_t
textarea_line(const struct textarea *t, uint32_t *lines)
{
	uint32_t line = 1;

	*lines = 1;
	for (size_t i = 0; i < t->len; i++)
		if (t->text[i] == '\n') {
			line += i < t->at;
			*lines += i + 1 < t->len; /* the last one's end begins no other */
		}
	return line;
}

void
textarea_set(struct textarea *t, size_t max, const void *text, size_t len, uint32_t line)
{
	textarea_free(t);
	t->max = max;
	t->len = len < max ? len : max - 1;
	t->text = xmalloc(t->len + 1);
	if (t->len > 0)
		memcpy(t->text, text, t->len);
	t->text[t->len] = '\0';
	for (; line > 1 && end_of(t, t->at) < t->len; line--)
		t->at = end_of(t, t->at) + 1;
	t->goal = -1;
}

void
textarea_free(struct textarea *t)
{
	free(t->text);
	*t = (struct textarea){ 0 };
}

/* ---- changes ---- */
static void
cut(struct textarea *t, size_t from, size_t to, bool *changed)
{
	memmove(t->text + from, t->text + to, t->len - to + 1);
	t->len -= to - from;
	t->at = from;
	*changed = from != to;
}

static void
insert(struct textarea *t, const char *text, size_t n, bool *changed)
{
	if (t->len + n >= t->max)
		return;
	t->text = xreallocarray(t->text, t->len + n + 1, 1);
	memmove(t->text + t->at + n, t->text + t->at, t->len - t->at + 1);
	memcpy(t->text + t->at, text, n);
	t->len += n;
	t->at += n;
	*changed = true;
}

static bool
insert_key(struct textarea *t, uint32_t cp, bool *changed)
{
	size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	char c[8] = { 0 }, shown[16];

	if (cp < ' ' || cp >= UIKEY_BASE || (cp >= 0x7f && cp < 0xa0))
		return false;
	c[0] = (char)(n == 1 ? cp : (0xf00u >> n & 0xf0u) | cp >> 6 * (n - 1));
	for (size_t i = 1; i < n; i++)
		c[i] = (char)(0x80 | (cp >> 6 * (n - 1 - i) & 0x3f));
	/* What cannot be shown as it is would be seen as something else than what is sent. */
	if (sanitize(shown, sizeof shown, c, false) == n)
		insert(t, c, n, changed);
	return true;
}

static size_t
left_of(const struct textarea *t)
{
	size_t at = t->at;

	while (at > 0 && ((unsigned char)t->text[--at] & 0xc0) == 0x80)
		;
	return at;
}

static size_t
right_of(const struct textarea *t)
{
	size_t at = t->at;

	while (at < t->len && ((unsigned char)t->text[++at] & 0xc0) == 0x80)
		;
	return at;
}

static size_t
word_left_of(const struct textarea *t)
{
	size_t at = t->at, begin = begin_of(t, t->at);

	while (at > begin && (t->text[at - 1] == ' ' || t->text[at - 1] == '\t'))
		at--;
	while (at > begin && t->text[at - 1] != ' ' && t->text[at - 1] != '\t')
		at--;
	return at;
}

static bool
edited(struct textarea *t, uint32_t key, bool *changed)
{
	size_t end = end_of(t, t->at);

	switch (key) {
	case UIKEY_ENTER:
		insert(t, "\n", 1, changed);
		return true;
	case UIKEY_TAB:
		insert(t, "\t", 1, changed);
		return true;
	case UIKEY_BACKSPACE:
		cut(t, left_of(t), t->at, changed);
		return true;
	case UIKEY_DELETE:
	case CTRL_KEY('D'):
		cut(t, t->at, right_of(t), changed);
		return true;
	case CTRL_KEY('U'):
		cut(t, begin_of(t, t->at), t->at, changed);
		return true;
	case CTRL_KEY('K'): /* the rest of the line; at its end, the end */
		cut(t, t->at, end > t->at ? end : right_of(t), changed);
		return true;
	case CTRL_KEY('W'):
		cut(t, word_left_of(t), t->at, changed);
		return true;
	default:
		return insert_key(t, key, changed);
	}
}

/* ---- the cursor ---- */
static void
by_lines(struct textarea *t, int by)
{
	size_t begin = begin_of(t, t->at);

	if (t->goal < 0)
		t->goal = column_of(t, t->at);
	for (; by < 0 && begin > 0; by++)
		begin = begin_of(t, begin - 1);
	for (; by > 0 && end_of(t, begin) < t->len; by--)
		begin = end_of(t, begin) + 1;
	t->at = at_column(t, begin, t->goal);
}

static bool
moved(struct textarea *t, uint32_t key)
{
	switch (key) {
	case UIKEY_UP:
	case UIKEY_DOWN:
		by_lines(t, key == UIKEY_UP ? -1 : 1);
		return true;
	case UIKEY_PGUP:
	case UIKEY_PGDN:
		by_lines(t, (key == UIKEY_PGUP ? -1 : 1) * (t->page > 1 ? t->page - 1 : 1));
		return true;
	case UIKEY_LEFT:
		t->at = left_of(t);
		break;
	case UIKEY_RIGHT:
		t->at = right_of(t);
		break;
	case UIKEY_HOME:
	case CTRL_KEY('A'):
		t->at = begin_of(t, t->at);
		break;
	case UIKEY_END:
	case CTRL_KEY('E'):
		t->at = end_of(t, t->at);
		break;
	default:
		return false;
	}
	t->goal = -1;
	return true;
}

bool
textarea_key(struct textarea *t, uint32_t key, bool *changed)
{
	*changed = false;
	if (t->text == NULL)
		return false;
	if (moved(t, key))
		return true;
	t->goal = -1;
	return edited(t, key, changed);
}

/* ---- on screen ---- */
/* So that the cursor is there. */
static void
scroll(struct textarea *t, int w, int h)
{
	size_t cursor = begin_of(t, t->at), line;
	int down = 0, column = column_of(t, t->at);

	if (t->top > t->len || t->top > cursor || begin_of(t, t->top) != t->top)
		t->top = cursor;
	for (line = t->top; line < cursor; line = end_of(t, line) + 1)
		down++;
	for (; down >= h; down--)
		t->top = end_of(t, t->top) + 1;
	if (column < t->shift)
		t->shift = column;
	if (column >= t->shift + w)
		t->shift = column - w + 1;
}

static void
draw_line(const struct textarea *t, struct surface *s, struct rect r, size_t at)
{
	enum ui_role role = t->text[at] == ';' ? UI_DIM : UI_TEXT;
	size_t end = end_of(t, at);
	int column = 0, width;
	char shown[16];

	while (at < end && column < t->shift + r.w) {
		at += character(t, at, column, &width, shown);
		if (column >= t->shift && column + width <= t->shift + r.w)
			surface_put(s, r.x + column - t->shift, r.y, width, role,
			    s->ascii && shown[0] & 0x80 ? "?" : shown);
		column += width;
	}
}

void
textarea_draw(struct textarea *t, struct surface *s, struct rect r)
{
	size_t line;

	if (t->text == NULL || r.w < 1 || r.h < 1)
		return;
	t->page = r.h;
	scroll(t, r.w, r.h);
	line = t->top;
	for (int y = 0; y < r.h; y++) {
		size_t end = end_of(t, line);

		draw_line(t, s, (struct rect){ r.x, r.y + y, r.w, 1 }, line);
		if (t->at >= line && t->at <= end)
			surface_park(s, r.x + column_of(t, t->at) - t->shift, r.y + y, true);
		if (end == t->len)
			break;
		line = end + 1;
	}
}

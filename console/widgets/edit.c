/* edit.c - see edit.h. */
#include "console/widgets/edit.h"

#include <stdlib.h>
#include <string.h>

#include "console/core/key.h"
#include "console/core/sanitize.h"
#include "ipc/base/xalloc.h"

void
edit_set(struct edit *e, size_t max, const char *text)
{
	size_t len = strnlen(text, max - 1);

	free(e->text);
	e->max = max;
	e->text = xmalloc(len + 1);
	memcpy(e->text, text, len);
	e->text[len] = '\0';
	e->len = e->at = len;
}

void
edit_free(struct edit *e)
{
	free(e->text);
	*e = (struct edit){ 0 };
}

const char *
edit_text(const struct edit *e)
{
	return e->text != NULL ? e->text : "";
}

static bool
continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t
left_of(const struct edit *e)
{
	size_t at = e->at;

	while (at > 0 && continues(e->text[--at]))
		;
	return at;
}

static size_t
right_of(const struct edit *e)
{
	size_t at = e->at;

	while (at < e->len && continues(e->text[++at]))
		;
	return at;
}

static size_t
word_left_of(const struct edit *e)
{
	size_t at = e->at;

	while (at > 0 && e->text[at - 1] == ' ')
		at--;
	while (at > 0 && e->text[at - 1] != ' ')
		at--;
	return at;
}

static void
cut(struct edit *e, size_t from, size_t to, bool *changed)
{
	memmove(e->text + from, e->text + to, e->len - to + 1);
	e->len -= to - from;
	e->at = from;
	*changed = *changed || from != to;
}

static bool
insert(struct edit *e, uint32_t cp, bool *changed)
{
	char c[8] = { 0 }, shown[16];
	size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;

	if (cp < ' ' || cp >= UIKEY_BASE || (cp >= 0x7f && cp < 0xa0))
		return false;
	if (e->len + n >= e->max)
		return true;
	c[0] = (char)(n == 1 ? cp : (0xf00u >> n & 0xf0u) | cp >> 6 * (n - 1));
	for (size_t i = 1; i < n; i++)
		c[i] = (char)(0x80 | (cp >> 6 * (n - 1 - i) & 0x3f));
	/* What cannot be shown as it is would be seen as something else than what is sent. */
	if (sanitize(shown, sizeof shown, c, false) != n)
		return true;
	e->text = xreallocarray(e->text, e->len + n + 1, 1);
	memmove(e->text + e->at + n, e->text + e->at, e->len - e->at + 1);
	memcpy(e->text + e->at, c, n);
	e->len += n;
	e->at += n;
	*changed = true;
	return true;
}

static bool
move_to(struct edit *e, size_t at)
{
	e->at = at;
	return true;
}

bool
edit_key(struct edit *e, uint32_t key, bool *changed)
{
	*changed = false;
	if (e->text == NULL)
		edit_set(e, e->max, "");
	switch (key) {
	case UIKEY_BACKSPACE:
		cut(e, left_of(e), e->at, changed);
		return true;
	case UIKEY_DELETE:
	case CTRL_KEY('D'):
		if (e->at < e->len)
			cut(e, e->at, right_of(e), changed);
		return true;
	case CTRL_KEY('U'):
		cut(e, 0, e->at, changed);
		return true;
	case CTRL_KEY('K'):
		cut(e, e->at, e->len, changed);
		return true;
	case CTRL_KEY('W'):
		cut(e, word_left_of(e), e->at, changed);
		return true;
	case UIKEY_LEFT:
		return move_to(e, left_of(e));
	case UIKEY_RIGHT:
		return move_to(e, right_of(e));
	case UIKEY_HOME:
	case CTRL_KEY('A'):
		return move_to(e, 0);
	case UIKEY_END:
	case CTRL_KEY('E'):
		return move_to(e, e->len);
	default:
		return insert(e, key, changed);
	}
}

void
edit_draw(const struct edit *e, struct surface *s, struct rect r, enum ui_role role, bool focused)
{
	const char *from = edit_text(e);
	int cursor = 0, room = r.w - 1; /* the cursor stands behind the last character, too */
	uint32_t cp;

	if (r.w <= 0)
		return;
	if (e->at > 0) {
		char *before = xmalloc(e->at + 1);

		memcpy(before, e->text, e->at);
		before[e->at] = '\0';
		cursor = text_width(before);
		free(before);
	}
	for (unsigned n; focused && cursor > room && (n = utf8_next(from, &cp)) > 0; from += n) {
		char one[8] = { 0 };

		memcpy(one, from, n < sizeof one ? n : sizeof one - 1);
		cursor -= text_width(one);
	}
	surface_fill(s, r, role);
	surface_put(s, r.x, r.y, r.w, role, from);
	if (focused)
		surface_park(s, r.x + cursor, r.y, true);
}

/* prompt.c - see prompt.h. */
#include "console/widgets/prompt.h"

#include <string.h>

#include "console/core/key.h"

void
prompt_set(struct prompt *p, const char *text)
{
	size_t len = strnlen(text, PROMPT_MAX - 1);

	memcpy(p->text, text, len);
	p->text[len] = '\0';
	p->len = p->at = len;
}

void
prompt_open(struct prompt *p, char label, const char *text)
{
	p->on = true;
	p->label = label;
	prompt_set(p, text);
}

static bool
continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t
left_of(const struct prompt *p)
{
	size_t at = p->at;

	while (at > 0 && continues(p->text[--at]))
		;
	return at;
}

static size_t
right_of(const struct prompt *p)
{
	size_t at = p->at;

	while (at < p->len && continues(p->text[++at]))
		;
	return at;
}

static size_t
word_left_of(const struct prompt *p)
{
	size_t at = p->at;

	while (at > 0 && p->text[at - 1] == ' ')
		at--;
	while (at > 0 && p->text[at - 1] != ' ')
		at--;
	return at;
}

static enum prompt_end
cut(struct prompt *p, size_t from, size_t to)
{
	memmove(p->text + from, p->text + to, p->len - to + 1);
	p->len -= to - from;
	p->at = from;
	return PROMPT_CHANGED;
}

static enum prompt_end
insert(struct prompt *p, uint32_t cp)
{
	char c[4];
	size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;

	if (cp < ' ' || cp >= UIKEY_BASE || (cp >= 0x7f && cp < 0xa0) || p->len + n >= PROMPT_MAX)
		return PROMPT_MORE;
	c[0] = (char)(n == 1 ? cp : (0xf00u >> n & 0xf0u) | cp >> 6 * (n - 1));
	for (size_t i = 1; i < n; i++)
		c[i] = (char)(0x80 | (cp >> 6 * (n - 1 - i) & 0x3f));
	memmove(p->text + p->at + n, p->text + p->at, p->len - p->at + 1);
	memcpy(p->text + p->at, c, n);
	p->len += n;
	p->at += n;
	return PROMPT_CHANGED;
}

enum prompt_end
prompt_key(struct prompt *p, uint32_t key)
{
	switch (key) {
	case UIKEY_ENTER:
		return PROMPT_ENTER;
	case UIKEY_ESC:
	case CTRL_KEY('G'):
	case CTRL_KEY('C'):
		return PROMPT_CANCEL;
	case UIKEY_BACKSPACE:
		/* As in less and vi: to rub out the last one closes it. */
		return p->len == 0 ? PROMPT_CANCEL : cut(p, left_of(p), p->at);
	case UIKEY_DELETE:
	case CTRL_KEY('D'):
		return p->at < p->len ? cut(p, p->at, right_of(p)) : PROMPT_MORE;
	case CTRL_KEY('U'):
		return cut(p, 0, p->at);
	case CTRL_KEY('K'):
		return cut(p, p->at, p->len);
	case CTRL_KEY('W'):
		return cut(p, word_left_of(p), p->at);
	case UIKEY_LEFT:
		p->at = left_of(p);
		return PROMPT_MORE;
	case UIKEY_RIGHT:
		p->at = right_of(p);
		return PROMPT_MORE;
	case UIKEY_HOME:
	case CTRL_KEY('A'):
		p->at = 0;
		return PROMPT_MORE;
	case UIKEY_END:
	case CTRL_KEY('E'):
		p->at = p->len;
		return PROMPT_MORE;
	default:
		return insert(p, key);
	}
}

void
prompt_draw(const struct prompt *p, struct surface *s, struct rect r)
{
	char before[PROMPT_MAX];
	int room = r.w - 3, cursor;
	const char *from = p->text;
	uint32_t cp;

	memcpy(before, p->text, p->at);
	before[p->at] = '\0';
	cursor = text_width(before);
	/* What does not fit goes out on the left, so that the cursor stays in view. */
	for (unsigned n; cursor >= room && room > 0 && (n = text_next(from, &cp)) > 0; from += n) {
		char one[8] = { 0 };

		memcpy(one, from, n < sizeof one ? n : sizeof one - 1);
		cursor -= text_width(one);
	}
	surface_putf(s, r.x, r.y, r.w, UI_KEY, " %c", p->label);
	surface_fill(s, (struct rect){ r.x + 2, r.y, room + 1, 1 }, UI_INPUT);
	surface_put(s, r.x + 2, r.y, room + 1, UI_INPUT, from);
	surface_park(s, r.x + 2 + cursor, r.y, true);
}

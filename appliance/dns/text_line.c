/* text_line.c - pieces of a master file become logical records, records become tokens; see text.h.
 *
 * One pass, bounded memory.  Quotes do not span lines: a forgotten quote is told in its own line
 * instead of at the end of the file. */
#include <string.h>

#include "appliance/dns/text.h"

void
text_line_init(struct text_line *l, char buf[ZONETEXT_MAX_LINE])
{
	*l = (struct text_line){ .buf = buf, .line = 1 };
	text_line_reset(l);
}

void
text_line_reset(struct text_line *l)
{
	l->len = 0;
	l->start = l->line;
	l->fresh = true;
	l->blank = false;
	l->mark = false;
}

struct text_cursor
text_line_cursor(const struct text_line *l)
{
	return (struct text_cursor){ .p = l->buf, .end = l->buf + l->len, .line = l->start };
}

static enum text_line_state
bad(struct text_line *l, struct ns_why *why, uint16_t code, const char *text)
{
	if (why != NULL)
		why->line = l->line;
	(void)ns_fail(why, NS_INVALID, code, "%s", text);
	return TEXT_LINE_BAD;
}

static enum text_line_state
put(struct text_line *l, const char *text, size_t n, struct ns_why *why)
{
	if (n > ZONETEXT_MAX_LINE - l->len)
		return bad(l, why, E_TEXT_LONG, "one record is longer than 65536 characters");
	memcpy(l->buf + l->len, text, n);
	l->len += n;
	return TEXT_LINE_MORE;
}

/* Characters that are not simply part of a word or a blank. */
static bool
is_special(char ch)
{
	unsigned char c = (unsigned char)ch;

	return c == '"' || c == ';' || c == '(' || c == ')' || c == '\\' || c == 127 ||
	       (c < ' ' && c != '\t');
}

static enum text_line_state
end_of_line(struct text_line *l, struct ns_why *why)
{
	if (l->quote)
		return bad(l, why, E_TEXT_SYNTAX, "a quoted string does not end on its line");
	if (l->escape)
		return bad(l, why, E_TEXT_SYNTAX, "a backslash stands at the end of the line");
	l->comment = false;
	if (l->mark && l->len < strlen(TEXT_MARK))
		l->len = 0;
	l->line++;
	return l->depth > 0 ? put(l, "\n", 1, why) : TEXT_LINE_READY;
}

static enum text_line_state
parenthesis(struct text_line *l, char c, struct ns_why *why)
{
	if (c == '(' && l->depth++ == 0)
		l->opened = l->line;
	if (c == ')' && l->depth-- == 0) {
		l->depth = 0;
		return bad(l, why, E_TEXT_SYNTAX, "a parenthesis closes that was not opened");
	}
	/* At the start of a record it is no white space: the owner may follow. */
	return l->len > 0 ? put(l, " ", 1, why) : TEXT_LINE_MORE;
}

static enum text_line_state
special(struct text_line *l, char c, struct ns_why *why)
{
	if (c == '\n')
		return end_of_line(l, why);
	if (c == '\r' && !l->quote)
		return put(l, " ", 1, why);
	if ((unsigned char)c < ' ' || c == 127)
		return bad(l, why, E_TEXT_SYNTAX, "a control character: write it as \\DDD");
	if (c == '\\')
		l->escape = true;
	if (c == '"')
		l->quote = !l->quote;
	if (l->quote || c == '"' || c == '\\')
		return put(l, &c, 1, why);
	if (c == ';') {
		l->comment = true;
		l->mark = l->len == 0 && !l->blank && l->depth == 0;
		if (l->mark)
			return put(l, &c, 1, why);
		return TEXT_LINE_MORE;
	}
	return parenthesis(l, c, why);
}

/* More of a comment at the start of a line: forgotten as soon as it is just a comment. */
static enum text_line_state
mark_text(struct text_line *l, const char *text, size_t n, struct ns_why *why)
{
	while (n > 0 && l->len < strlen(TEXT_MARK)) {
		if (*text != TEXT_MARK[l->len]) {
			l->mark = false;
			l->len = 0;
			return TEXT_LINE_MORE;
		}
		l->buf[l->len++] = *text++;
		n--;
	}
	return put(l, text, n, why);
}

static enum text_line_state
take_some(struct text_line *l, const char *text, size_t len, size_t *used, struct ns_why *why)
{
	size_t n = 0;

	if (l->comment) {
		const char *end = memchr(text, '\n', len);

		n = end != NULL ? (size_t)(end - text) : len;
		*used = n;
		if (n > 0)
			return l->mark ? mark_text(l, text, n, why) : TEXT_LINE_MORE;
	}
	if (l->fresh) {
		l->fresh = false;
		l->blank = *text == ' ' || *text == '\t';
	}
	if (l->escape && *text != '\n') {
		l->escape = false;
		*used = 1;
		if ((unsigned char)*text < ' ' || *text == 127)
			return bad(l, why, E_TEXT_SYNTAX, "a control character: write it as \\DDD");
		return put(l, text, 1, why);
	}
	while (n < len && !is_special(text[n]))
		n++;
	*used = n > 0 ? n : 1;
	return n > 0 ? put(l, text, n, why) : special(l, *text, why);
}

enum text_line_state
text_line_feed(struct text_line *l, const char *text, size_t len, size_t *used, struct ns_why *why)
{
	enum text_line_state state = TEXT_LINE_MORE;
	size_t pos = 0;

	while (pos < len && state == TEXT_LINE_MORE) {
		size_t n = 0;

		state = take_some(l, text + pos, len - pos, &n, why);
		pos += n;
	}
	*used = pos;
	return state;
}

enum text_line_state
text_line_end(struct text_line *l, struct ns_why *why)
{
	if (l->depth > 0) {
		if (why != NULL)
			why->line = l->opened;
		(void)ns_fail(why, NS_INVALID, E_TEXT_END,
		    "the text ends inside the parentheses that open in line %u", l->opened);
		return TEXT_LINE_BAD;
	}
	return end_of_line(l, why);
}

/* The end of a quoted string that begins at p, which is its opening quote. */
static const char *
quote_end(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++) {
		if (*p == '\\' && p + 1 < end)
			p++;
	}
	return p;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool
text_next(struct text_cursor *c, struct text_token *tok)
{
	const char *p = c->p, *end = c->end;

	for (; p < end && is_blank(*p); p++)
		c->line += *p == '\n';
	*tok = (struct text_token){ .p = p, .line = c->line };
	c->p = p;
	if (p == end)
		return false;
	if (*p == '"') {
		p = quote_end(p, end);
		tok->p++;
		tok->len = (size_t)(p - tok->p);
		tok->quoted = true;
		c->p = p < end ? p + 1 : end;
		return true;
	}
	for (; p < end && !is_blank(*p); p++) {
		if (*p == '\\' && p + 1 < end)
			p++;
		else if (*p == '"')
			p = quote_end(p, end);
		if (p == end)
			break;
	}
	tok->len = (size_t)(p - tok->p);
	c->p = p;
	return true;
}

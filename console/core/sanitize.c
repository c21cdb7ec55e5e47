/* sanitize.c - see sanitize.h. */
#define _XOPEN_SOURCE 700
#include "console/core/sanitize.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "console/core/surface.h"
#include "ipc/base/xalloc.h"

#define ESCAPED_MAX 12u /* "\u{10ffff}" and its NUL fit */
#define MARKS_MAX   2u /* as many as a cell holds */

/* Characters that change the direction or the place of others, or that nobody sees. */
static const struct {
	uint32_t first, last;
} hidden[] = { { 0x00, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x34f, 0x34f }, { 0x61c, 0x61c },
	{ 0x115f, 0x1160 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f }, { 0x200b, 0x200f },
	{ 0x2028, 0x202f }, { 0x2060, 0x206f }, { 0x3164, 0x3164 }, { 0xe000, 0xf8ff },
	{ 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 }, { 0xfff0, 0xffff },
	{ 0xe0000, 0x10ffff } };

static bool
is_hidden(uint32_t cp)
{
	for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
		if (cp >= hidden[i].first && cp <= hidden[i].last)
			return true;
	return false;
}

/* Puts one character, or its escape, into piece; its length. */
static size_t
piece_of(char piece[ESCAPED_MAX], const char *text, unsigned n, uint32_t cp, bool whole)
{
	if (whole) {
		memcpy(piece, text, n);
		return n;
	}
	if (cp == 0xfffd && n == 1)
		return (size_t)snprintf(piece, ESCAPED_MAX, "\\%03u", (unsigned char)*text);
	return (size_t)snprintf(piece, ESCAPED_MAX, "\\u{%x}", cp);
}

size_t
sanitize(char *out, size_t size, const char *text, bool ascii)
{
	unsigned marks = MARKS_MAX; /* the first character may not be one */
	size_t len = 0;
	uint32_t cp;

	for (unsigned n; (n = utf8_next(text, &cp)) > 0; text += n) {
		char piece[ESCAPED_MAX];
		int width = cp < 0x80 ? 1 : wcwidth((wchar_t)cp);
		bool whole = !is_hidden(cp) && width >= 0 && (cp < 0x80 || !ascii) &&
			     !(cp == 0xfffd && n == 1) && (width > 0 || marks < MARKS_MAX);
		size_t l = piece_of(piece, text, n, cp, whole);

		marks = whole && width == 0 ? marks + 1 : 0;
		if (len + l >= size)
			break;
		memcpy(out + len, piece, l);
		len += l;
	}
	if (size > 0)
		out[len] = '\0';
	return len;
}

char *
sanitize_dup(const char *text, bool ascii)
{
	size_t size = strlen(text) * 5 + 1; /* a byte becomes \DDD; two become \u{9f} */
	char *out = xmalloc(size);
	size_t len = sanitize(out, size, text, ascii);

	return xrealloc(out, len + 1);
}

/* text.c - see text.h.  Pure; any thread. */
#include "ipc/base/text.h"

#include <stdint.h>
#include <string.h>

/* Octets of the clean character at p, of which left octets exist; 0: there is none. */
static size_t
clean_char(const uint8_t *p, size_t left)
{
	static const struct {
		uint8_t mask, lead;
		size_t len;
		uint32_t least; /* below: an overlong form */
	} forms[] = {
		{ 0x80, 0x00, 1, 0x20 },
		{ 0xe0, 0xc0, 2, 0xa0 }, /* U+0080 to U+009F are C1 controls */
		{ 0xf0, 0xe0, 3, 0x800 },
		{ 0xf8, 0xf0, 4, 0x10000 },
	};

	for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
		uint32_t c;

		if ((p[0] & forms[f].mask) != forms[f].lead)
			continue;
		if (forms[f].len > left)
			return 0;
		c = p[0] & (uint8_t)~forms[f].mask;
		for (size_t i = 1; i < forms[f].len; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (p[i] & 0x3f);
		}
		if (c < forms[f].least || c == 0x7f || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
			return 0;
		return forms[f].len;
	}
	return 0;
}

bool
text_is_clean(const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		n = clean_char(p + i, len - i);
		if (n == 0)
			return false;
	}
	return true;
}

void
text_scrub(char *text)
{
	size_t len = strlen(text), n;

	for (size_t i = 0; i < len; i += n) {
		n = clean_char((const uint8_t *)text + i, len - i);
		if (n == 0) {
			text[i] = '?';
			n = 1;
		}
	}
}

void
text_copy(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len >= size) {
		len = size - 1;
		while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(out, text, len);
	out[len] = '\0';
}

bool
text_take(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len >= size)
		return false;
	memcpy(out, text, len + 1);
	return true;
}

/* The classic two-pointer match: no recursion, at most text × pattern steps. */
bool
text_glob(const char *p, const char *s)
{
	const char *star = NULL, *back = NULL;

	while (*s != '\0') {
		if (*p == '*') {
			star = p++;
			back = s;
		} else if (*p == *s || *p == '?') {
			p++;
			s++;
		} else if (star != NULL) {
			p = star + 1;
			s = ++back;
		} else {
			return false;
		}
	}
	while (*p == '*')
		p++;
	return *p == '\0';
}

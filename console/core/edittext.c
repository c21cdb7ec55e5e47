/* edittext.c - see edittext.h. */
#include "console/core/edittext.h"

#include <stdio.h>
#include <string.h>

#include "ipc/base/xalloc.h"

#define MARK "; ERROR: "

char *
edittext_head(const char *zone, uint32_t serial, size_t ops)
{
	char draft[64] = "";

	if (ops > 0)
		snprintf(draft, sizeof draft, ", with your draft of %zu operation%s", ops,
		    ops == 1 ? "" : "s");
	return xasprintf("; %s at serial %u%s.\n"
			 "; Save and leave: what differs from what is served becomes the draft.\n"
			 "; Leave it as it is, or empty: nothing happens.\n"
			 "; A policy is a line ;ns-policy NAME TYPE {JSON}; its checks stand in "
			 "Health.\n",
	    zone, serial, draft);
}

/* Octets of the line at p, with its end. */
static size_t
line_len(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *nl = memchr(p, '\n', (size_t)(end - p));

	return nl != NULL ? (size_t)(nl - p) + 1 : (size_t)(end - p);
}

void
edittext_strip(struct wbuf *text)
{
	struct wbuf out = wbuf_grow(2 * EDITTEXT_MAX);
	const uint8_t *p = text->base, *end = p + text->len;

	for (size_t n; text->len > 0 && p < end; p += n) {
		n = line_len(p, end);
		if (n < sizeof MARK || memcmp(p, MARK, sizeof MARK - 1) != 0)
			wbuf_put(&out, p, n);
	}
	wbuf_free(text);
	*text = out;
}

bool
edittext_mark(const struct wbuf *text, uint32_t line, const char *why, struct wbuf *out)
{
	const uint8_t *p = text->base;
	size_t left = text->len;

	*out = wbuf_grow(4 * EDITTEXT_MAX);
	for (uint32_t at = 1; left > 0 || at <= line; at++) {
		size_t n = left > 0 ? line_len(p, p + left) : 0;

		if (at == line || (left == 0 && at < line)) {
			if (out->len > 0 && out->base[out->len - 1] != '\n')
				wbuf_put(out, "\n", 1);
			wbuf_put(out, MARK, sizeof MARK - 1);
			for (const char *c = why; *c != '\0'; c++)
				wbuf_put(out, *c == '\n' ? " " : c, 1);
			wbuf_put(out, "\n", 1);
			line = 0;
		}
		if (n > 0)
			wbuf_put(out, p, n);
		p += n;
		left -= n;
	}
	return wbuf_ok(out);
}

bool
edittext_same(const struct wbuf *a, const struct wbuf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->base, b->base, a->len) == 0);
}

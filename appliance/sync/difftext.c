/* difftext - see difftext.h. */
#include "appliance/sync/difftext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/zonetext.h"
#include "appliance/dns/zwire.h"
#include "ipc/base/xalloc.h"

static void
put_line(struct diff_lines *l, char *text, size_t len)
{
	if (l->count == DIFF_TEXT_LINES || *l->octets + len > DIFF_TEXT_OCTETS) {
		l->cut = true;
		return;
	}
	if (len > 0 && text[len - 1] == '\n')
		len--;
	l->line[l->count] = xmalloc(len + 1);
	memcpy(l->line[l->count], text, len);
	l->line[l->count++][len] = '\0';
	*l->octets += len + 4;
	for (size_t i = 0; i < len; i++) /* rdata text uses tabs; a message string may not */
		if (l->line[l->count - 1][i] == '\t')
			l->line[l->count - 1][i] = ' ';
}

/* One record as a set of one, so that the shared printer can be used. */
static void
put_record(struct diff_lines *l, const struct rrset *set, const uint8_t *rdata, size_t len)
{
	struct wbuf one = wbuf_grow(1u << 17), text = wbuf_grow(1u << 20);
	struct rrset s = *set;

	if (l->cut)
		return;
	wbuf_u16(&one, (uint16_t)len);
	wbuf_put(&one, rdata, len);
	s.count = 1;
	s.rdata = one.base;
	s.rdata_len = one.len;
	rrset_to_text(&s, &text);
	if (wbuf_ok(&text) && text.len > 0)
		put_line(l, (char *)text.base, text.len);
	wbuf_free(&one);
	wbuf_free(&text);
}

static bool
has_record(const struct rrset *set, const uint8_t *rdata, size_t len)
{
	struct rbuf r = rbuf_init(set->rdata, set->rdata_len);
	const uint8_t *p;
	size_t n;

	while (rbuf_left(&r) > 0 && (p = rrset_next_rdata(&r, &n)) != NULL)
		if (n == len && memcmp(p, rdata, n) == 0)
			return true;
	return false;
}

/* Records of a that are not in b (NULL: no such set). */
static void
put_only(struct diff_lines *l, const struct rrset *a, const struct rrset *b)
{
	struct rbuf r = rbuf_init(a->rdata, a->rdata_len);
	const uint8_t *p;
	size_t n;

	while (!l->cut && rbuf_left(&r) > 0 && (p = rrset_next_rdata(&r, &n)) != NULL)
		if (b == NULL || a->ttl != b->ttl || !has_record(b, p, n))
			put_record(l, a, p, n);
}

void
diff_lines_make(struct bytes before, struct bytes after, size_t *octets, struct diff_lines *removed,
    struct diff_lines *added)
{
	struct zwire_iter ir = zwire_iter(before.data, before.len);
	struct zwire_iter ia = zwire_iter(after.data, after.len);
	struct rrset r, a;
	bool hr = zwire_next(&ir, &r), ha = zwire_next(&ia, &a);

	*removed =
	    (struct diff_lines){ xcalloc(DIFF_TEXT_LINES, sizeof(char *)), 0, octets, false };
	*added = (struct diff_lines){ xcalloc(DIFF_TEXT_LINES, sizeof(char *)), 0, octets, false };
	while ((hr || ha) && !(removed->cut && added->cut)) {
		int c = !hr ? 1 : !ha ? -1 : rrset_cmp(&r, &a);

		if (c <= 0)
			put_only(removed, &r, c == 0 ? &a : NULL);
		if (c >= 0)
			put_only(added, &a, c == 0 ? &r : NULL);
		if (c <= 0)
			hr = zwire_next(&ir, &r);
		if (c >= 0)
			ha = zwire_next(&ia, &a);
	}
}

char *
rdata_line(uint16_t type, const uint8_t *rdata, size_t len)
{
	static const size_t room = 5 * 65536; /* every octet as \DDD, and quotes */
	char *text = xmalloc(room);

	if (!rdata_to_text(type, rdata, len, text, room))
		snprintf(text, room, "\\# %zu (too long to be shown)", len);
	for (char *p = text; *p != '\0'; p++)
		if (*p == '\t')
			*p = ' ';
	return xrealloc(text, strlen(text) + 1);
}

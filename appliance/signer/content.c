/* content.c - see content.h. */
#include "appliance/signer/content.h"

#include <stdlib.h>

#include "appliance/signer/zonesign.h"
#include "ipc/base/xalloc.h"

#define CODE_CONTENT 5033

bool
content_of_image(const struct image_ref *ref, struct wbuf *out)
{
	struct image_walk walk;
	struct image_node node;
	struct wbuf all = wbuf_grow(SIZE_MAX / 2);
	bool ok = true;

	image_walk_begin(&walk, ref);
	while (ok && image_walk_next(&walk, &node)) {
		struct zwire_iter it;
		struct rrset set;

		all.len = 0;
		ok = image_node_zwire(ref, &node, false, &all);
		it = zwire_iter(all.base, all.len);
		while (ok && zwire_next(&it, &set)) {
			if (!zonesign_makes(set.type, node.keylen == 0))
				wbuf_put(out, set.raw, set.raw_len);
		}
		ok = ok && rbuf_ok(&it.r);
	}
	wbuf_free(&all);
	return ok && !walk.broken;
}

/* ---- an edit ---- */

struct run { /* the sets of one owner; none: it is gone */
	const uint8_t *owner, *raw;
	size_t len;
};
struct runs {
	struct run *run;
	size_t n, cap;
};

static struct run *
add_run(struct runs *r)
{
	if (r->n == r->cap) {
		r->cap = r->cap > 0 ? r->cap * 2 : 16;
		r->run = xreallocarray(r->run, r->cap, sizeof *r->run);
	}
	r->run[r->n] = (struct run){ 0 };
	return &r->run[r->n++];
}

static bool
read_touched(struct runs *r, const void *zwire, size_t len)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	struct run *run = NULL;
	struct rrset set;

	while (zwire_next(&it, &set)) {
		if (run == NULL || !name_equal(run->owner, set.owner)) {
			run = add_run(r);
			run->owner = set.owner;
			run->raw = set.raw;
		}
		run->len += set.raw_len;
	}
	return rbuf_ok(&it.r);
}

static bool
read_gone(struct runs *r, const uint8_t *gone, size_t len)
{
	size_t at = 0, n;

	for (; at < len; at += n) {
		n = name_check(gone + at, len - at);
		if (n == 0)
			return false;
		add_run(r)->owner = gone + at;
	}
	return true;
}

static int
by_owner(const void *pa, const void *pb)
{
	return name_cmp(((const struct run *)pa)->owner, ((const struct run *)pb)->owner);
}

/* Both are in canonical order; where both have an owner, the edit's counts. */
static bool
merge(const void *content, size_t len, const struct runs *edit, struct wbuf *out)
{
	struct zwire_iter it = zwire_iter(content, len);
	struct rrset set;
	size_t i = 0;
	const uint8_t *last = NULL;
	int d = 1;

	while (zwire_next(&it, &set)) {
		if (last == NULL || !name_equal(last, set.owner)) {
			while (i < edit->n && (d = name_cmp(edit->run[i].owner, set.owner)) < 0) {
				wbuf_put(out, edit->run[i].raw, edit->run[i].len);
				i++;
			}
			if (i == edit->n)
				d = 1;
			if (d == 0) {
				wbuf_put(out, edit->run[i].raw, edit->run[i].len);
				i++;
			}
			last = set.owner;
		}
		if (d != 0)
			wbuf_put(out, set.raw, set.raw_len);
	}
	for (; i < edit->n; i++)
		wbuf_put(out, edit->run[i].raw, edit->run[i].len);
	return rbuf_ok(&it.r);
}

enum ns_err
content_change(const void *content, size_t len, const void *zwire, size_t zwire_len,
    const void *gone, size_t gone_len, struct wbuf *out, struct ns_why *why)
{
	struct runs edit = { 0 };
	bool ok = read_touched(&edit, zwire, zwire_len) && read_gone(&edit, gone, gone_len);

	if (ok && edit.n > 1)
		qsort(edit.run, edit.n, sizeof *edit.run, by_owner);
	ok = ok && merge(content, len, &edit, out);
	free(edit.run);
	return ok ? NS_OK
		  : ns_fail(why, NS_CORRUPT, CODE_CONTENT, "the change breaks its own form");
}

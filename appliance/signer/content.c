/* content.c - see content.h. */
#include "appliance/signer/content.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/signer/zonesign.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define CODE_CONTENT 5033
#define LOOK_OWNERS  64u /* owners between two looks at the clock */

struct run { /* the sets of one owner; none: it is gone */
	const uint8_t *owner, *raw;
	size_t len;
};
struct runs {
	struct run *run;
	size_t n, cap;
};
struct content_reader {
	const struct image_ref *ref;
	struct image_walk walk;
	struct wbuf owner; /* the one at hand */
	uint8_t last[NAME_MAX_KEY]; /* the last one's key */
	size_t lastlen;
	bool begun;
	struct runs edit; /* in canonical order */
	size_t next; /* of them */
	bool image_ok, edit_ok;
};

/* ---- an edit ---- */

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

/* What the edit has up to that name; true: it has the name itself, which counts. */
static bool
put_edit_upto(struct content_reader *r, const uint8_t *name, struct wbuf *out)
{
	int d = 1;

	while (r->next < r->edit.n &&
	       (d = name == NULL ? -1 : name_cmp(r->edit.run[r->next].owner, name)) <= 0) {
		wbuf_put(out, r->edit.run[r->next].raw, r->edit.run[r->next].len);
		r->next++;
		if (d == 0)
			return true;
	}
	return false;
}

/* ---- the image ---- */

struct content_reader *
content_begin(const struct image_ref *ref, const struct content_edit *edit)
{
	struct content_reader *r = xcalloc(1, sizeof *r);

	r->ref = ref;
	r->owner = wbuf_grow(SIZE_MAX / 2);
	r->image_ok = r->edit_ok = true;
	image_walk_begin(&r->walk, ref);
	if (edit != NULL)
		r->edit_ok = read_touched(&r->edit, edit->zwire, edit->len) &&
			     read_gone(&r->edit, edit->gone, edit->gone_len);
	if (r->edit.n > 1)
		qsort(r->edit.run, r->edit.n, sizeof *r->edit.run, by_owner);
	return r;
}

static bool
put_owner(struct content_reader *r, const struct image_node *node, struct wbuf *out)
{
	uint8_t name[NAME_MAX_WIRE];
	struct zwire_iter it;
	struct rrset set;

	r->begun = true;
	r->lastlen = node->keylen;
	memcpy(r->last, node->key, node->keylen);
	if (r->edit.n > 0) {
		if (image_key_name(node->key, node->keylen, r->ref->apex,
			r->ref->image->head.apex_len, name) == 0)
			return false;
		if (put_edit_upto(r, name, out))
			return true;
	}
	r->owner.len = 0;
	if (!image_node_zwire(r->ref, node, false, &r->owner))
		return false;
	it = zwire_iter(r->owner.base, r->owner.len);
	while (zwire_next(&it, &set)) {
		if (!zonesign_makes(set.type, node->keylen == 0))
			wbuf_put(out, set.raw, set.raw_len);
	}
	return rbuf_ok(&it.r);
}

bool
content_step(struct content_reader *r, struct wbuf *out, uint64_t deadline_ns)
{
	struct image_node node;
	unsigned n = 0;

	while (r->image_ok && r->edit_ok) {
		if (!image_walk_next(&r->walk, &node)) {
			(void)put_edit_upto(r, NULL, out);
			r->image_ok = !r->walk.broken;
			return false;
		}
		r->image_ok = put_owner(r, &node, out);
		if (++n % LOOK_OWNERS == 0 && clock_is_past(deadline_ns))
			return true;
	}
	return false;
}

void
content_moved(struct content_reader *r)
{
	if (!r->begun)
		image_walk_begin(&r->walk, r->ref);
	else
		image_walk_behind(&r->walk, r->ref, r->last, r->lastlen);
}

void
content_destroy(struct content_reader **rp)
{
	struct content_reader *r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	wbuf_free(&r->owner);
	free(r->edit.run);
	free(r);
}

enum ns_err
content_end(struct content_reader **rp, struct ns_why *why)
{
	struct content_reader *r = *rp;
	enum ns_err err = NS_OK;

	if (!r->edit_ok)
		err = ns_fail(why, NS_CORRUPT, CODE_CONTENT, "the change breaks its own form");
	else if (!r->image_ok)
		err = ns_fail(why, NS_CORRUPT, CODE_CONTENT, "the old image is broken");
	content_destroy(rp);
	return err;
}

bool
content_of_image(const struct image_ref *ref, struct wbuf *out)
{
	struct content_reader *r = content_begin(ref, NULL);

	while (content_step(r, out, UINT64_MAX))
		continue;
	return content_end(&r, NULL) == NS_OK;
}

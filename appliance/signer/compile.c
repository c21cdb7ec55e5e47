/* compile.c - see compile.h.  The signer's only thread. */
#include "appliance/signer/compile.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/signer/current.h"
#include "appliance/signer/emissions.h"
#include "appliance/signer/making.h"
#include "appliance/signer/resign.h"
#include "appliance/signer/sidecheck.h"
#include "appliance/signer/sources.h"
#include "ipc/base/xalloc.h"

#define CODE_COMPILE 5035
#define WORKING_SETS 1024u /* 30 ms of signatures */

struct compile_whole {
	struct compiler *c;
	struct compile_zone zone;
	uint8_t apex[NAME_MAX_WIRE];
	struct image_builder *builder; /* without keys */
	struct wbuf content; /* with them */
};

struct compiler *
compiler_new(struct writer *w, struct sigfile *file)
{
	struct compiler *c = xcalloc(1, sizeof *c);

	c->w = w;
	c->file = file;
	c->pols = polbook_new();
	c->signer = rrsigner_new();
	c->beside = sidecheck_new();
	return c;
}

void
compiler_destroy(struct compiler **cp)
{
	struct compiler *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	rrsigner_destroy(&c->signer);
	sidecheck_destroy(&c->beside);
	polbook_destroy(&c->pols);
	free(c);
}

void
compiler_on_work(struct compiler *c, compile_working_fn *fn, void *arg)
{
	c->working = fn;
	c->working_arg = arg;
}

void
compiler_worked(struct compiler *c)
{
	if (++c->sets < WORKING_SETS)
		return;
	c->sets = 0;
	if (c->working != NULL)
		c->working(c->working_arg);
}

void
compiler_next_change(struct compiler *c)
{
	c->fresh = c->seen = 0;
}

void
compiler_each_wrong(struct compiler *c, compile_wrong_fn *wrong, void *arg)
{
	sidecheck_wait(c->beside, wrong, arg);
}

const struct compile_stats *
compiler_stats(const struct compiler *c)
{
	return &c->stats;
}

struct map_view
compiler_view(const struct compiler *c)
{
	struct map *map = writer_map(c->w);

	return (struct map_view){
		.map = map, .base = map->base, .size = atomic_load(&map->header->size)
	};
}

static void
tell_check(void *arg, uint64_t check)
{
	const struct compile_zone *z = arg;

	z->check(z->arg, z->apex, check);
}

void
compiler_tell_checks(const struct compile_zone *z, const struct rrset *set)
{
	if (z->check != NULL && set->type == RR_NSPOLICY)
		emissions_each_check(set, tell_check, (void *)(uintptr_t)z);
}

/* ---- a zone made, at once or later ---- */

static bool
is_tree(const struct compiler *c, map_off off)
{
	struct map_view view = compiler_view(c);
	struct image_ref ref;

	return off != 0 && image_open(&view, off, &ref) && ref.flat.p == NULL;
}

static bool
is_signed_here(const struct compiler *c, map_off off)
{
	struct map_view view = compiler_view(c);
	struct image_ref ref;

	return off != 0 && image_open(&view, off, &ref) && (ref.image->flags & IMAGE_HERE) != 0;
}

/* Takes the making. */
static enum ns_err
make(const struct compile_zone *z, bool large, struct making *m, map_off *off, struct ns_why *why)
{
	*off = 0;
	if ((large || z->aside) && z->later != NULL) {
		*z->later = m;
		return NS_OK;
	}
	while (making_step(m, UINT64_MAX))
		continue;
	return making_end(&m, off, why);
}

static enum ns_err
make_of_image(struct compiler *c, const struct compile_zone *z, const struct content_edit *edit,
    map_off *off, struct ns_why *why)
{
	enum ns_err err = make(z, is_tree(c, z->old), making_of_image(c, z, edit), off, why);

	if (err == NS_OK && *off != 0)
		image_retire(c->w, z->old);
	return err;
}

/* ---- a whole zone ---- */

struct compile_whole *
compile_begin(struct compiler *c, const struct compile_zone *z)
{
	struct compile_whole *b = xcalloc(1, sizeof *b);
	const struct image_meta meta = { .version = z->version, .account = z->account };

	b->c = c;
	b->zone = *z;
	memcpy(b->apex, z->apex, name_len(z->apex));
	b->zone.apex = b->apex;
	if (z->keys != NULL) {
		b->zone.keys = zone_keys_ref(z->keys);
		b->content = wbuf_grow(SIZE_MAX / 2);
	} else {
		b->builder = image_builder_new(c->w, z->apex, &meta);
	}
	return b;
}

void
compile_cancel(struct compile_whole **bp)
{
	struct compile_whole *b = *bp;

	*bp = NULL;
	if (b == NULL)
		return;
	image_builder_destroy(&b->builder);
	zone_keys_unref(&b->zone.keys);
	wbuf_free(&b->content);
	free(b);
}

enum ns_err
compile_add(struct compile_whole *b, const void *zwire, size_t len, struct ns_why *why)
{
	if (b->builder != NULL)
		return image_builder_add(b->builder, zwire, len, why);
	wbuf_put(&b->content, zwire, len);
	return NS_OK;
}

enum ns_err
compile_end(struct compile_whole **bp, map_off *off, struct ns_why *why)
{
	struct compile_whole *b = *bp;
	bool large = b->content.len > IMAGE_FLAT;
	enum ns_err err;

	if (b->builder != NULL)
		err = image_builder_end(&b->builder, off, why);
	else
		err =
		    make(&b->zone, large, making_of_content(b->c, &b->zone, &b->content), off, why);
	compile_cancel(bp);
	return err;
}

/* ---- a part of a large zone ---- */

static enum ns_err
check_part(
    struct compiler *c, const struct compile_zone *z, const struct wbuf *out, struct ns_why *why)
{
	struct signcheck check = { .apex = z->apex,
		.keys = z->keys,
		.now = z->now,
		.signer = c->signer,
		.aliases = z->book != NULL,
		.fresh = c->fresh,
		.seen = c->seen };
	enum ns_err err = signcheck_part(&check, out->base, out->len, why);

	c->fresh = check.fresh;
	c->seen = check.seen;
	c->stats.verified += check.verified;
	if (err == NS_OK)
		return NS_OK;
	c->stats.refused++;
	if (why != NULL)
		why->err = NS_FAILED;
	return NS_FAILED;
}

/* Into the image; when the links do not hold, the batch is given up, and the zone comes whole. */
static enum ns_err
put_part(struct compiler *c, const struct compile_zone *z, const struct wbuf *out,
    const struct wbuf *gone, uint32_t expires, map_off *off, struct ns_why *why)
{
	const struct image_meta meta = {
		.version = z->version, .account = z->account, .here = true, .expires = expires
	};
	enum ns_err err =
	    image_edit(c->w, z->old, &meta, out->base, out->len, gone->base, gone->len, off, why);
	struct map_view view = compiler_view(c);
	struct image_ref ref;

	if (err == NS_OK && !(image_open(&view, *off, &ref) &&
				resign_check(&ref, out->base, out->len, gone->base, gone->len)))
		err = ns_fail(why, NS_CORRUPT, CODE_COMPILE, "the chain does not hold");
	if (err == NS_OK)
		polbook_edited(
		    c->pols, z->apex, z->old, *off, out->base, out->len, gone->base, gone->len);
	return err;
}

static void
tell_checks(const struct compile_zone *z, const void *content, size_t len)
{
	struct zwire_iter it = zwire_iter(content, len);
	struct rrset set;

	while (zwire_next(&it, &set))
		compiler_tell_checks(z, &set);
}

/* What is due may wait: what is served is signed in part for the time being, and whoever asks makes all of it anew. */
enum part_when { PART_NOTHING_DUE, PART_ANY };

/* False: that is the whole zone's business. */
static bool
change_part(struct compiler *c, const struct compile_zone *z, const struct content_edit *part,
    enum part_when when, map_off *off, enum ns_err *err, struct ns_why *why)
{
	struct wbuf out = wbuf_grow(SIZE_MAX / 2), gone = wbuf_grow(SIZE_MAX / 2);
	const struct pol_owners *pols = NULL;
	struct zonesign_done done;
	struct zonesign how;
	struct sources from;
	bool here;

	sources_open(&from, c, z);
	how = sources_how(&from, z);
	here = !from.cold && current_may_resign(&from.image, z->keys) &&
	       (when == PART_ANY || !current_is_due(&from.image, z->now)) &&
	       (pols = polbook_owners(c->pols, &from.view, z->old)) != NULL;
	if (here) {
		tell_checks(z, part->zwire, part->len);
		here = resign_edit(&how, &from.image, pols, part, &out, &gone, &done) == RESIGNED;
	}
	if (here) {
		*err = check_part(c, z, &out, why);
		if (*err == NS_OK)
			*err = put_part(c, z, &out, &gone, done.expires, off, why);
	}
	if (here && *err == NS_OK) {
		c->stats.made += done.made;
		c->stats.kept += done.kept;
		sources_keep(&from);
	}
	sources_close(&from);
	wbuf_free(&out);
	wbuf_free(&gone);
	return here;
}

enum ns_err
compile_change(struct compiler *c, const struct compile_zone *z, const void *zwire, size_t len,
    const void *gone, size_t gone_len, map_off *off, struct ns_why *why)
{
	const struct image_meta meta = { .version = z->version, .account = z->account };
	const struct content_edit edit = { zwire, gone, len, gone_len };
	enum ns_err err;

	if (z->keys == NULL && !is_signed_here(c, z->old))
		return image_edit(c->w, z->old, &meta, zwire, len, gone, gone_len, off, why);
	if (z->keys != NULL && change_part(c, z, &edit, PART_NOTHING_DUE, off, &err, why))
		return err;
	return make_of_image(c, z, &edit, off, why);
}

/* ---- the same zone with other keys, or later ---- */

static bool
is_current(struct compiler *c, const struct compile_zone *z)
{
	struct map_view view = compiler_view(c);
	struct signed_image old;
	bool same = signed_open(&old, &view, z->old) && current_is(&old, z->keys, z->now);

	signed_close(&old);
	return same;
}

/* Of a large zone the owners with policies alone; *off stays 0 where there are none any more. */
static bool
policies_again(struct compiler *c, const struct compile_zone *z, enum part_when when, map_off *off,
    enum ns_err *err, struct ns_why *why)
{
	struct map_view view = compiler_view(c);
	struct wbuf content = wbuf_grow(SIZE_MAX / 2);
	const struct pol_owners *pols = NULL;
	struct image_ref ref;
	bool done = image_open(&view, z->old, &ref) && ref.flat.p == NULL &&
		    (ref.image->flags & IMAGE_HERE) != 0 &&
		    (pols = polbook_owners(c->pols, &view, z->old)) != NULL &&
		    resign_policies(&ref, pols, &content);

	*err = NS_OK;
	if (done && pols->n > 0) {
		const struct content_edit part = { content.base, NULL, content.len, 0 };

		done = change_part(c, z, &part, when, off, err, why);
	}
	wbuf_free(&content);
	return done;
}

enum ns_err
compile_again(
    struct compiler *c, const struct compile_zone *z, bool health, map_off *off, struct ns_why *why)
{
	enum ns_err err;

	*off = 0;
	if (!health && !z->anew && is_current(c, z))
		return NS_OK;
	if (health && z->keys != NULL && policies_again(c, z, PART_NOTHING_DUE, off, &err, why))
		return err;
	return make_of_image(c, z, NULL, off, why);
}

enum ns_err
compile_meanwhile(
    struct compiler *c, const struct compile_zone *z, map_off *off, struct ns_why *why)
{
	struct compile_zone at_once = *z;
	enum ns_err err;

	at_once.later = NULL;
	*off = 0;
	if (z->keys == NULL || !is_signed_here(c, z->old))
		return NS_OK;
	if (!is_tree(c, z->old))
		return make_of_image(c, &at_once, NULL, off, why);
	return policies_again(c, &at_once, PART_ANY, off, &err, why) ? err : NS_OK;
}

/* compile.c - see compile.h.  The signer's only thread. */
#include "appliance/signer/compile.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/signer/aliassets.h"
#include "appliance/signer/content.h"
#include "appliance/signer/emissions.h"
#include "appliance/signer/resign.h"
#include "appliance/signer/sigfile.h"
#include "appliance/signer/signcheck.h"
#include "appliance/signer/signed.h"
#include "appliance/zonemap/writer.h"
#include "ipc/base/xalloc.h"

#define CODE_COMPILE 5035

struct compiler {
	struct writer *w;
	struct rrsigner *signer;
	struct sigfile *file; /* NULL: none */
	uint64_t fresh, seen; /* signatures of this change: signcheck.h */
	struct compile_stats stats;
	compile_working_fn *working; /* NULL: nobody waits */
	void *working_arg;
	unsigned sets; /* since it was called */
};

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
	c->signer = rrsigner_new();
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
	free(c);
}

void
compiler_on_work(struct compiler *c, compile_working_fn *fn, void *arg)
{
	c->working = fn;
	c->working_arg = arg;
}

static void
work(struct compiler *c)
{
	c->sets = 0;
	if (c->working != NULL)
		c->working(c->working_arg);
}

void
compiler_next_change(struct compiler *c)
{
	c->fresh = c->seen = 0;
}

const struct compile_stats *
compiler_stats(const struct compiler *c)
{
	return &c->stats;
}

static struct map_view
staged_view(const struct compiler *c)
{
	struct map *map = writer_map(c->w);

	return (struct map_view){
		.map = map, .base = map->base, .size = atomic_load(&map->header->size)
	};
}

static bool
is_signed_here(const struct compiler *c, map_off off)
{
	struct map_view view = staged_view(c);
	struct image_ref ref;

	return off != 0 && image_open(&view, off, &ref) && (ref.image->flags & IMAGE_HERE) != 0;
}

/* ---- signing ---- */

static enum ns_err
refuse(struct compiler *c, struct ns_why *why)
{
	c->stats.refused++;
	if (why != NULL)
		why->err = NS_FAILED;
	return NS_FAILED;
}

/* Where signatures come from that are there: the image that is served; at the start, the file. */
struct sources {
	struct compiler *compiler;
	struct signed_image image;
	struct sigfile *file;
	struct rrsigner *signer;
	const struct compile_zone *zone;
	bool cold;
};

static size_t
have(void *arg, const struct rrset *set, const struct zone_key *key, uint8_t out[RRSIG_MAX])
{
	struct sources *from = arg;
	uint8_t print[RRSIG_PRINT];

	if (++from->compiler->sets == WORKING_SETS)
		work(from->compiler);
	if (!from->cold)
		return signed_find(&from->image, set, key, out);
	if (from->file == NULL)
		return 0;
	rrsigner_print(from->signer, set, print);
	return sigfile_find(from->file, set, print, key, out);
}

static void
made(void *arg, const struct rrset *set, const uint8_t *rdata, size_t len)
{
	struct sources *from = arg;
	uint8_t print[RRSIG_PRINT];

	if (from->file == NULL)
		return;
	rrsigner_print(from->signer, set, print);
	sigfile_note(from->file, print, rdata, len);
}

static void
had_emissions(void *arg, const uint8_t *owner, uint16_t covers, struct rrset *out)
{
	struct sources *from = arg;

	if (!from->cold)
		signed_emissions(&from->image, owner, covers, out);
}

static struct alias_sets *
aliases(void *arg, const uint8_t *target)
{
	struct sources *from = arg;
	const struct compile_zone *z = from->zone;
	struct map_view staged;
	const struct alias_view view = { .map = &staged,
		.board = z->board,
		.account = z->account,
		.apex = z->apex,
		.book = z->book,
		.check = z->check,
		.arg = z->arg };

	writer_staged(from->compiler->w, &staged);
	return alias_sets_of(&view, target);
}

static void
tell_check(void *arg, uint64_t check)
{
	const struct compile_zone *z = arg;

	z->check(z->arg, z->apex, check);
}

static void
tell_checks(const struct compile_zone *z, const struct wbuf *content)
{
	struct zwire_iter it = zwire_iter(content->base, content->len);
	struct rrset set;

	while (z->check != NULL && zwire_next(&it, &set)) {
		if (set.type == RR_NSPOLICY)
			emissions_each_check(&set, tell_check, (void *)(uintptr_t)z);
	}
}

static struct zonesign
how_of(const struct compile_zone *z, struct sources *from)
{
	from->zone = z;
	return (struct zonesign){ .apex = z->apex,
		.keys = z->keys,
		.now = z->now,
		.signer = from->signer,
		.have = have,
		.made = made,
		.had_emissions = had_emissions,
		.aliases = z->book != NULL ? aliases : NULL,
		.board = z->board,
		.arg = from };
}

/* The content signed and found to be fit; its signatures are the old image's where they may stay. */
static enum ns_err
sign(struct compiler *c, const struct compile_zone *z, const struct wbuf *content, struct wbuf *out,
    uint32_t *expires, struct ns_why *why)
{
	struct map_view view = staged_view(c);
	struct sources from = { .compiler = c, .file = c->file, .signer = c->signer };
	const struct zonesign how = how_of(z, &from);
	struct signcheck check = { .apex = z->apex,
		.keys = z->keys,
		.now = z->now,
		.signer = c->signer,
		.fresh = c->fresh,
		.seen = c->seen };
	struct zonesign_done done;
	enum ns_err err;

	from.cold = !signed_open(&from.image, &view, z->old) ||
		    (from.image.ref.image->flags & IMAGE_HERE) == 0;
	if (c->file != NULL)
		sigfile_zone(c->file, z->apex);
	tell_checks(z, content);
	err = zonesign_all(&how, content->base, content->len, out, &done, why);
	signed_close(&from.image);
	work(c);
	if (err == NS_OK)
		err = signcheck_zone(&check, out->base, out->len, why);
	work(c);
	if (err != NS_OK)
		return refuse(c, why);
	c->fresh = check.fresh;
	c->seen = check.seen;
	c->stats.made += done.made;
	c->stats.kept += done.kept;
	c->stats.verified += check.verified;
	*expires = done.expires;
	return NS_OK;
}

static enum ns_err
build(struct compiler *c, const struct compile_zone *z, const struct wbuf *zwire, uint32_t expires,
    map_off *off, struct ns_why *why)
{
	const struct image_meta meta = { .version = z->version,
		.account = z->account,
		.here = z->keys != NULL,
		.expires = expires };
	struct image_builder *b = image_builder_new(c->w, z->apex, &meta);
	enum ns_err err = image_builder_add(b, zwire->base, zwire->len, why);

	if (err == NS_OK)
		err = image_builder_end(&b, off, why);
	image_builder_destroy(&b);
	return err;
}

/* Content into an image, signed where there are keys. */
static enum ns_err
make(struct compiler *c, const struct compile_zone *z, const struct wbuf *content, map_off *off,
    struct ns_why *why)
{
	struct wbuf out = wbuf_grow(SIZE_MAX / 2);
	uint32_t expires = 0;
	enum ns_err err;

	if (z->keys == NULL)
		return build(c, z, content, 0, off, why);
	err = sign(c, z, content, &out, &expires, why);
	if (err == NS_OK)
		err = build(c, z, &out, expires, off, why);
	if (err == NS_OK && c->file != NULL)
		sigfile_keep(c->file);
	wbuf_free(&out);
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
	enum ns_err err = b->builder != NULL ? image_builder_end(&b->builder, off, why)
					     : make(b->c, &b->zone, &b->content, off, why);

	compile_cancel(bp);
	return err;
}

/* ---- from what is served ---- */

static enum ns_err
old_content(const struct compiler *c, map_off off, struct wbuf *out, struct ns_why *why)
{
	struct map_view view = staged_view(c);
	struct image_ref ref;

	if (image_open(&view, off, &ref) && content_of_image(&ref, out))
		return NS_OK;
	return ns_fail(why, NS_CORRUPT, CODE_COMPILE, "the old image is broken");
}

/* ---- a part of a large zone ---- */

static bool has_key_sets(struct signed_image *old, const struct zone_keys *keys);
static bool soa_is_signed_by(struct signed_image *old, const struct zone_keys *keys);

/* A tree of these keys, of which nothing is due. */
static bool
may_resign(const struct compile_zone *z, struct signed_image *old)
{
	const struct image *img = old->ref.image;

	return old->ref.flat.p == NULL && (img->flags & IMAGE_HERE) != 0 &&
	       (img->flags & IMAGE_NSEC) != 0 && z->keys->denial == DENIAL_NSEC &&
	       (int32_t)(img->expires - z->now) >= (int32_t)RRSIG_SPARE &&
	       has_key_sets(old, z->keys) && soa_is_signed_by(old, z->keys);
}

struct part { /* of an edit: owners as content, and what is gone */
	const void *zwire, *gone;
	size_t len, gone_len;
};

static enum ns_err
check_part(
    struct compiler *c, const struct compile_zone *z, const struct wbuf *out, struct ns_why *why)
{
	struct signcheck check = { .apex = z->apex,
		.keys = z->keys,
		.now = z->now,
		.signer = c->signer,
		.fresh = c->fresh,
		.seen = c->seen };
	enum ns_err err = signcheck_part(&check, out->base, out->len, why);

	c->fresh = check.fresh;
	c->seen = check.seen;
	c->stats.verified += check.verified;
	return err;
}

/* Into the image; when the links do not hold, the batch is given up, and the zone comes whole. */
static enum ns_err
put_part(struct compiler *c, const struct compile_zone *z, const struct part *part,
    const struct wbuf *out, uint32_t expires, map_off *off, struct ns_why *why)
{
	const struct image_meta meta = {
		.version = z->version, .account = z->account, .here = true, .expires = expires
	};
	enum ns_err err = image_edit(
	    c->w, z->old, &meta, out->base, out->len, part->gone, part->gone_len, off, why);
	struct map_view view = staged_view(c);
	struct image_ref ref;

	if (err == NS_OK &&
	    !(image_open(&view, *off, &ref) &&
		resign_check(&ref, out->base, out->len, part->gone, part->gone_len)))
		err = ns_fail(why, NS_CORRUPT, CODE_COMPILE, "the chain does not hold");
	return err;
}

/* False: that is the whole zone's business. */
static bool
change_part(struct compiler *c, const struct compile_zone *z, const struct part *part, map_off *off,
    enum ns_err *err, struct ns_why *why)
{
	struct map_view view = staged_view(c);
	struct sources from = { .compiler = c, .file = c->file, .signer = c->signer };
	const struct zonesign how = how_of(z, &from);
	struct wbuf out = wbuf_grow(SIZE_MAX / 2);
	struct zonesign_done done;
	bool here = signed_open(&from.image, &view, z->old) && may_resign(z, &from.image);

	if (here) {
		const struct wbuf content = { .base = (uint8_t *)(uintptr_t)part->zwire,
			.len = part->len };

		if (c->file != NULL)
			sigfile_zone(c->file, z->apex);
		tell_checks(z, &content);
		here = resign_edit(&how, &from.image, part->zwire, part->len, part->gone,
			   part->gone_len, &out, &done) == RESIGNED;
	}
	if (here) {
		*err = check_part(c, z, &out, why);
		if (*err != NS_OK)
			*err = refuse(c, why);
		else
			*err = put_part(c, z, part, &out, done.expires, off, why);
	}
	if (here && *err == NS_OK) {
		c->stats.made += done.made;
		c->stats.kept += done.kept;
		if (c->file != NULL)
			sigfile_keep(c->file);
	}
	signed_close(&from.image);
	wbuf_free(&out);
	return here;
}

enum ns_err
compile_change(struct compiler *c, const struct compile_zone *z, const void *zwire, size_t len,
    const void *gone, size_t gone_len, map_off *off, struct ns_why *why)
{
	const struct image_meta meta = { .version = z->version, .account = z->account };
	const struct part part = { zwire, gone, len, gone_len };
	struct wbuf old, new;
	enum ns_err err;

	if (z->keys == NULL && !is_signed_here(c, z->old))
		return image_edit(c->w, z->old, &meta, zwire, len, gone, gone_len, off, why);
	if (z->keys != NULL && change_part(c, z, &part, off, &err, why))
		return err;
	old = wbuf_grow(SIZE_MAX / 2);
	new = wbuf_grow(SIZE_MAX / 2);
	err = old_content(c, z->old, &old, why);
	if (err == NS_OK)
		err = content_change(old.base, old.len, zwire, len, gone, gone_len, &new, why);
	if (err == NS_OK)
		err = make(c, z, &new, off, why);
	if (err == NS_OK)
		image_retire(c->w, z->old);
	wbuf_free(&old);
	wbuf_free(&new);
	return err;
}

/* ---- the same zone with other keys, or later ---- */

/* Has the owner this set, octet for octet? */
static bool
has_set(const struct wbuf *owner, const struct rrset *want)
{
	struct zwire_iter it = zwire_iter(owner->base, owner->len);
	struct rrset set;

	while (zwire_next(&it, &set)) {
		if (set.type == want->type && set.covers == want->covers)
			return rrset_same_data(&set, want);
	}
	return false;
}

/* The denial that an image was made with; opt-out shows in the NSEC3s alone. */
static enum zone_denial
denial_of(const struct image_ref *ref)
{
	static const uint8_t behind_all[] = { 'z' };
	struct image_node node;
	struct image_set set;

	if ((ref->image->flags & IMAGE_NSEC3) == 0)
		return DENIAL_NSEC;
	if (image_find_nsec(ref, behind_all, sizeof behind_all, &node) == IMAGE_NODE &&
	    image_set_find(&node, RR_NSEC3, &set) && set.body_len > RR_HEAD + 1u &&
	    set.body[RR_HEAD + 1] != 0)
		return DENIAL_NSEC3_OPTOUT;
	return DENIAL_NSEC3;
}

/* Sets that come with the keys. */
static unsigned
count_key_sets(const uint8_t *zwire, size_t len)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	struct rrset set;
	unsigned n = 0;

	while (zwire_next(&it, &set)) {
		uint16_t type = set.type == RR_RRSIG ? set.covers : set.type;

		n += type == RR_DNSKEY || type == RR_CDS || type == RR_CDNSKEY;
	}
	return n;
}

static bool
has_key_sets(struct signed_image *old, const struct zone_keys *keys)
{
	const struct wbuf *owner = signed_owner(old, old->ref.apex);
	struct zwire_iter it = zwire_iter(keys->apex, keys->apex_len);
	struct rrset set;
	bool same =
	    count_key_sets(owner->base, owner->len) == count_key_sets(keys->apex, keys->apex_len);

	while (same && zwire_next(&it, &set))
		same = has_set(owner, &set);
	return same;
}

/* Is the SOA signed by these keys, and by no other? */
static bool
soa_is_signed_by(struct signed_image *old, const struct zone_keys *keys)
{
	const struct wbuf *owner = signed_owner(old, old->ref.apex);
	struct zwire_iter it = zwire_iter(owner->base, owner->len);
	unsigned signing = 0, there = 0, found = 0;
	struct rrset set, soa = { 0 };
	uint8_t rdata[RRSIG_MAX];

	while (zwire_next(&it, &set)) {
		if (set.type == RR_SOA)
			soa = set;
		if (set.type == RR_RRSIG && set.covers == RR_SOA)
			there = set.count;
	}
	if (soa.owner == NULL)
		return false;
	for (unsigned i = 0; i < keys->n; i++) {
		if (keys->key[i].flags != KEY_ZSK || !keys->key[i].signs)
			continue;
		signing++;
		found += signed_find(old, &soa, &keys->key[i], rdata) > 0;
	}
	return signing == found && there == found;
}

/* An image that these keys made, of which nothing is due: there is nothing to do. */
static bool
is_current(struct compiler *c, const struct compile_zone *z)
{
	struct map_view view = staged_view(c);
	struct signed_image old;
	bool same = signed_open(&old, &view, z->old);

	if (same && z->keys == NULL)
		same = (old.ref.image->flags & IMAGE_HERE) == 0;
	else if (same)
		/* What policies may answer depends on more than this. */
		same = (old.ref.image->flags & (IMAGE_HERE | IMAGE_POLICY)) == IMAGE_HERE &&
		       (int32_t)(old.ref.image->expires - z->now) >= (int32_t)RRSIG_SPARE &&
		       denial_of(&old.ref) == z->keys->denial && has_key_sets(&old, z->keys) &&
		       soa_is_signed_by(&old, z->keys);
	signed_close(&old);
	return same;
}

/* Of a large zone the owners with policies alone. */
static bool
policies_again(struct compiler *c, const struct compile_zone *z, map_off *off, enum ns_err *err,
    struct ns_why *why)
{
	struct map_view view = staged_view(c);
	struct wbuf content = wbuf_grow(SIZE_MAX / 2);
	struct image_ref ref;
	bool done = image_open(&view, z->old, &ref) && ref.flat.p == NULL &&
		    resign_policies(&ref, &content) && content.len > 0;

	if (done) {
		const struct part part = { content.base, NULL, content.len, 0 };

		done = change_part(c, z, &part, off, err, why);
	}
	wbuf_free(&content);
	return done;
}

enum ns_err
compile_again(
    struct compiler *c, const struct compile_zone *z, bool health, map_off *off, struct ns_why *why)
{
	struct wbuf content;
	enum ns_err err;

	*off = 0;
	if (!health && is_current(c, z))
		return NS_OK;
	if (health && z->keys != NULL && policies_again(c, z, off, &err, why))
		return err;
	content = wbuf_grow(SIZE_MAX / 2);
	err = old_content(c, z->old, &content, why);
	if (err == NS_OK)
		err = make(c, z, &content, off, why);
	if (err == NS_OK)
		image_retire(c->w, z->old);
	wbuf_free(&content);
	return err;
}

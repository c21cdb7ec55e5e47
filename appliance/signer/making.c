/* making.c - see making.h.  The signer's only thread. */
#include "appliance/signer/making.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/signer/sigfile.h"
#include "appliance/signer/signcheck.h"
#include "appliance/signer/sources.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define CODE_MAKING 5035
#define PIECE       32768u /* octets that go into the image at a time */
#define KEEP_NOTES \
	4096u /* new signatures that are written before all are made: a death costs no more of them */
#define LOOK_SETS  256u
#define OLD_BROKEN "the old image is broken"

struct making {
	struct compiler *c;
	struct compile_zone z;
	uint8_t apex[NAME_MAX_WIRE];
	enum { CONTENT, TELL, SIGN, CHECK, BUILD, MADE } stage;
	enum ns_err err;
	struct ns_why why;
	/* CONTENT */
	struct map_view view;
	struct image_ref ref;
	struct content_edit edit; /* in `edited` */
	struct wbuf edited;
	struct content_reader *reader;
	struct wbuf content;
	/* TELL, BUILD */
	struct zwire_iter it;
	/* SIGN */
	struct sources from;
	bool open; /* `from` is */
	struct zonesign how;
	struct zonesign_run *signing;
	struct zonesign_done done;
	struct wbuf out;
	/* CHECK */
	struct signcheck check;
	struct signcheck_run *checking;
	/* BUILD */
	struct image_builder *builder; /* MADE: all is in it */
};

/* ---- begin and end ---- */

static struct making *
making_new(struct compiler *c, const struct compile_zone *z)
{
	struct making *m = xcalloc(1, sizeof *m);

	m->c = c;
	m->z = *z;
	memcpy(m->apex, z->apex, name_len(z->apex));
	m->z.apex = m->apex;
	m->z.keys = z->keys != NULL ? zone_keys_ref(z->keys) : NULL;
	m->content = wbuf_grow(SIZE_MAX / 2);
	m->edited = wbuf_grow(SIZE_MAX / 2);
	m->out = wbuf_grow(SIZE_MAX / 2);
	return m;
}

static void
begin_tell(struct making *m)
{
	m->it = zwire_iter(m->content.base, m->content.len);
	m->stage = TELL;
}

struct making *
making_of_content(struct compiler *c, const struct compile_zone *z, struct wbuf *content)
{
	struct making *m = making_new(c, z);

	wbuf_free(&m->content);
	m->content = *content;
	*content = wbuf_grow(SIZE_MAX / 2);
	begin_tell(m);
	return m;
}

static void
fail_with(struct making *m, enum ns_err err)
{
	m->err = err;
	m->stage = MADE;
}

struct making *
making_of_image(struct compiler *c, const struct compile_zone *z, const struct content_edit *edit)
{
	struct making *m = making_new(c, z);

	m->view = compiler_view(c);
	if (edit != NULL) {
		wbuf_put(&m->edited, edit->zwire, edit->len);
		wbuf_put(&m->edited, edit->gone, edit->gone_len);
		m->edit = (struct content_edit){ m->edited.base, m->edited.base + edit->len,
			edit->len, edit->gone_len };
	}
	if (image_open(&m->view, z->old, &m->ref))
		m->reader = content_begin(&m->ref, edit != NULL ? &m->edit : NULL);
	else
		fail_with(m, ns_fail(&m->why, NS_CORRUPT, CODE_MAKING, OLD_BROKEN));
	return m;
}

/* What comes after the content. */
static void
forget_signed(struct making *m)
{
	zonesign_destroy(&m->signing);
	signcheck_destroy(&m->checking);
	image_builder_destroy(&m->builder);
	if (m->open)
		sources_close(&m->from);
	m->open = false;
	m->out.len = 0;
}

void
making_cancel(struct making **mp)
{
	struct making *m = *mp;

	*mp = NULL;
	if (m == NULL)
		return;
	forget_signed(m);
	content_destroy(&m->reader);
	wbuf_free(&m->content);
	wbuf_free(&m->edited);
	wbuf_free(&m->out);
	zone_keys_unref(&m->z.keys);
	free(m);
}

void
making_rekey(struct making *m, struct zone_keys *keys, uint32_t now)
{
	struct zone_keys *old = m->z.keys;

	forget_signed(m);
	m->z.keys = keys != NULL ? zone_keys_ref(keys) : NULL;
	m->z.now = now;
	zone_keys_unref(&old);
	if (m->reader == NULL && m->content.len > 0) {
		m->err = NS_OK;
		begin_tell(m);
	}
}

void
making_moved(struct making *m, map_off image)
{
	m->z.old = image;
	if (m->reader != NULL) {
		m->view = compiler_view(m->c);
		if (image_open(&m->view, image, &m->ref))
			content_moved(m->reader);
		else
			fail_with(m, ns_fail(&m->why, NS_CORRUPT, CODE_MAKING, OLD_BROKEN));
	}
	if (m->open)
		sources_moved(&m->from);
}

enum ns_err
making_end(struct making **mp, map_off *off, struct ns_why *why)
{
	struct making *m = *mp;
	enum ns_err err = m->err;

	*off = 0;
	if (err == NS_OK)
		err = image_builder_end(&m->builder, off, &m->why);
	polbook_forget(m->c->pols, m->apex);
	if (err == NS_OK && m->open)
		sources_keep(&m->from);
	if (err != NS_OK && why != NULL)
		*why = m->why;
	making_cancel(mp);
	return err;
}

unsigned
making_percent(const struct making *m)
{
	return m->stage < SIGN      ? 0
	       : m->signing != NULL ? zonesign_percent(m->signing) * 9 / 10
				    : 90;
}

bool
making_is_small(const struct making *m)
{
	return m->reader == NULL && m->content.len <= IMAGE_FLAT;
}

/* ---- one stage after the other ---- */

static void
read_content(struct making *m, uint64_t deadline_ns)
{
	enum ns_err err;

	if (content_step(m->reader, &m->content, deadline_ns))
		return;
	err = content_end(&m->reader, &m->why);
	if (err != NS_OK)
		fail_with(m, err);
	else
		begin_tell(m);
}

static void
begin_build(struct making *m, const struct wbuf *zwire)
{
	const struct image_meta meta = { .version = m->z.version,
		.account = m->z.account,
		.here = m->z.keys != NULL,
		.expires = m->z.keys != NULL ? m->done.expires : 0 };

	m->builder = image_builder_new(m->c->w, m->apex, &meta);
	m->it = zwire_iter(zwire->base, zwire->len);
	m->stage = BUILD;
}

static void
begin_sign(struct making *m)
{
	sources_open(&m->from, m->c, &m->z);
	m->open = true;
	m->how = sources_how(&m->from, &m->z);
	m->signing = zonesign_begin(&m->how, m->content.base, m->content.len, &m->out, &m->done);
	m->stage = SIGN;
}

/* Which checks its policies look at. */
static void
tell(struct making *m)
{
	struct rrset set;

	for (unsigned n = 0; m->z.keys != NULL && n < LOOK_SETS; n++) {
		if (!zwire_next(&m->it, &set)) {
			begin_sign(m);
			return;
		}
		compiler_tell_checks(&m->z, &set);
	}
	if (m->z.keys == NULL)
		begin_build(m, &m->content);
}

/* Not fit to be served: the old image stays. */
static void
refuse(struct making *m)
{
	m->c->stats.refused++;
	m->why.err = NS_FAILED;
	fail_with(m, NS_FAILED);
}

static void
sign(struct making *m, uint64_t deadline_ns)
{
	bool more = zonesign_step(m->signing, deadline_ns);

	if (m->from.zone != NULL && sigzone_notes(m->from.zone) >= KEEP_NOTES)
		sigzone_keep(m->from.zone);
	if (more)
		return;
	if (zonesign_end(&m->signing, &m->why) != NS_OK) {
		refuse(m);
		return;
	}
	m->check = (struct signcheck){ .apex = m->apex,
		.keys = m->z.keys,
		.now = m->z.now,
		.signer = m->c->signer,
		.aliases = m->how.aliases != NULL,
		.later = m->z.start,
		.beside = m->z.start && !m->z.anew ? m->c->beside : NULL,
		.fresh = m->z.aside ? SIGNCHECK_ALL : m->c->fresh,
		.seen = m->z.aside ? m->c->seen_aside : m->c->seen };
	m->checking = signcheck_begin(&m->check, m->out.base, m->out.len);
	m->stage = CHECK;
}

/* What was kept is not what it seemed. */
static void
sign_anew(struct making *m)
{
	char text[NAME_MAX_TEXT];

	log_error("signer.unsound", "zone=%s text=%s", log_quote(name_to_text(m->apex, text)),
	    log_quote(m->why.text));
	forget_signed(m);
	m->z.anew = true;
	begin_sign(m);
}

static void
check(struct making *m, uint64_t deadline_ns)
{
	if (signcheck_step(m->checking, deadline_ns))
		return;
	if (signcheck_end(&m->checking, &m->why) != NS_OK) {
		if (m->check.unsound && !m->z.anew)
			sign_anew(m);
		else
			refuse(m);
		return;
	}
	if (m->z.aside) {
		m->c->seen_aside = m->check.seen;
	} else {
		m->c->fresh = m->check.fresh;
		m->c->seen = m->check.seen;
	}
	m->c->stats.made += m->done.made;
	m->c->stats.kept += m->done.kept;
	m->c->stats.verified += m->check.verified;
	begin_build(m, &m->out);
}

/* A piece of whole sets.  The image is finished by making_end(), when nobody else can abort any more. */
static void
build(struct making *m)
{
	const uint8_t *start = NULL;
	enum ns_err err = NS_OK;
	size_t len = 0;
	struct rrset set;

	while (len < PIECE && zwire_next(&m->it, &set)) {
		start = start != NULL ? start : set.raw;
		len += set.raw_len;
	}
	if (len > 0)
		err = image_builder_add(m->builder, start, len, &m->why);
	if (err != NS_OK)
		fail_with(m, err);
	else if (len == 0)
		m->stage = MADE;
}

bool
making_step(struct making *m, uint64_t deadline_ns)
{
	while (m->stage != MADE) {
		switch (m->stage) {
		case CONTENT:
			read_content(m, deadline_ns);
			break;
		case TELL:
			tell(m);
			break;
		case SIGN:
			sign(m, deadline_ns);
			break;
		case CHECK:
			check(m, deadline_ns);
			break;
		case BUILD:
			build(m);
			break;
		case MADE:
			break;
		}
		if (clock_is_past(deadline_ns))
			break;
	}
	if (m->builder != NULL)
		image_builder_pause(m->builder);
	return m->stage != MADE;
}

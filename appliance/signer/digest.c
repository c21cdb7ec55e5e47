/* digest - see digest.h.  The signer's only thread. */
#include "appliance/signer/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/signer/names.h"
#include "appliance/signer/sigaudit.h"
#include "appliance/zonemap/hash.h"
#include "appliance/zonemap/image.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define KEEP_NS 60000000000ull

struct ask {
	uint64_t id;
	uint32_t limit;
	bool after; /* false: from the beginning */
	bool signatures;
	uint8_t name[NAME_MAX_WIRE];
};

struct entry {
	Ns__DigestReply__Image image;
	uint8_t name[NAME_MAX_WIRE], sha256[32];
	char fault[700];
};

struct digest {
	struct writer *w;
	digest_reply_fn *reply;
	void *arg;

	struct names *names; /* NULL: not collected */
	bool collecting;
	uint64_t cursor, used_ns;

	struct ask queue[DIGEST_QUEUE];
	size_t nqueue;
	struct entry *entry; /* the page in hand */
	Ns__DigestReply__Image **images;
	size_t n;
	struct sigaudit *audit; /* of the last entry's image: */
	map_off audited; /* 0: none is under way */
};

struct digest *
digest_new(struct writer *w, digest_reply_fn *reply, void *arg)
{
	struct digest *d = xcalloc(1, sizeof *d);

	d->w = w;
	d->reply = reply;
	d->arg = arg;
	return d;
}

static void
give_back(struct digest *d)
{
	names_destroy(&d->names);
	sigaudit_destroy(&d->audit);
	d->audited = 0;
	free(d->entry);
	free(d->images);
	d->entry = NULL;
	d->images = NULL;
}

void
digest_destroy(struct digest **dp)
{
	if (*dp == NULL)
		return;
	give_back(*dp);
	free(*dp);
	*dp = NULL;
}

void
digest_forget(struct digest *d)
{
	d->nqueue = 0;
	d->n = 0;
	d->audited = 0;
}

bool
digest_ask(struct digest *d, uint64_t id, const Ns__DigestRequest *req)
{
	struct ask *a = &d->queue[d->nqueue];

	if (d->nqueue == DIGEST_QUEUE)
		return false;
	*a = (struct ask){ .id = id, .limit = req->limit, .signatures = req->signatures };
	if (a->limit == 0 || a->limit > DIGEST_PAGE)
		a->limit = DIGEST_PAGE;
	if (req->after.len > 0 && name_check(req->after.data, req->after.len) == req->after.len) {
		name_lower(a->name, req->after.data, req->after.len);
		a->after = true;
	}
	d->nqueue++;
	return true;
}

/* ---- the names ---- */

void
digest_staged(struct digest *d, const uint8_t *name)
{
	if (d->names != NULL)
		names_add(d->names, name);
}

static void
collect(void *arg, uint64_t hash, map_off image)
{
	struct digest *d = arg;
	const uint8_t *apex;
	struct map_view view;
	size_t len;

	(void)hash;
	(void)writer_view(d->w, &view);
	apex = map_image_apex(&view, image, &len);
	if (apex != NULL && name_check(apex, len) == len)
		names_add(d->names, apex);
}

/* One page of the directory; false: all are there. */
static bool
collect_step(struct digest *d)
{
	struct map_view view;

	if (d->names == NULL) {
		d->names = names_new();
		d->entry = xcalloc(DIGEST_PAGE, sizeof d->entry[0]);
		d->images = xcalloc(DIGEST_PAGE, sizeof(Ns__DigestReply__Image *));
		d->cursor = 0;
		d->collecting = true;
	}
	if (d->collecting)
		d->collecting =
		    writer_view(d->w, &view) && map_zone_page(&view, &d->cursor, collect, d);
	return d->collecting;
}

/* ---- the page ---- */

static void
add_entry(struct digest *d, const struct map_view *view, const uint8_t *name, map_off image)
{
	struct entry *e = &d->entry[d->n];
	size_t len = name_len(name);

	ns__digest_reply__image__init(&e->image);
	memcpy(e->name, name, len);
	e->image.name = (ProtobufCBinaryData){ .data = e->name, .len = len };
	if (image_digest(view, image, e->sha256, &e->image.version) == NS_OK)
		e->image.sha256 = (ProtobufCBinaryData){ .data = e->sha256, .len = 32 };
	else
		e->image.fault = (char *)(uintptr_t) "the image in the zone map is broken";
	d->images[d->n++] = &e->image;
}

/* ---- the last entry's signatures ---- */

static uint32_t
now_s(void)
{
	return (uint32_t)(clock_wall_ms() / 1000);
}

static void
audit_begin(struct digest *d, const struct map_view *view, map_off image)
{
	if (d->audit == NULL)
		d->audit = sigaudit_new();
	d->audited = sigaudit_begin(d->audit, view, image, now_s()) ? image : 0;
}

static void
audit_end(struct digest *d)
{
	struct entry *e = &d->entry[d->n - 1];
	const struct sigaudit_found *f = sigaudit_found(d->audit);

	d->audited = 0;
	e->image.signatures = f->verified;
	e->image.signatures_skipped = f->skipped;
	if (f->wrong == 0)
		return;
	(void)snprintf(e->fault, sizeof e->fault, "%s", f->first);
	if (f->wrong > 1)
		(void)snprintf(e->fault, sizeof e->fault, "%s (and %llu more)", f->first,
		    (unsigned long long)f->wrong - 1);
	e->image.signature_fault = e->fault;
}

/* Blocks of a replaced image may be given away: what there is of it counts for nothing. */
static void
audit_step(struct digest *d, uint64_t deadline_ns)
{
	const uint8_t *key = writer_map(d->w)->header->hash_key;
	const uint8_t *name = d->entry[d->n - 1].name;
	struct map_view view;
	map_off image = 0;

	if (writer_view(d->w, &view))
		image = map_zone_lookup(
		    &view, zone_hash(key, name, name_len(name)), name, name_len(name));
	if (image == 0)
		d->audited = 0;
	else if (image != d->audited)
		audit_begin(d, &view, image);
	else if (!sigaudit_step(d->audit, deadline_ns))
		audit_end(d);
}

static void
send_page(struct digest *d, bool end)
{
	Ns__DigestReply reply = NS__DIGEST_REPLY__INIT;
	uint64_t id = d->queue[0].id;

	reply.n_images = d->n;
	reply.images = d->images;
	reply.end = end;
	reply.revision = writer_revision(d->w);
	d->nqueue--;
	memmove(d->queue, d->queue + 1, d->nqueue * sizeof d->queue[0]);
	d->n = 0;
	d->reply(d->arg, id, &reply);
}

/* One zone of the first request. */
static void
page_step(struct digest *d)
{
	struct ask *a = &d->queue[0];
	const uint8_t *name = names_after(d->names, a->after ? a->name : NULL);
	const uint8_t *key = writer_map(d->w)->header->hash_key;
	struct map_view view;
	map_off image = 0;
	size_t len;

	if (name == NULL || !writer_view(d->w, &view)) {
		send_page(d, true);
		return;
	}
	len = name_len(name);
	memcpy(a->name, name, len);
	a->after = true;
	image = map_zone_lookup(&view, zone_hash(key, name, len), name, len);
	if (image != 0)
		add_entry(d, &view, name, image);
	else if (writer_zone_find(d->w, name) == 0)
		names_remove(d->names, name);
	if (image != 0 && a->signatures)
		audit_begin(d, &view, image);
}

bool
digest_step(struct digest *d, uint64_t deadline_ns)
{
	while (d->nqueue > 0) {
		d->used_ns = clock_mono_ns();
		if (d->used_ns >= deadline_ns)
			return true;
		if (d->audited != 0)
			audit_step(d, deadline_ns);
		else if (d->n == d->queue[0].limit)
			send_page(d, false);
		else if (!collect_step(d))
			page_step(d);
	}
	return false;
}

void
digest_idle(struct digest *d, uint64_t now_ns)
{
	if (d->names != NULL && d->nqueue == 0 && now_ns - d->used_ns > KEEP_NS)
		give_back(d);
}

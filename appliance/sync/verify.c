/* verify - see verify.h.  One at a time.
 *
 *   CHECK    slices of store_verify_step() in a reader thread
 *   THINGS   the same of verifythings.h
 *   ASK      the signer for a page of digests           (loop)
 *   COMPARE  the same names in the store                (reader thread), then ASK the next page
 * Edits go on meanwhile: a zone whose image has another version than the store is doubtful, and its
 * page is asked for again until the two meet or RETRIES is up. */
#include "appliance/sync/verify.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/store/store.h"
#include "appliance/sync/asof.h"
#include "appliance/sync/bus.h"
#include "appliance/sync/conn.h"
#include "appliance/sync/control.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/gate.h"
#include "appliance/sync/reader.h"
#include "appliance/sync/verifythings.h"
#include "appliance/zonemap/image.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define SLICE_MS        20
#define PAGE            256
#define RETRIES         40
#define RETRY_NS        100000000ull
#define MARGIN_NS       300000000ull
#define FINDINGS_MAX    1000
#define FINDINGS_OCTETS (768u << 10) /* of their strings: a reply must fit NS_MSG_MAX */
#define CONTENT         (256u << 10)

enum phase { PHASE_CHECK, PHASE_THINGS, PHASE_ASK, PHASE_WAIT, PHASE_COMPARE, PHASE_DONE };

struct check {
	enum phase phase;
	size_t octets; /* of its findings */
	Ns__VerifyReply *reply; /* given to the request at the end */
	struct queue *reads;
	struct store *store; /* its own: the store keeps a check's state with the handle */
	uint64_t cursor;
	struct things_check things;
	uint64_t fed; /* newest change that the signer may know of */
	uint8_t after[255]; /* names up to here are compared */
	bool begun; /* after is set */
	Ns__Envelope *page; /* the signer's, our copy */
	unsigned tries;
	uint64_t ask_ns; /* not before */
	unsigned asked; /* which signer: bus_hellos() */
	uint8_t (*doubt)[255]; /* zones of this page that did not meet */
	size_t ndoubt;
	bool again; /* only those are compared now */
};

static struct request *running; /* loop: the one that is under way, */
static bool in_thread; /* and whether a reader thread has it: then its state is not ours */

static void
check_free(void *arg)
{
	struct check *c = arg;

	if (c->reply != NULL)
		ns__verify_reply__free_unpacked(c->reply, NULL);
	if (c->page != NULL)
		ns__envelope__free_unpacked(c->page, NULL);
	reader_close(c->reads, &c->store);
	things_check_free(&c->things);
	free(c->doubt);
	free(c);
}

static void
finding(struct check *c, const char *what, const char *zone, const char *text)
{
	Ns__VerifyReply *m = c->reply;
	Ns__VerifyReply__Finding *f;

	m->ok = false;
	c->octets += strlen(what) + strlen(zone) + strlen(text) + 32;
	if (m->n_findings >= FINDINGS_MAX || c->octets > FINDINGS_OCTETS)
		return;
	f = xmalloc(sizeof *f);
	ns__verify_reply__finding__init(f);
	f->what = xstrdup(what);
	f->zone = xstrdup(zone);
	f->text = xstrdup(text);
	m->findings = xreallocarray(m->findings, m->n_findings + 1, sizeof *m->findings);
	m->findings[m->n_findings++] = f;
}

static void
store_fault(void *arg, const char *what, const char *zone, const char *text)
{
	finding(arg, what, zone, text);
}

/* ---- reader thread ---- */
static enum ns_err
check_slice(struct request *r, struct check *c, struct store *s)
{
	uint8_t hash[STORE_HASH];
	uint64_t revision, term;
	enum ns_err err = store_verify_step(s, &c->cursor, SLICE_MS, store_fault, c);

	if (err != NS_OK && err != NS_CORRUPT)
		return read_failed(&r->why, err);
	if (c->cursor != 0)
		return NS_OK;
	if ((err = store_head(s, &revision, &term, hash)) != NS_OK)
		return read_failed(&r->why, err);
	c->reply->zones = store_zone_count(s);
	c->reply->changes = revision;
	c->reply->head = reply_hex(hash, sizeof hash);
	c->phase = PHASE_THINGS;
	return NS_OK;
}

static enum ns_err
check_things(struct request *r, struct check *c, struct store *s)
{
	bool done;
	enum ns_err err = things_check_step(&c->things, s, SLICE_MS, store_fault, c, &done);

	if (err != NS_OK)
		return read_failed(&r->why, err);
	c->reply->objects = c->things.count;
	c->phase = done ? PHASE_ASK : PHASE_THINGS;
	return NS_OK;
}

static enum ns_err
store_digest(struct store *s, const struct store_zone *z, uint8_t out[32])
{
	struct zone_digest *d = zone_digest_new();
	struct wbuf piece = wbuf_grow(2u << 20);
	uint8_t last[255];
	bool begun = false;
	enum ns_err err;

	while ((err = store_content_get(s, z->id, begun ? last : NULL, CONTENT, &piece, last)) ==
	       NS_OK) {
		zone_digest_add(d, piece.base, piece.len);
		piece.len = 0;
		begun = true;
	}
	zone_digest_end(&d, out);
	wbuf_free(&piece);
	return err == NS_NOTFOUND ? NS_OK : err;
}

static bool
doubted(const struct check *c, const uint8_t *name)
{
	for (size_t i = 0; i < c->ndoubt; i++)
		if (name_equal(c->doubt[i], name))
			return true;
	return false;
}

struct compare {
	struct check *check;
	struct store *store;
	struct asof asof; /* zones whose changes wait for the standby */
	const Ns__DigestReply *page;
	size_t at; /* next image */
	uint8_t (*doubt)[255];
	size_t ndoubt;
	enum ns_err err;
};

static void
doubt(struct compare *k, const uint8_t *name, const char *text)
{
	char zone[NAME_MAX_TEXT];

	/* Its image is that of before, as it must be. */
	for (size_t i = 0; i < k->asof.nzones; i++)
		if (name_equal(k->asof.zones[i].name, name))
			return;
	if (k->check->tries >= RETRIES) {
		finding(k->check, "image", name_to_text(name, zone), text);
		return;
	}
	k->doubt = xreallocarray(k->doubt, k->ndoubt + 1, sizeof *k->doubt);
	memcpy(k->doubt[k->ndoubt++], name, name_len(name));
}

static void
compare_image(struct compare *k, const struct store_zone *z, const Ns__DigestReply__Image *im)
{
	char zone[NAME_MAX_TEXT];
	uint8_t digest[32];

	k->check->reply->signatures += im->signatures;
	k->check->reply->signatures_skipped += im->signatures_skipped;
	if (im->signature_fault[0] != '\0')
		finding(k->check, "signature", name_to_text(z->name, zone), im->signature_fault);
	if (im->fault[0] != '\0') {
		finding(k->check, "image", name_to_text(z->name, zone), im->fault);
		return;
	}
	if (im->version != z->version) {
		doubt(k, z->name, "the image has another version than the store");
		return;
	}
	if ((k->err = store_digest(k->store, z, digest)) != NS_OK)
		return;
	k->check->reply->images++;
	if (im->sha256.len != sizeof digest || memcmp(im->sha256.data, digest, sizeof digest) != 0)
		finding(k->check, "image", name_to_text(z->name, zone),
		    "what is served differs from what is stored");
}

static bool
image_ok(const Ns__DigestReply__Image *im)
{
	return im->name.len > 0 && name_check(im->name.data, im->name.len) == im->name.len;
}

static bool
each_zone(void *arg, const struct store_zone *z)
{
	struct compare *k = arg;
	const struct check *c = k->check;
	const Ns__DigestReply *p = k->page;

	/* Images before this zone have no zone any more. */
	while (k->at < p->n_images && (!image_ok(p->images[k->at]) ||
					  name_cmp(p->images[k->at]->name.data, z->name) < 0)) {
		const Ns__DigestReply__Image *im = p->images[k->at++];

		if (image_ok(im) && (!c->again || doubted(c, im->name.data)))
			doubt(k, im->name.data, "an image of a zone that is not in the store");
	}
	if (k->at == p->n_images && !p->end)
		return false; /* the rest is on the next page */
	if (k->at < p->n_images && name_equal(p->images[k->at]->name.data, z->name)) {
		const Ns__DigestReply__Image *im = p->images[k->at++];

		if (!c->again || doubted(c, z->name))
			compare_image(k, z, im);
	} else if (!c->again || doubted(c, z->name)) {
		doubt(k, z->name, "the zone is not in the map");
	}
	return k->err == NS_OK && (k->at < p->n_images || p->end);
}

static enum ns_err
compare_stored(struct compare *k, struct store *s, struct ns_why *why)
{
	const struct check *c = k->check;
	uint8_t hash[STORE_HASH];
	uint64_t head, term;
	enum ns_err err = store_head(s, &head, &term, hash);

	if (err == NS_OK && head > c->fed)
		err = asof_load(&k->asof, s, c->fed, head, why);
	if (err == NS_OK)
		err = store_zone_each(s, c->begun ? c->after : NULL, each_zone, k);
	return err == NS_OK ? k->err : err;
}

static enum ns_err
compare_page(struct request *r, struct check *c, struct store *s)
{
	struct compare k = { .check = c, .store = s, .page = c->page->digest_reply };
	enum ns_err err = store_begin(s, &r->why);

	if (err != NS_OK)
		return err;
	err = compare_stored(&k, s, &r->why);
	store_rollback(s);
	for (; err == NS_OK && k.at < k.page->n_images; k.at++) {
		const Ns__DigestReply__Image *im = k.page->images[k.at];

		if (image_ok(im) && (!c->again || doubted(c, im->name.data)))
			doubt(&k, im->name.data, "an image of a zone that is not in the store");
	}
	asof_free(&k.asof);
	free(c->doubt);
	c->doubt = k.doubt;
	c->ndoubt = k.ndoubt;
	if (err != NS_OK)
		return read_failed(&r->why, err);
	c->again = c->ndoubt > 0;
	c->phase = PHASE_ASK;
	if (c->again) {
		c->tries++;
		c->ask_ns = clock_mono_ns() + RETRY_NS;
		return NS_OK;
	}
	c->tries = 0;
	if (k.page->end || k.page->n_images == 0) {
		c->phase = PHASE_DONE;
		return NS_OK;
	}
	memcpy(c->after, k.page->images[k.page->n_images - 1]->name.data,
	    k.page->images[k.page->n_images - 1]->name.len);
	c->begun = true;
	return NS_OK;
}

static void
verify_work(struct job *job, void *thread)
{
	struct request *r = (struct request *)job;
	struct check *c = r->state;

	(void)thread;
	if (request_expired(r))
		return;
	if (c->store == NULL)
		r->err = store_open(r->store_dir, STORE_READ, sync_vfs(), &c->store, &r->why);
	if (r->err != NS_OK)
		return;
	r->err = c->phase == PHASE_CHECK    ? check_slice(r, c, c->store)
		 : c->phase == PHASE_THINGS ? check_things(r, c, c->store)
					    : compare_page(r, c, c->store);
}

/* ---- loop ---- */
static void
finish(struct sync *s, struct request *r)
{
	struct check *c = r->state;

	running = NULL;
	if (r->err == NS_OK) {
		request_reply(r, NS__ENVELOPE__BODY_VERIFY_REPLY, c->reply);
		c->reply = NULL;
	}
	request_finish(s, r);
}

static void
ask(struct sync *s, struct request *r)
{
	struct check *c = r->state;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__DigestRequest msg = NS__DIGEST_REQUEST__INIT;

	if (clock_mono_ns() < c->ask_ns)
		return; /* the tick comes back */
	msg.limit = PAGE;
	msg.signatures = r->env->verify_request->signatures && !c->again;
	c->fed = gate_fed(s);
	msg.revision = s->head.revision < c->fed ? s->head.revision : c->fed;
	if (c->begun)
		msg.after = (ProtobufCBinaryData){ name_len(c->after), c->after };
	env.id = r->id;
	env.body_case = NS__ENVELOPE__BODY_DIGEST_REQUEST;
	env.digest_request = &msg;
	if (bus_send(s, ROLE_SIGNER, &env) == NS_OK) {
		c->phase = PHASE_WAIT;
		c->asked = bus_hellos(s->bus, ROLE_SIGNER);
	}
}

static void
step(struct sync *s, struct request *r)
{
	const struct check *c = r->state;

	if (r->err != NS_OK || c->phase == PHASE_DONE)
		finish(s, r);
	else if (c->phase == PHASE_ASK)
		ask(s, r);
	else if (queue_push(s->reads, LANE_BULK, &r->job)) {
		in_thread = true;
	} else {
		r->err = ns_fail(&r->why, NS_UNAVAILABLE, ES_BUSY, "busy");
		finish(s, r);
	}
}

static void
verify_done(struct job *job, struct sync *s)
{
	in_thread = false;
	step(s, (struct request *)job);
}

void
verify_request(struct sync *s, struct request *r)
{
	struct check *c;

	if (running != NULL) {
		request_refuse(s, r, NS_UNAVAILABLE, ES_BUSY, "busy: another verify is running");
		return;
	}
	c = xcalloc(1, sizeof *c);
	c->reply = xmalloc(sizeof *c->reply);
	ns__verify_reply__init(c->reply);
	c->reply->ok = true;
	c->reads = s->reads;
	r->state = c;
	r->free_state = check_free;
	r->job.work = verify_work;
	r->job.done = verify_done;
	running = r;
	step(s, r);
}

void
verify_digests(struct sync *s, const Ns__Envelope *env)
{
	struct check *c = running != NULL && !in_thread ? running->state : NULL;

	if (c == NULL || c->phase != PHASE_WAIT || env->id != running->id)
		return;
	if (c->page != NULL)
		ns__envelope__free_unpacked(c->page, NULL);
	c->page = ns_message_copy(&env->base);
	c->phase = PHASE_COMPARE;
	step(s, running);
}

void
verify_tick(struct sync *s, uint64_t now_ns)
{
	struct check *c = running != NULL && !in_thread ? running->state : NULL;

	if (c == NULL || (c->phase != PHASE_ASK && c->phase != PHASE_WAIT))
		return;
	if (atomic_load(&running->cancelled) || now_ns + MARGIN_NS > running->deadline_ns) {
		running->err = ns_fail(&running->why, NS_UNAVAILABLE, ES_NO_SIGNER,
		    bus_has(s->bus, ROLE_SIGNER)
			? "the deadline passed before all images were compared; give more time"
			: "the signer, which has the images, is not there");
		finish(s, running);
	} else if (c->phase == PHASE_ASK || c->asked != bus_hellos(s->bus, ROLE_SIGNER)) {
		c->phase = PHASE_ASK;
		ask(s, running);
	}
}

void
verify_stop(void)
{
	running = NULL;
}

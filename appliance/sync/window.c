/* window - see window.h. */
#include "appliance/sync/window.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/sync/conflict.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/past.h"
#include "appliance/sync/place.h"
#include "appliance/sync/writer.h"
#include "ipc/base/xalloc.h"

static bool
add_window(void *arg, const struct store_window *w)
{
	struct window_list *l = arg;

	l->windows = xreallocarray(l->windows, l->count + 1, sizeof *l->windows);
	l->windows[l->count++] = *w;
	return true;
}

enum ns_err
window_list(struct store *s, struct window_list *l)
{
	*l = (struct window_list){ 0 };
	return store_window_each(s, add_window, l);
}

enum ns_err
window_may_open(struct store *s, uint64_t ms, struct ns_why *why)
{
	struct window_list l;
	enum ns_err err = window_list(s, &l);
	size_t open = l.count;

	free(l.windows);
	if (err != NS_OK)
		return ns_fail(why, err, ES_STORE, "the store cannot be read");
	if (ms < WINDOW_MIN_MS || ms > WINDOW_MAX_MS)
		return ns_fail(why, NS_USAGE, ES_REQUEST,
		    "a change can wait for its confirmation between one second and 24 hours");
	if (open >= WINDOWS_MAX)
		return ns_fail(why, NS_UNAVAILABLE, ES_WINDOWS,
		    "%u changes wait for their confirmation already: confirm or revert some",
		    WINDOWS_MAX);
	return NS_OK;
}

/* ---- who holds what ---- */
static bool
has_key(const struct wbuf *side, const struct rrset *key)
{
	struct zwire_iter it = zwire_iter(side->base, side->len);
	struct rrset s;

	while (zwire_next(&it, &s)) {
		int c = rrset_cmp(&s, key);

		if (c >= 0)
			return c == 0;
	}
	return false;
}

/* Does the change of that window hold an RRset that this difference touches?  Every change has a new
 * serial: that alone is no touch. */
static const struct rrset *
held(const struct past *p, const Ns__ChangeBody__Zone *m, const struct diff *d, const uint8_t *apex)
{
	struct diff of_window = { .removed = { .base = m->removed.data, .len = m->removed.len },
		.added = { .base = m->added.data, .len = m->added.len } };
	bool skip_soa =
	    diff_soa_serial_only(&of_window, apex) || (d != NULL && diff_soa_serial_only(d, apex));

	for (size_t i = 0; i < p->count; i++) {
		const struct rrset *key = &p->sets[i].key;

		if (key->type == RR_SOA && skip_soa)
			continue;
		if (d == NULL || has_key(&d->removed, key) || has_key(&d->added, key))
			return key;
	}
	return NULL;
}

static enum ns_err
refuse(uint64_t revision, const struct store_zone *z, const struct rrset *key, struct request *r,
    struct ns_why *why)
{
	if (r != NULL)
		conflict_of(r)->unconfirmed = revision;
	ns_fail(why, NS_CONFLICT, ES_WINDOW_OPEN,
	    "change %llu, which touched it, waits for its confirmation: nameserve confirm %llu, or "
	    "revert %llu --commit, first",
	    (unsigned long long)revision, (unsigned long long)revision,
	    (unsigned long long)revision);
	place_names(why, z->name, key->owner, key->type);
	place_sentence(why, NULL);
	return NS_CONFLICT;
}

static enum ns_err
check_one(struct store *s, uint64_t revision, const struct store_zone *z, const struct diff *d,
    struct request *r, struct ns_why *why)
{
	struct store_change row;
	Ns__ChangeBody *body = change_body_load(s, revision, &row);
	enum ns_err err = NS_OK;

	if (body == NULL)
		return ns_fail(why, NS_CORRUPT, ES_STORE, "change %llu cannot be read",
		    (unsigned long long)revision);
	for (size_t i = 0; i < body->n_zones && err == NS_OK; i++) {
		const struct rrset *key;
		struct past p;

		if (body->zones[i]->zone_id != z->id)
			continue;
		past_of_zone(&p, body->zones[i], revision);
		key = held(&p, body->zones[i], d, z->name);
		if (key != NULL)
			err = refuse(revision, z, key, r, why);
		past_free(&p);
	}
	ns__change_body__free_unpacked(body, NULL);
	return err;
}

enum ns_err
window_check(struct store *s, const struct store_zone *z, const struct diff *d, uint64_t except,
    struct request *r, struct ns_why *why)
{
	struct window_list l;
	enum ns_err err = window_list(s, &l);

	if (err != NS_OK)
		ns_fail(why, err, ES_STORE, "the store cannot be read");
	for (size_t i = 0; i < l.count && err == NS_OK; i++)
		if (l.windows[i].revision != except)
			err = check_one(s, l.windows[i].revision, z, d, r, why);
	free(l.windows);
	return err;
}

/* ---- its ends ---- */
enum ns_err
confirm_write(struct request *r, struct batch *b)
{
	Ns__ConfirmRequest *in = r->env->confirm_request;
	Ns__CommitReply *m;
	struct window_list l;
	struct change c;
	bool open = false;
	enum ns_err err = window_list(b->store, &l);

	for (size_t i = 0; i < l.count; i++)
		open = open || l.windows[i].revision == in->revision;
	free(l.windows);
	if (err != NS_OK)
		return ns_fail(&r->why, err, ES_STORE, "the store cannot be read");
	if (!open)
		return ns_fail(&r->why, NS_NOTFOUND, ES_NO_WINDOW,
		    "change %llu does not wait for a confirmation: it has it, or was taken back",
		    (unsigned long long)in->revision);
	m = commit_reply_new(r);
	change_begin(&c, &r->caller, "confirm", in->comment, b->now_ms, b->term);
	c.body.confirmed = &in->revision;
	c.body.n_confirmed = 1;
	err = change_commit(&c, b, &r->why);
	change_free(&c);
	m->revision = r->revision = b->revision;
	return err;
}

/* What remains, as the loop has counted it. */
enum ns_err
window_save_write(struct request *r, struct batch *b)
{
	const struct window_list *counted = r->state;
	struct window_list now;
	enum ns_err err = window_list(b->store, &now);

	for (size_t i = 0; i < now.count && err == NS_OK; i++)
		for (size_t j = 0; j < counted->count && err == NS_OK; j++)
			if (counted->windows[j].revision == now.windows[i].revision)
				err = store_window_put(b->store, &counted->windows[j], &r->why);
	free(now.windows);
	return err;
}

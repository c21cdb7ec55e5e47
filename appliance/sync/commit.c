/* commit - edits of zones: read by a text thread, applied by the writer thread.
 *
 * Per zone: base check, operations on the newest version, serial, write, rules, and the difference for
 * the log.  All zones of a request are one change or none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/plan.h"
#include "appliance/sync/policycheck.h"
#include "appliance/sync/window.h"
#include "appliance/sync/writer.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

enum ns_err
commit_text(struct request *r)
{
	r->state = edit_request_read(r->env->commit_request, &r->why);
	r->free_state = edit_request_free;
	return r->state != NULL ? NS_OK : r->why.err;
}

/* The row after its content: counters are the store's, version and serial are ours. */
enum ns_err
zone_row_update(struct batch *b, struct store_zone *z, uint32_t serial, struct ns_why *why)
{
	enum ns_err err = store_zone_find(b->store, z->name, z);

	if (err != NS_OK)
		return ns_fail(why, err, ES_STORE, "the zone cannot be read back");
	z->version = b->revision + 1;
	z->serial = serial;
	z->changed_ms = b->now_ms;
	return store_zone_put(b->store, z, why);
}

void
commit_reply_zone(Ns__CommitReply *m, const struct store_zone *z, size_t room)
{
	Ns__CommitReply__ZoneSerial *zs = xmalloc(sizeof *zs);

	ns__commit_reply__zone_serial__init(zs);
	zs->zone = reply_name(z->name);
	zs->serial = z->serial;
	if (m->zones == NULL)
		m->zones = xcalloc(room, sizeof *m->zones);
	m->zones[m->n_zones++] = zs;
	if (m->n_zones == 1)
		m->serial = z->serial;
	if (z->version > m->revision)
		m->revision = z->version;
}

Ns__CommitReply *
commit_reply_new(struct request *r)
{
	Ns__CommitReply *m = xmalloc(sizeof *m);

	ns__commit_reply__init(m);
	request_reply(r, NS__ENVELOPE__BODY_COMMIT_REPLY, m);
	return m;
}

static void
add_zone(struct change *c, struct zoneplan *p)
{
	struct change_zone *cz;

	if (diff_empty(&p->diff))
		return;
	cz = change_zone(c, NS__CHANGE_BODY__ZONE__KIND__EDIT, &p->z, &p->diff);
	cz->msg.serial_after = p->edit.serial_after;
	p->z.serial = p->edit.serial_after;
}

/* One change of all zones of a plan, in the store and in the reply. */
enum ns_err
plan_commit(struct request *r, struct batch *b, struct plan *p, struct change *c)
{
	Ns__CommitReply *m = commit_reply_new(r);
	enum ns_err err = NS_OK;

	for (size_t i = 0; i < p->count; i++) {
		const struct zoneplan *z = &p->zones[i];

		policy_closures(
		    z->z.name, z->diff.added.base, z->diff.added.len, &m->policies, &m->n_policies);
		add_zone(c, &p->zones[i]); /* which takes the diff */
	}
	/* An edit that asks for what is there already succeeds and writes nothing. */
	if (c->count > 0 || c->body.n_settings > 0) {
		err = change_commit(c, b, &r->why);
		m->revision = b->revision;
		m->confirm_within_ms = c->body.confirm_within_ms;
	}
	for (size_t i = 0; i < p->count && err == NS_OK; i++) {
		if (edit_changes(&p->zones[i].edit))
			p->zones[i].z.version = b->revision;
		commit_reply_zone(m, &p->zones[i].z, p->count);
	}
	r->revision = m->revision;
	m->n_warnings = p->nwarnings;
	m->warnings = p->warnings;
	p->nwarnings = 0;
	p->warnings = NULL;
	return err;
}

static enum ns_err
check_hash(const struct plan *p, const char *seen, struct ns_why *why)
{
	char hash[PLAN_HASH];

	if (seen[0] == '\0')
		return NS_OK;
	plan_hash(p, hash);
	if (strcmp(seen, hash) == 0)
		return NS_OK;
	return ns_fail(why, NS_CONFLICT, ES_PLAN,
	    "what was planned is not what would happen now, the zone has changed since: look at "
	    "the "
	    "plan again");
}

enum ns_err
commit_write(struct request *r, struct batch *b)
{
	const Ns__CommitRequest *in = r->env->commit_request;
	struct plan_for f = { .store = b->store, .now_ms = b->now_ms, .request = r };
	enum ns_err err;
	struct change c;
	struct plan p;

	err = plan_edits(&p, r->state, &f, &r->why);
	if (err == NS_OK && in->confirm_within_ms > 0)
		err = window_may_open(b->store, in->confirm_within_ms, &r->why);
	if (err == NS_OK)
		err = check_hash(&p, in->plan_hash, &r->why);
	if (err == NS_OK)
		err = plan_rail(&p, in->confirm, in->n_confirm, &r->why);
	if (err == NS_OK) {
		change_begin(&c, &r->caller, "edit", in->comment, b->now_ms, b->term);
		c.body.confirm_within_ms = in->confirm_within_ms;
		err = plan_commit(r, b, &p, &c);
		change_free(&c);
	}
	plan_free(&p);
	return err;
}

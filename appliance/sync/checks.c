/* checks.c - see checks.h: set, remove, override, push.  Writer thread. */
#include "appliance/sync/cachetime.h"
#include "appliance/sync/checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/sync/batch.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/users.h"
#include "ipc/base/clock.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

#define FOR_MAX_MS (365ull * 86400 * 1000)
#define CACHES_NS  20000000ull /* of the writer's time for telling when caches have forgotten */

/* NS_NOTFOUND: there is none; *out is malloc'ed otherwise. */
static enum ns_err
load(struct store *s, const char *name, Ns__Check **out)
{
	struct wbuf body = wbuf_grow(STORE_OBJECT_MAX);
	struct store_object o;
	enum ns_err err = store_object_get(s, CHECK_KIND, name, &o, &body);

	*out = NULL;
	if (err == NS_OK && (*out = ns__check__unpack(NULL, body.len, body.base)) == NULL)
		err = NS_CORRUPT;
	wbuf_free(&body);
	return err;
}

/* ---- calculated ones ---- */
/* Does `name` lead to `target`, or too deep?  Checks that are there form no loop. */
static enum ns_err
leads_to(struct request *r, struct store *s, const char *name, const char *target, unsigned depth)
{
	Ns__Check *c;
	enum ns_err err = NS_OK;

	if (strcmp(name, target) == 0)
		return request_reject(
		    r, NS_INVALID, ES_CHECK, "of", "the check would depend on itself");
	if (depth == 0)
		return request_reject(
		    r, NS_INVALID, ES_CHECK, "of", "calculated checks go at most 8 deep");
	if (load(s, name, &c) != NS_OK) {
		snprintf(r->why.field, sizeof r->why.field, "of");
		return ns_fail(&r->why, NS_INVALID, ES_CHECK, "there is no check %.64s", name);
	}
	for (size_t i = 0; i < c->n_of && err == NS_OK; i++)
		err = leads_to(r, s, c->of[i], target, depth - 1);
	ns__check__free_unpacked(c, NULL);
	return err;
}

struct user_of {
	const char *name;
	char found[CHECK_NAME_MAX + 1];
};

static bool
uses(void *arg, const struct store_object *o, const void *body, size_t len)
{
	struct user_of *u = arg;
	Ns__Check *c = ns__check__unpack(NULL, len, body);

	for (size_t i = 0; c != NULL && i < c->n_of; i++)
		if (strcmp(c->of[i], u->name) == 0)
			snprintf(u->found, sizeof u->found, "%.*s", (int)CHECK_NAME_MAX, o->name);
	if (c != NULL)
		ns__check__free_unpacked(c, NULL);
	return u->found[0] == '\0';
}

/* A policy that names it, in the refusal. */
struct namer {
	struct store *store;
	struct ns_why *why;
};

static bool
named(void *arg, const struct store_mentioned *m)
{
	struct namer *n = arg;
	char owner[NAME_MAX_TEXT], zone[NAME_MAX_TEXT] = "?";
	struct store_zone z;

	name_to_text(m->owner, owner);
	if (store_zone_by_id(n->store, m->zone, &z) == NS_OK)
		name_to_text(z.name, zone);
	ns_fail(n->why, NS_CONFLICT, ES_CHECK_USED, "the policy of %.200s in zone %.200s needs it",
	    owner, zone);
	text_copy(n->why->zone, sizeof n->why->zone, zone);
	text_copy(n->why->owner, sizeof n->why->owner, owner);
	return false;
}

/* ---- set and remove ---- */
enum ns_err
check_set_text(struct request *r)
{
	/* A plan is the same message. */
	const Ns__CheckSetRequest *in = r->env->body_case == NS__ENVELOPE__BODY_CHECK_PLAN_REQUEST
					    ? r->env->check_plan_request
					    : r->env->check_set_request;
	Ns__Check copy;

	if (!check_name_ok(in->name))
		return request_reject(r, NS_INVALID, ES_CHECK, "name",
		    "a check's name is 1 to 64 letters, digits, dots, - and _");
	if (in->remove)
		return NS_OK;
	if (in->check == NULL)
		return request_reject(
		    r, NS_USAGE, ES_EMPTY, "check", "what is to be checked is missing");
	copy = *in->check;
	return check_rule(&copy, &r->why);
}

static enum ns_err
remove_check(struct request *r, struct batch *b, const Ns__CheckSetRequest *in)
{
	struct object_edit e = { CHECK_KIND, in->name, in->comment, NULL };
	struct user_of u = { .name = in->name };
	struct namer n = { b->store, &r->why };

	if (store_object_each(b->store, CHECK_KIND, uses, &u) != NS_OK)
		return request_reject(r, NS_CORRUPT, ES_STORE, "", "the checks cannot be read");
	if (store_mention_each(b->store, STORE_CHECKS, in->name, strlen(in->name), named, &n) !=
	    NS_OK)
		return request_reject(r, NS_CORRUPT, ES_STORE, "", "the policies cannot be read");
	if (r->why.err != NS_OK)
		return r->why.err;
	if (u.found[0] != '\0')
		return ns_fail(&r->why, NS_CONFLICT, ES_CHECK_USED,
		    "the calculated check %s needs it", u.found);
	return object_commit(r, b, &e);
}

/* The rules that need no other check were looked at in check_set_text(). */
enum ns_err
check_plan_read(struct request *r, struct store *s)
{
	const Ns__CheckSetRequest *in = r->env->check_plan_request;
	Ns__Done *m = xcalloc(1, sizeof *m);
	enum ns_err err = NS_OK;

	for (size_t i = 0; !in->remove && i < in->check->n_of && err == NS_OK; i++)
		err = leads_to(r, s, in->check->of[i], in->name, CHECK_DEPTH);
	ns__done__init(m);
	if (err == NS_OK)
		request_reply(r, NS__ENVELOPE__BODY_DONE, m);
	else
		free(m);
	return err;
}

enum ns_err
check_set_write(struct request *r, struct batch *b)
{
	const Ns__CheckSetRequest *in = r->env->check_set_request;
	struct object_edit e = { CHECK_KIND, in->name, in->comment, NULL };
	Ns__Check c, *old = NULL;
	enum ns_err err;

	/* Forwarded requests come without their first half. */
	if ((err = check_set_text(r)) != NS_OK)
		return err;
	if (in->remove)
		return remove_check(r, b, in);
	c = *in->check;
	if ((err = check_rule(&c, &r->why)) != NS_OK)
		return err;
	for (size_t i = 0; i < c.n_of && err == NS_OK; i++)
		err = leads_to(r, b->store, c.of[i], in->name, CHECK_DEPTH);
	if (err != NS_OK)
		return err;
	err = load(b->store, in->name, &old);
	if (err != NS_OK && err != NS_NOTFOUND)
		return request_reject(
		    r, err, ES_STORE, "", "the check cannot be read from the store");
	/* What people said of it stays, what it measures has changed. */
	c.override = old != NULL ? old->override : NULL;
	c.push = old != NULL && strcmp(c.type, old->type) == 0 ? old->push : NULL;
	e.body = &c.base;
	err = object_commit(r, b, &e);
	if (old != NULL)
		ns__check__free_unpacked(old, NULL);
	return err;
}

/* ---- override and push ---- */
static enum ns_err
state_ok(struct request *r, const Ns__CheckStateRequest *in, const Ns__Check *c)
{
	bool plain = strcmp(in->state, "up") == 0 || strcmp(in->state, "down") == 0;

	if (!plain && (in->push || strcmp(in->state, "auto") != 0))
		return request_reject(r, NS_INVALID, ES_CHECK, "state",
		    in->push ? "the state is up or down" : "the state is up, down or auto");
	if (in->for_ms > FOR_MAX_MS)
		return request_reject(r, NS_INVALID, ES_CHECK, "for", "at most a year");
	if (in->push && in->for_ms == 0)
		return request_reject(
		    r, NS_USAGE, ES_EMPTY, "for", "a push says how long it holds: --for 90s");
	if (in->push && strcmp(c->type, "push") != 0)
		return request_reject(r, NS_INVALID, ES_CHECK, "name",
		    "only a check of type push is pushed: check override sets another");
	if (!in->push && plain && in->comment[0] == '\0')
		return request_reject(
		    r, NS_USAGE, ES_EMPTY, "comment", "an override says why: -m TEXT");
	return NS_OK;
}

enum ns_err
check_state_write(struct request *r, struct batch *b)
{
	const Ns__CheckStateRequest *in = r->env->check_state_request;
	struct object_edit e = { CHECK_KIND, in->name, in->comment, NULL };
	Ns__Check__Said said = NS__CHECK__SAID__INIT, *before;
	Ns__Check *c;
	enum ns_err err = load(b->store, in->name, &c);

	if (err != NS_OK)
		return ns_fail(&r->why, err, err == NS_NOTFOUND ? ES_NO_OBJECT : ES_STORE,
		    err == NS_NOTFOUND ? "there is no check %.64s" : "check %.64s cannot be read",
		    in->name);
	err = state_ok(r, in, c);
	said.state = in->state;
	said.author = r->caller.name;
	said.reason = in->comment;
	said.at_ms = b->now_ms;
	said.until_ms = in->for_ms != 0 ? b->now_ms + (int64_t)in->for_ms : 0;
	if (err == NS_OK) {
		Ns__Check__Said **slot = in->push ? &c->push : &c->override;

		before = *slot;
		*slot = strcmp(in->state, "auto") == 0 ? NULL : &said;
		e.body = &c->base;
		err = object_commit(r, b, &e);
		*slot = before;
	}
	if (err == NS_OK) {
		struct cachetime ct = { .store = b->store,
			.now_ms = b->now_ms,
			.until_ns = clock_mono_ns() + CACHES_NS };

		r->reply->object_reply->caches = cachetime_of_check(&ct, in->name);
	}
	ns__check__free_unpacked(c, NULL);
	return err;
}

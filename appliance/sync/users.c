/* users - see users.h: users in the store, and the loop's table of them. */
#include "appliance/sync/users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/store/store.h"
#include "appliance/sync/batch.h"
#include "appliance/sync/conn.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/reader.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define LOOK_NS 500000000ull /* a stranger makes us read the accounts this often at most */

/* ---- the loop's table ---- */
static void
weigh(void *arg, struct conn *c)
{
	struct sync *s = arg;
	struct caller was = c->caller;

	(void)authz_caller(&s->authz, &c->peer, c->person, &c->caller, NULL);
	authz_way_keep(&c->caller, &was);
}

void
people_install(struct sync *s, struct people **p)
{
	if (*p == NULL)
		return;
	people_destroy(&s->authz.people);
	s->authz.people = *p;
	*p = NULL;
	conns_each(s->conns, weigh, s);
}

struct newcomer {
	struct job job;
	struct ns_peer peer;
	struct greeting greeting;
	newcomer_fn *fn;
	struct people *people;
};

static void
look_work(struct job *job, void *store)
{
	((struct newcomer *)job)->people = people_load(store, NULL);
}

static void
look_done(struct job *job, struct sync *s)
{
	struct newcomer *n = (struct newcomer *)job;

	people_install(s, &n->people);
	n->fn(s, &n->peer, &n->greeting);
	free(n);
}

bool
newcomer_look(
    struct sync *s, const struct ns_peer *peer, const struct greeting *greeting, newcomer_fn *fn)
{
	static uint64_t last_ns;
	struct newcomer *n;
	uint64_t now = clock_mono_ns();

	if (last_ns != 0 && now - last_ns < LOOK_NS)
		return false;
	last_ns = now;
	n = xcalloc(1, sizeof *n);
	n->job.work = look_work;
	n->job.done = look_done;
	n->peer = *peer;
	n->greeting = *greeting;
	n->fn = fn;
	if (queue_push(s->reads, LANE_FAST, &n->job))
		return true;
	free(n);
	return false;
}

/* ---- requests ---- */
struct clash {
	const Ns__User *user;
	bool found;
};

static bool
same_account(void *arg, const struct store_object *o, const void *body, size_t len)
{
	struct clash *c = arg;
	Ns__User *m = ns__user__unpack(NULL, len, body);

	if (m != NULL && strcmp(o->name, c->user->name) != 0 &&
	    strcmp(m->unix_account, c->user->unix_account) == 0)
		c->found = true;
	ns__user__free_unpacked(m, NULL);
	return !c->found;
}

static enum ns_err
check_user(struct request *r, struct store *s, const Ns__User *u)
{
	struct clash c = { .user = u };

	if (!people_name_ok(u->name))
		return request_reject(r, NS_INVALID, ES_USER, "name",
		    "a user's name is 1 to 32 letters, digits, dots, - and _, and neither root, "
		    "nameserve, unknown nor uid-…");
	if (!people_name_ok(u->unix_account))
		return request_reject(r, NS_INVALID, ES_USER, "unix",
		    "--unix takes the name of an account of the host; root is admin already");
	if (user_role_from(u->role) == USER_UNKNOWN)
		return request_reject(
		    r, NS_INVALID, ES_USER, "role", "--role is one of viewer, operator, admin");
	if (store_object_each(s, "user", same_account, &c) != NS_OK)
		return request_reject(r, NS_CORRUPT, ES_STORE, "", "the users cannot be read");
	if (c.found)
		return request_reject(
		    r, NS_CONFLICT, ES_USER, "unix", "another user is that account already");
	return NS_OK;
}

/* What is not given stays as it is. */
static enum ns_err
merge(struct request *r, struct store *s, const Ns__UserSetRequest *in, Ns__User **old)
{
	struct store_object o;
	struct wbuf body = wbuf_grow(STORE_OBJECT_MAX);
	enum ns_err err = store_object_get(s, "user", in->user->name, &o, &body);

	*old = NULL;
	if (err == NS_OK)
		*old = ns__user__unpack(NULL, body.len, body.base);
	wbuf_free(&body);
	if (err != NS_OK && err != NS_NOTFOUND)
		return request_reject(
		    r, err, ES_STORE, "", "the user cannot be read from the store");
	if (err == NS_OK && in->create)
		return request_reject(r, NS_CONFLICT, ES_USER, "name",
		    "there is a user of that name: user set changes him");
	if (err == NS_NOTFOUND && !in->create)
		return request_reject(r, err, ES_NO_OBJECT, "name", "there is no such user");
	return NS_OK;
}

static char *
given_or(char *given, const Ns__User *old, char *const *was)
{
	return given[0] == '\0' && old != NULL ? *was : given;
}

static enum ns_err
set_user(struct request *r, struct batch *b, const Ns__UserSetRequest *in)
{
	struct object_edit e = { "user", in->user->name, in->comment, NULL };
	Ns__User u = NS__USER__INIT, *old;
	enum ns_err err = merge(r, b->store, in, &old);

	u.name = in->user->name;
	u.unix_account =
	    given_or(in->user->unix_account, old, old != NULL ? &old->unix_account : NULL);
	u.role = given_or(in->user->role, old, old != NULL ? &old->role : NULL);
	e.body = &u.base;
	if (err == NS_OK)
		err = check_user(r, b->store, &u);
	if (err == NS_OK)
		err = object_commit(r, b, &e);
	ns__user__free_unpacked(old, NULL);
	return err;
}

enum ns_err
user_set_write(struct request *r, struct batch *b)
{
	const Ns__UserSetRequest *in = r->env->user_set_request;
	struct object_edit gone = { .kind = "user", .comment = in->comment };
	enum ns_err err;

	if (in->user == NULL || in->user->name[0] == '\0')
		return request_reject(r, NS_USAGE, ES_EMPTY, "name", "a user's name is needed");
	gone.name = in->user->name;
	if (in->remove && strcmp(in->confirm, in->user->name) != 0)
		return request_reject(r, NS_CONFIRM, ES_CONFIRM, "confirm",
		    "removing a user takes his name a second time: --confirm=NAME");
	err = in->remove ? object_commit(r, b, &gone) : set_user(r, b, in);
	if (err == NS_OK)
		b->users_changed = true;
	return err;
}

enum ns_err
user_list_read(struct request *r, struct store *s)
{
	struct people *p = people_load(s, NULL);
	Ns__UserListReply *m = xmalloc(sizeof *m);
	struct store_change c;

	ns__user_list_reply__init(m);
	request_reply(r, NS__ENVELOPE__BODY_USER_LIST_REPLY, m);
	m->users = xcalloc(p->count + 1, sizeof *m->users);
	for (size_t i = 0; i < p->count; i++) {
		Ns__UserListReply__Entry *e = m->users[m->n_users++] = xmalloc(sizeof *e);
		const struct person *who = &p->list[i];

		ns__user_list_reply__entry__init(e);
		e->name = xstrdup(who->name);
		e->unix_account = xstrdup(who->unix_account);
		e->role = xstrdup(user_role_name(who->role));
		e->known = who->known;
		if (store_change_get(s, who->version, &c, NULL) == NS_OK)
			e->changed = reply_time(c.at_ms);
		else
			e->changed = xstrdup("");
	}
	people_destroy(&p);
	return NS_OK;
}

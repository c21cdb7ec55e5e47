/* accounts - customers' accounts, and which zones may be in which.
 *
 * A zone equal to, above or below a zone of another account is refused (users.h): its owner could
 * answer for the other's names.  An account's number is its object's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/store/store.h"
#include "appliance/sync/batch.h"
#include "appliance/sync/change.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/reader.h"
#include "appliance/sync/residency.h"
#include "appliance/sync/users.h"
#include "appliance/sync/writer.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

enum ns_err
account_id(struct store *s, const char *name, uint32_t *id, struct ns_why *why)
{
	struct store_object o;
	enum ns_err err;

	*id = 0;
	if (name[0] == '\0')
		return NS_OK;
	err = store_object_get(s, "account", name, &o, NULL);
	if (err == NS_OK && o.id <= UINT32_MAX) {
		*id = (uint32_t)o.id;
		return NS_OK;
	}
	if (err == NS_NOTFOUND)
		return ns_fail(why, err, ES_NO_OBJECT, "there is no account %.64s", name);
	return ns_fail(
	    why, err != NS_OK ? err : NS_CORRUPT, ES_STORE, "the account cannot be read");
}

struct account_names {
	struct {
		uint64_t id;
		char name[PEOPLE_NAME_MAX + 1];
	} * list;
	size_t count;
};

static bool
keep_name(void *arg, const struct store_object *o, const void *body, size_t len)
{
	struct account_names *n = arg;

	(void)body;
	(void)len;
	n->list = xreallocarray(n->list, n->count + 1, sizeof *n->list);
	n->list[n->count].id = o->id;
	snprintf(n->list[n->count++].name, sizeof n->list[0].name, "%.*s", (int)PEOPLE_NAME_MAX,
	    o->name);
	return true;
}

char *
account_name(struct store *s, uint32_t id, struct account_names **names)
{
	struct account_names *n = *names;

	if (id == 0)
		return xstrdup("");
	if (n == NULL) {
		n = *names = xcalloc(1, sizeof *n);
		(void)store_object_each(s, "account", keep_name, n);
	}
	for (size_t i = 0; i < n->count; i++)
		if (n->list[i].id == id)
			return xstrdup(n->list[i].name);
	return xstrdup("?");
}

void
account_names_destroy(struct account_names **names)
{
	if (*names != NULL)
		free((*names)->list);
	free(*names);
	*names = NULL;
}

/* ---- neighbours ---- */
struct neighbour {
	const uint8_t *zone;
	uint32_t account;
	bool found;
	uint8_t other[NAME_MAX_WIRE];
};

static bool
is_strange(struct neighbour *n, const struct store_zone *z)
{
	if (z->account == n->account)
		return false;
	n->found = true;
	memcpy(n->other, z->name, z->name_len);
	return true;
}

/* Those below a name follow it in canonical order. */
static bool
look_below(void *arg, const struct store_zone *z)
{
	struct neighbour *n = arg;

	return name_in(z->name, n->zone) && !is_strange(n, z);
}

static enum ns_err
look_above(struct store *s, struct neighbour *n)
{
	const uint8_t *at = n->zone;
	struct store_zone z;
	enum ns_err err;

	for (;;) {
		err = store_zone_find(s, at, &z);
		if (err != NS_OK && err != NS_NOTFOUND)
			return err;
		if ((err == NS_OK && is_strange(n, &z)) || *at == 0)
			return NS_OK;
		at += 1u + *at;
	}
}

static bool
one_is_enough(void *arg, const struct store_object *o, const void *body, size_t len)
{
	(void)o;
	(void)body;
	(void)len;
	*(bool *)arg = true;
	return false;
}

enum ns_err
account_may_have(struct store *s, const uint8_t *zone, uint32_t account, struct ns_why *why)
{
	struct neighbour n = { .zone = zone, .account = account };
	bool accounts = false;
	char text[NAME_MAX_TEXT];
	enum ns_err err = store_object_each(s, "account", one_is_enough, &accounts);

	if (err == NS_OK && !accounts)
		return NS_OK;
	if (err == NS_OK)
		err = look_above(s, &n);
	if (err == NS_OK && !n.found)
		err = store_zone_each(s, zone, look_below, &n);
	if (err != NS_OK)
		return ns_fail(why, err, ES_STORE, "the zones cannot be read from the store");
	if (!n.found)
		return NS_OK;
	return ns_fail(why, NS_CONFLICT, ES_NEIGHBOUR,
	    "zone %s is in another account: a zone equal to, above or below it could answer for "
	    "its "
	    "names (an admin may allow it)",
	    name_to_text(n.other, text));
}

/* ---- requests ---- */
struct listing {
	Ns__AccountListReply *reply;
	struct store *store;
};

static bool
add_account(void *arg, const struct store_object *o, const void *body, size_t len)
{
	struct listing *a = arg;
	Ns__AccountListReply *m = a->reply;
	Ns__AccountListReply__Entry *e = xmalloc(sizeof *e);

	(void)body;
	(void)len;
	ns__account_list_reply__entry__init(e);
	e->name = xstrdup(o->name);
	e->id = o->id;
	e->sites = residency_account_sites(a->store, o->id, &e->n_sites);
	m->accounts = xreallocarray(m->accounts, m->n_accounts + 1, sizeof *m->accounts);
	m->accounts[m->n_accounts++] = e;
	return true;
}

static bool
count_zone(void *arg, const struct store_zone *z)
{
	Ns__AccountListReply *m = arg;

	for (size_t i = 0; i < m->n_accounts && z->account != 0; i++)
		if (m->accounts[i]->id == z->account)
			m->accounts[i]->zones++;
	return true;
}

enum ns_err
account_list_read(struct request *r, struct store *s)
{
	Ns__AccountListReply *m = xmalloc(sizeof *m);
	struct listing all = { m, s };
	enum ns_err err;

	ns__account_list_reply__init(m);
	request_reply(r, NS__ENVELOPE__BODY_ACCOUNT_LIST_REPLY, m);
	err = store_object_each(s, "account", add_account, &all);
	if (err == NS_OK && m->n_accounts > 0)
		err = store_zone_each(s, NULL, count_zone, m);
	return err == NS_OK ? NS_OK : read_failed(&r->why, err);
}

static bool
has_zone(void *arg, const struct store_zone *z)
{
	struct neighbour *n = arg;

	if (z->account != n->account)
		return true;
	n->found = true;
	memcpy(n->other, z->name, z->name_len);
	return false;
}

static enum ns_err
remove_account(struct request *r, struct batch *b, const Ns__AccountSetRequest *in)
{
	struct object_edit e = { "account", in->account->name, in->comment, NULL };
	struct neighbour n = { 0 };
	char text[NAME_MAX_TEXT];
	enum ns_err err = account_id(b->store, in->account->name, &n.account, &r->why);

	if (err != NS_OK)
		return err;
	if (strcmp(in->confirm, in->account->name) != 0)
		return request_reject(r, NS_CONFIRM, ES_CONFIRM, "confirm",
		    "removing an account takes its name a second time: --confirm=NAME");
	if (store_zone_each(b->store, NULL, has_zone, &n) != NS_OK)
		return request_reject(r, NS_CORRUPT, ES_STORE, "", "the zones cannot be read");
	if (n.found)
		return ns_fail(&r->why, NS_CONFLICT, ES_ACCOUNT,
		    "the account has zones, %s first: move them with zone set ZONE --account NAME",
		    name_to_text(n.other, text));
	return object_commit(r, b, &e);
}

enum ns_err
account_set_write(struct request *r, struct batch *b)
{
	const Ns__AccountSetRequest *in = r->env->account_set_request;
	struct object_edit e = { .kind = "account", .comment = in->comment };
	struct store_object o;
	enum ns_err err;

	if (in->account == NULL || !people_name_ok(in->account->name))
		return request_reject(r, NS_INVALID, ES_ACCOUNT, "name",
		    "an account's name is 1 to 32 letters, digits, dots, - and _");
	if (in->remove)
		return remove_account(r, b, in);
	if (in->sites_given)
		return residency_account_set(r, b);
	err = store_object_get(b->store, "account", in->account->name, &o, NULL);
	if (err == NS_OK)
		return request_reject(
		    r, NS_CONFLICT, ES_ACCOUNT, "name", "there is an account of that name already");
	if (err != NS_NOTFOUND)
		return request_reject(r, err, ES_STORE, "", "the store cannot be read");
	e.name = in->account->name;
	e.body = &in->account->base;
	return object_commit(r, b, &e);
}

/* ---- whose a zone is ---- */
static enum ns_err
move(struct request *r, struct batch *b, struct store_zone *z, uint32_t account)
{
	struct change_zone *cz;
	struct change c;
	enum ns_err err;

	change_begin(&c, &r->caller, "zone", r->env->zone_set_request->comment, b->now_ms, b->term);
	cz = change_zone(&c, NS__CHANGE_BODY__ZONE__KIND__EDIT, z, NULL);
	cz->msg.serial_after = z->serial;
	cz->msg.account_id = account;
	cz->msg.account_given = true;
	err = change_commit(&c, b, &r->why);
	if (err == NS_OK) {
		r->revision = b->revision;
		z->version = b->revision;
		commit_reply_zone(commit_reply_new(r), z, 1);
	}
	change_free(&c);
	return err;
}

enum ns_err
zone_set_write(struct request *r, struct batch *b)
{
	const Ns__ZoneSetRequest *in = r->env->zone_set_request;
	struct store_zone z;
	uint32_t account;
	enum ns_err err = read_zone(b->store, in->zone, &z, &r->why);

	if (err != NS_OK)
		return err;
	if (in->sites_given && in->account_given)
		return request_reject(r, NS_USAGE, ES_RESIDENCY, "sites",
		    "--account and --sites are two steps: set one, then the other");
	if (in->sites_given)
		return residency_zone_set(r, b);
	if (!in->account_given)
		return request_reject(r, NS_USAGE, ES_EMPTY, "",
		    "nothing to set is given: --account NAME or --sites A,B");
	if ((err = account_id(b->store, in->account, &account, &r->why)) != NS_OK)
		return err;
	if (account == z.account)
		return request_reject(
		    r, NS_CONFLICT, ES_ACCOUNT, "account", "the zone is in that account already");
	/* Only an admin may do this at all: it is his word that it may be beside another's. */
	return move(r, b, &z, account);
}

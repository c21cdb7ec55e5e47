/* residencyset - `zone set --sites`, `account set --sites`.  Writer thread of the primary. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/fleet/roster.h"
#include "appliance/sync/batch.h"
#include "appliance/sync/change.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/members.h"
#include "appliance/sync/reader.h"
#include "appliance/sync/residency.h"
#include "appliance/sync/users.h"
#include "appliance/sync/writer.h"
#include "ipc/base/xalloc.h"

static int
cmp_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, each once: the same set is the same bytes.  Borrows the strings; free(m->sites). */
static enum ns_err
sites_read(char *const *sites, size_t n, Ns__Residency *m, struct ns_why *why)
{
	ns__residency__init(m);
	for (size_t i = 0; i < n; i++)
		if (!member_name_ok(sites[i]))
			return ns_fail(why, NS_USAGE, ES_RESIDENCY,
			    "not the name of a site: letters, digits, - . and _, at most %u",
			    FLEET_NAME - 1);
	m->sites = xcalloc(n + 1, sizeof *m->sites);
	if (n > 0) {
		memcpy(m->sites, sites, n * sizeof *sites);
		qsort(m->sites, n, sizeof *m->sites, cmp_text);
	}
	for (size_t i = 0; i < n; i++)
		if (m->n_sites == 0 || strcmp(m->sites[m->n_sites - 1], m->sites[i]) != 0)
			m->sites[m->n_sites++] = m->sites[i];
	if (m->n_sites > RESIDENCY_SITES)
		return ns_fail(why, NS_INVALID, ES_RESIDENCY, "at most %u sites", RESIDENCY_SITES);
	return NS_OK;
}

/* Whoever leads must hold it. */
static enum ns_err
standby_holds(struct store *s, const Ns__Residency *m, struct ns_why *why)
{
	struct roster *roster = members_load(s);
	const struct member *standby = roster_standby(roster);
	enum ns_err err = NS_OK;

	if (standby != NULL &&
	    !residency_names(m->sites, m->n_sites, roster_site(roster, standby->name)))
		err = ns_fail(why, NS_CONFLICT, ES_RESIDENCY,
		    "the standby, %s, is not at one of these sites: the standby holds everything; "
		    "name another one first (fleet standby)",
		    standby->name);
	roster_free(roster);
	free(roster);
	return err;
}

static enum ns_err
leaders_hold(struct request *r, struct store *s, const Ns__Residency *m, struct ns_why *why)
{
	if (m->n_sites == 0)
		return NS_OK;
	if (residency_names(m->sites, m->n_sites, r->own_site))
		return standby_holds(s, m, why);
	return ns_fail(why, NS_CONFLICT, ES_RESIDENCY,
	    "the primary, %s, is at site %s: the primary holds everything, so its site must be "
	    "among "
	    "--sites (or promote another appliance first)",
	    r->own_name, r->own_site[0] != '\0' ? r->own_site : "(none)");
}

struct setting {
	char key[RESIDENCY_KEY];
	Ns__Residency m;
	Ns__ChangeBody__Object object, *list[1];
};

static bool
same(const Ns__Residency *a, const Ns__Residency *b)
{
	if (a == NULL || a->n_sites != b->n_sites)
		return a == NULL && b->n_sites == 0;
	for (size_t i = 0; i < a->n_sites; i++)
		if (strcmp(a->sites[i], b->sites[i]) != 0)
			return false;
	return true;
}

static void
setting_free(struct setting *t)
{
	free(t->m.sites);
	free(t->object.body.data);
}

/* The object of the change; the store gives its number. */
static enum ns_err
setting_object(struct setting *t, struct batch *b, struct ns_why *why)
{
	struct store_object o = { .kind = RESIDENCY_KIND, .version = b->revision + 1 };
	enum ns_err err;

	snprintf(o.name, sizeof o.name, "%s", t->key);
	ns__change_body__object__init(&t->object);
	t->list[0] = &t->object;
	t->object.kind = (char *)(uintptr_t)RESIDENCY_KIND;
	t->object.name = t->key;
	t->object.removed = t->m.n_sites == 0;
	if (t->object.removed) {
		err = store_object_get(b->store, RESIDENCY_KIND, t->key, &o, NULL);
	} else {
		t->object.body.len = ns__residency__get_packed_size(&t->m);
		t->object.body.data = xmalloc(t->object.body.len + 1);
		ns__residency__pack(&t->m, t->object.body.data);
		err = store_object_put(b->store, &o, t->object.body.data, t->object.body.len, why);
	}
	t->object.id = o.id;
	return err == NS_OK ? NS_OK : ns_fail(why, err, ES_STORE, "the store cannot be written");
}

static enum ns_err
setting_read(struct setting *t, struct request *r, struct batch *b, char *const *sites, size_t n)
{
	Ns__Residency *now = residency_get(b->store, t->key[0], strtoull(t->key + 1, NULL, 10));
	enum ns_err err = sites_read(sites, n, &t->m, &r->why);

	if (err == NS_OK && same(now, &t->m))
		err = ns_fail(&r->why, NS_CONFLICT, ES_RESIDENCY, "that is what is set already");
	if (err == NS_OK)
		err = leaders_hold(r, b->store, &t->m, &r->why);
	if (now != NULL)
		ns__residency__free_unpacked(now, NULL);
	return err == NS_OK ? setting_object(t, b, &r->why) : err;
}

enum ns_err
residency_zone_set(struct request *r, struct batch *b)
{
	const Ns__ZoneSetRequest *in = r->env->zone_set_request;
	struct setting t = { .key = "z" };
	struct change_zone *cz;
	struct store_zone z;
	struct change c;
	enum ns_err err = read_zone(b->store, in->zone, &z, &r->why);

	if (err != NS_OK)
		return err;
	snprintf(t.key, sizeof t.key, "z%llu", (unsigned long long)z.id);
	err = setting_read(&t, r, b, in->sites, in->n_sites);
	if (err == NS_OK) {
		change_begin(&c, &r->caller, "zone", in->comment, b->now_ms, b->term);
		cz = change_zone(&c, NS__CHANGE_BODY__ZONE__KIND__EDIT, &z, NULL);
		cz->msg.serial_after = z.serial;
		cz->msg.residency_given = true;
		c.body.objects = t.list;
		c.body.n_objects = 1;
		err = change_commit(&c, b, &r->why);
		change_free(&c);
	}
	if (err == NS_OK) {
		r->revision = z.version = b->revision;
		commit_reply_zone(commit_reply_new(r), &z, 1);
	}
	setting_free(&t);
	return err;
}

enum ns_err
residency_account_set(struct request *r, struct batch *b)
{
	const Ns__AccountSetRequest *in = r->env->account_set_request;
	struct setting t = { .key = "a" };
	Ns__ObjectReply *m;
	struct change c;
	uint32_t id;
	enum ns_err err = account_id(b->store, in->account->name, &id, &r->why);

	if (err != NS_OK)
		return err;
	snprintf(t.key, sizeof t.key, "a%u", id);
	err = setting_read(&t, r, b, in->sites, in->n_sites);
	if (err == NS_OK) {
		change_begin(&c, &r->caller, "account", in->comment, b->now_ms, b->term);
		c.body.objects = t.list;
		c.body.n_objects = 1;
		err = change_commit(&c, b, &r->why);
		change_free(&c);
	}
	if (err == NS_OK) {
		m = xmalloc(sizeof *m);
		ns__object_reply__init(m);
		m->kind = xstrdup("account");
		m->name = xstrdup(in->account->name);
		m->id = id;
		m->revision = b->revision;
		request_reply(r, NS__ENVELOPE__BODY_OBJECT_REPLY, m);
	}
	setting_free(&t);
	return err;
}

/* trash - see trash.h. */
#include "appliance/sync/trash.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/serial.h"
#include "appliance/sync/diff.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/place.h"
#include "appliance/sync/storeview.h"
#include "appliance/sync/users.h"
#include "appliance/sync/window.h"
#include "appliance/sync/writer.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define ZONE_MAX  (1u << 30)
#define LIST_MAX  1000u
#define LIST_SIZE 100u

void
trash_free(struct trash_zone **list)
{
	struct trash_zone *t;

	while ((t = *list) != NULL) {
		*list = t->next;
		wbuf_free(&t->zwire);
		free(t);
	}
}

/* ---- going ---- */
enum ns_err
trash_put(struct store *s, struct change *c, const struct store_zone *z, struct ns_why *why)
{
	struct change_zone *cz;
	struct diff d;
	enum ns_err err;

	diff_init(&d);
	err = store_content_all(s, z, &d.removed);
	if (err == NS_CORRUPT) { /* what cannot be read any more may go all the same */
		diff_free(&d);
		diff_init(&d);
		err = NS_OK;
	}
	if (err != NS_OK || !wbuf_ok(&d.removed)) {
		diff_free(&d);
		return ns_fail(
		    why, err != NS_OK ? err : NS_FAILED, ES_STORE, "the zone cannot be read");
	}
	d.nremoved = z->records;
	cz = change_zone(c, NS__CHANGE_BODY__ZONE__KIND__DELETE, z, &d);
	cz->msg.serial_after = 0;
	cz->msg.whole = cz->msg.removed.len == 0; /* unread: nothing to bring back */
	return NS_OK;
}

/* ---- coming back ---- */
/* Whose it was: it does not become somebody else's. */
static enum ns_err
account_is_there(struct store *s, uint32_t id, struct ns_why *why)
{
	struct account_names *names = NULL;
	char *name = account_name(s, id, &names);
	bool gone = strcmp(name, "?") == 0;

	free(name);
	account_names_destroy(&names);
	return gone ? ns_fail(why, NS_CONFLICT, ES_NO_TRASH,
			  "the account that the zone was in is not there any more")
		    : NS_OK;
}

struct find {
	const uint8_t *name; /* NULL: by id */
	uint64_t id;
	bool found;
	struct store_zone z;
};

static bool
find_one(void *arg, const struct store_zone *z)
{
	struct find *f = arg;

	f->found = f->name != NULL ? name_equal(z->name, f->name) : z->id == f->id;
	if (f->found)
		f->z = *z;
	return !f->found;
}

static int64_t
oldest(int64_t now_ms)
{
	return now_ms - TRASH_MS;
}

enum ns_err
trash_find(struct store *s, const uint8_t *name, int64_t now_ms, struct store_zone *out)
{
	struct find f = { .name = name };
	enum ns_err err = store_tombs(s, oldest(now_ms), find_one, &f);

	*out = f.z;
	return err != NS_OK ? err : f.found ? NS_OK : NS_NOTFOUND;
}

static enum ns_err
may_take(struct batch *b, const Ns__ChangeBody__Zone *m, struct ns_why *why)
{
	struct find f = { .id = m->zone_id };
	struct store_zone z;
	enum ns_err err = store_zone_find(b->store, m->name.data, &z);

	if (err == NS_OK && z.id == m->zone_id)
		return ns_fail(why, NS_CONFLICT, ES_TOUCHED, "the zone is back already");
	if (err == NS_OK)
		return ns_fail(why, NS_CONFLICT, ES_ZONE_EXISTS,
		    "there is a zone of that name already: delete it first");
	if (err == NS_NOTFOUND)
		err = store_tombs(b->store, oldest(b->now_ms), find_one, &f);
	if (err != NS_OK)
		return ns_fail(why, err, ES_STORE, "the store cannot be read");
	if (!f.found)
		return ns_fail(why, NS_NOTFOUND, ES_NO_TRASH,
		    "the zone was deleted more than 30 days ago: import it from a backup");
	if ((err = account_is_there(b->store, (uint32_t)m->account_id, why)) != NS_OK ||
	    (err = account_may_have(b->store, m->name.data, (uint32_t)m->account_id, why)) != NS_OK)
		return err;
	if (m->whole || m->removed.len == 0)
		return ns_fail(why, NS_NOTFOUND, ES_NO_TRASH,
		    "the zone could not be read when it was deleted: restore a backup");
	return NS_OK;
}

enum ns_err
trash_take(struct batch *b, struct change *c, struct trash_zone **list,
    const Ns__ChangeBody__Zone *m, const struct store_change *row, struct ns_why *why)
{
	enum ns_err err = may_take(b, m, why);
	struct store_zone z = {
		.id = m->zone_id, .external = m->external, .account = (uint32_t)m->account_id
	};
	struct change_zone *cz;
	struct trash_zone *t;
	uint32_t serial;
	size_t at;

	(void)row;
	if (err != NS_OK)
		return err;
	t = xcalloc(1, sizeof *t);
	t->next = *list;
	*list = t;
	t->zwire = wbuf_grow(ZONE_MAX);
	wbuf_put(&t->zwire, m->removed.data, m->removed.len);
	z.name_len = (uint8_t)m->name.len;
	memcpy(z.name, m->name.data, m->name.len);
	if (!wbuf_ok(&t->zwire) ||
	    !soa_serial_find(z.name, t->zwire.base, t->zwire.len, &at, &serial))
		return ns_fail(why, NS_CORRUPT, ES_STORE, "the deleted zone cannot be read");
	/* A signature fits one serial only. */
	if (!z.external) {
		serial = serial_next(serial, b->now_ms);
		put_u32(t->zwire.base + at, serial);
	}
	cz = change_zone(c, NS__CHANGE_BODY__ZONE__KIND__CREATE, &z, NULL);
	cz->msg.undelete = true;
	cz->msg.serial_after = serial;
	change_zone_added(c, cz, t->zwire.base, t->zwire.len, m->records_removed);
	return NS_OK;
}

/* ---- `zone restore` ---- */
static const Ns__ChangeBody__Zone *
zone_in(const Ns__ChangeBody *body, uint64_t id)
{
	for (size_t i = 0; body != NULL && i < body->n_zones; i++)
		if (body->zones[i]->zone_id == id &&
		    body->zones[i]->kind == NS__CHANGE_BODY__ZONE__KIND__DELETE)
			return body->zones[i];
	return NULL;
}

static enum ns_err
take_and_commit(struct request *r, struct batch *b, const Ns__ChangeBody__Zone *m,
    const struct store_change *row)
{
	Ns__CommitReply *reply = commit_reply_new(r);
	struct trash_zone *back = NULL;
	struct store_zone z;
	struct change c;
	enum ns_err err;

	change_begin(
	    &c, &r->caller, "undelete", r->env->zone_restore_request->comment, b->now_ms, b->term);
	err = trash_take(b, &c, &back, m, row, &r->why);
	if (err == NS_OK)
		err = change_commit(&c, b, &r->why);
	if (err == NS_OK && store_zone_find(b->store, m->name.data, &z) == NS_OK)
		commit_reply_zone(reply, &z, 1);
	r->revision = reply->revision;
	change_free(&c);
	trash_free(&back);
	return err;
}

enum ns_err
zone_restore_write(struct request *r, struct batch *b)
{
	const Ns__ZoneRestoreRequest *in = r->env->zone_restore_request;
	const Ns__ChangeBody__Zone *m;
	uint8_t name[NAME_MAX_WIRE];
	struct store_change row;
	struct store_zone tomb;
	Ns__ChangeBody *body = NULL;
	enum ns_err err = zone_name_read(in->zone, name, &r->why);

	if (err != NS_OK)
		return err;
	err = trash_find(b->store, name, b->now_ms, &tomb);
	if (err == NS_NOTFOUND) {
		err = ns_fail(
		    &r->why, err, ES_NO_TRASH, "no such zone was deleted in the last 30 days");
	} else if (err == NS_OK) {
		body = change_body_load(b->store, tomb.version, &row);
		m = zone_in(body, tomb.id);
		err = m != NULL ? take_and_commit(r, b, m, &row) : NS_CORRUPT;
	}
	if (err == NS_CORRUPT && r->why.err == NS_OK)
		ns_fail(&r->why, err, ES_STORE, "the change that deleted it cannot be read");
	if (err != NS_OK)
		place_names(&r->why, name, NULL, 0);
	if (body != NULL)
		ns__change_body__free_unpacked(body, NULL);
	return err;
}

/* ---- the list ---- */
struct listing {
	Ns__TrashListReply *m;
	size_t limit;
	struct store *store;
};

static bool
list_one(void *arg, const struct store_zone *z)
{
	struct listing *l = arg;
	Ns__TrashListReply__Item *i;

	if (l->m->n_items == l->limit) {
		l->m->truncated = true;
		return false;
	}
	i = xmalloc(sizeof *i);
	ns__trash_list_reply__item__init(i);
	i->zone = reply_name(z->name);
	i->revision = z->version;
	i->deleted = reply_time(z->changed_ms);
	i->until = reply_time(z->changed_ms + TRASH_MS);
	l->m->items[l->m->n_items++] = i;
	return true;
}

enum ns_err
trash_list_read(struct request *r, struct store *s)
{
	uint32_t limit = r->env->trash_list_request->limit;
	Ns__TrashListReply *m = xmalloc(sizeof *m);
	struct listing l = { .m = m, .store = s, .limit = limit != 0 ? limit : LIST_SIZE };
	enum ns_err err;

	if (l.limit > LIST_MAX)
		l.limit = LIST_MAX;
	ns__trash_list_reply__init(m);
	m->items = xcalloc(l.limit + 1, sizeof *m->items);
	request_reply(r, NS__ENVELOPE__BODY_TRASH_LIST_REPLY, m);
	err = store_tombs(s, oldest(clock_wall_ms()), list_one, &l);
	for (size_t i = 0; i < m->n_items && err == NS_OK; i++) {
		struct store_change row;

		if (store_change_get(s, m->items[i]->revision, &row, NULL) == NS_OK) {
			m->items[i]->author = xstrdup(row.author);
			m->items[i]->records = row.zone_count == 1 ? row.removed : 0;
		}
	}
	return err == NS_OK ? err : ns_fail(&r->why, err, ES_STORE, "the trash cannot be read");
}

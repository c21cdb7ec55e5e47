/* object - a user, an account …: one object put or removed is one change.  Writer thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/batch.h"
#include "appliance/sync/change.h"
#include "appliance/sync/checks.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/users.h"
#include "ipc/base/xalloc.h"

/* In the store first: that is who gives the number. */
static enum ns_err
put(struct batch *b, const struct object_edit *e, Ns__ChangeBody__Object *m, struct ns_why *why)
{
	struct store_object o = { .version = b->revision + 1 };
	enum ns_err err;

	snprintf(o.kind, sizeof o.kind, "%s", e->kind);
	snprintf(o.name, sizeof o.name, "%s", e->name);
	err = store_object_put(b->store, &o, m->body.data, m->body.len, why);
	m->id = o.id;
	return err;
}

static enum ns_err
drop(struct batch *b, const struct object_edit *e, Ns__ChangeBody__Object *m, struct ns_why *why)
{
	struct store_object o;
	enum ns_err err = store_object_get(b->store, e->kind, e->name, &o, NULL);

	if (err == NS_OK)
		err = store_object_drop(b->store, e->kind, e->name, why);
	if (err == NS_NOTFOUND)
		return ns_fail(why, err, ES_NO_OBJECT, "there is no %s %s", e->kind, e->name);
	m->id = o.id;
	m->removed = true;
	return err == NS_OK ? NS_OK : ns_fail(why, err, ES_STORE, "the store cannot be read");
}

static void
reply(struct request *r, const Ns__ChangeBody__Object *m, uint64_t revision)
{
	Ns__ObjectReply *out = xmalloc(sizeof *out);

	ns__object_reply__init(out);
	request_reply(r, NS__ENVELOPE__BODY_OBJECT_REPLY, out);
	out->kind = xstrdup(m->kind);
	out->name = xstrdup(m->name);
	out->id = m->id;
	out->revision = revision;
}

enum ns_err
object_commit(struct request *r, struct batch *b, const struct object_edit *e)
{
	Ns__ChangeBody__Object m = NS__CHANGE_BODY__OBJECT__INIT, *list[1] = { &m };
	struct change c;
	enum ns_err err;

	m.kind = (char *)(uintptr_t)e->kind;
	m.name = (char *)(uintptr_t)e->name;
	if (e->body != NULL) {
		m.body.len = protobuf_c_message_get_packed_size(e->body);
		m.body.data = xmalloc(m.body.len + 1);
		protobuf_c_message_pack(e->body, m.body.data);
	}
	err = e->body != NULL ? put(b, e, &m, &r->why) : drop(b, e, &m, &r->why);
	if (err == NS_OK) {
		change_begin(&c, &r->caller, e->kind, e->comment, b->now_ms, b->term);
		c.body.objects = list;
		c.body.n_objects = 1;
		err = change_end(&c, b->store, &r->why);
		if (err == NS_OK) {
			b->revision = c.row.revision;
			check_delta(b, &m, b->revision);
			reply(r, &m, b->revision);
		}
		change_free(&c);
	}
	free(m.body.data);
	return err;
}

/* change - see change.h.  Writer thread. */
#include "appliance/sync/change.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/store/state.h"
#include "appliance/sync/apply.h"
#include "appliance/sync/errors.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

#define BODY_MAX (512u << 20)

void
change_by(struct store_change *c, const struct caller *who)
{
	snprintf(c->author, sizeof c->author, "%s", who->name);
	snprintf(c->via, sizeof c->via, "%s", who->via);
	snprintf(c->source, sizeof c->source, "%s", who->source);
	snprintf(c->appliance, sizeof c->appliance, "%s", who->appliance);
}

void
change_begin(struct change *c, const struct caller *who, const char *kind, const char *comment,
    int64_t now_ms, uint64_t term)
{
	*c = (struct change){ .body = NS__CHANGE_BODY__INIT };
	c->row.term = term;
	c->row.at_ms = now_ms;
	change_by(&c->row, who);
	snprintf(c->row.kind, sizeof c->row.kind, "%s", kind);
	text_copy(c->row.comment, sizeof c->row.comment, comment);
}

struct change_zone *
change_zone(struct change *c, Ns__ChangeBody__Zone__Kind kind, const struct store_zone *before,
    struct diff *d)
{
	struct change_zone *z = xcalloc(1, sizeof *z);
	size_t len = name_len(before->name);

	if (c->count == c->room) {
		c->room = c->room != 0 ? 2 * c->room : 8;
		c->zones = xreallocarray(c->zones, c->room, sizeof *c->zones);
	}
	c->zones[c->count++] = z;
	ns__change_body__zone__init(&z->msg);
	memcpy(z->name, before->name, len);
	z->msg.kind = kind;
	z->msg.name = (ProtobufCBinaryData){ .len = len, .data = z->name };
	z->msg.base_version = kind == NS__CHANGE_BODY__ZONE__KIND__CREATE ? 0 : before->version;
	z->msg.serial_before = kind == NS__CHANGE_BODY__ZONE__KIND__CREATE ? 0 : before->serial;
	z->msg.zone_id = before->id;
	z->msg.external = before->external;
	if (kind == NS__CHANGE_BODY__ZONE__KIND__CREATE ||
	    kind == NS__CHANGE_BODY__ZONE__KIND__DELETE)
		z->msg.account_id = before->account;
	if (d == NULL)
		return z;
	z->diff = *d;
	diff_init(d);
	z->msg.removed = (ProtobufCBinaryData){ z->diff.removed.len, z->diff.removed.base };
	z->msg.added = (ProtobufCBinaryData){ z->diff.added.len, z->diff.added.base };
	z->msg.records_added = z->diff.nadded;
	z->msg.records_removed = z->diff.nremoved;
	c->row.added += z->diff.nadded;
	c->row.removed += z->diff.nremoved;
	c->bytes += z->diff.removed.len + z->diff.added.len;
	return z;
}

void
change_zone_added(
    struct change *c, struct change_zone *z, const void *zwire, size_t len, uint64_t records)
{
	z->msg.added = (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)zwire };
	z->msg.records_added = records;
	c->row.added += records;
	c->bytes += len;
}

bool
change_may_name_objects(const struct store_change *row)
{
	return row->zone_count == 0 || strcmp(row->kind, "dnssec") == 0 ||
	       strcmp(row->kind, "zone") == 0;
}

/* Pack and append; apply where a batch is given. */
static enum ns_err
finish(struct change *c, struct store *s, struct batch *b, struct ns_why *why)
{
	uint64_t *ids = xcalloc(c->count + 1, sizeof *ids);
	uint8_t *packed;
	enum ns_err err;
	size_t len;

	c->body.zones = xcalloc(c->count + 1, sizeof *c->body.zones);
	c->body.n_zones = c->count;
	for (size_t i = 0; i < c->count; i++) {
		c->body.zones[i] = &c->zones[i]->msg;
		ids[i] = c->zones[i]->msg.zone_id;
	}
	c->row.zone_count = c->count;
	assert(c->body.n_objects == 0 || change_may_name_objects(&c->row));
	len = ns__change_body__get_packed_size(&c->body);
	packed = xmalloc(len + 1);
	ns__change_body__pack(&c->body, packed);
	err = store_change_append(s, &c->row, packed, len, ids, c->count, why);
	if (c->body.cookie_secret.len > 0)
		explicit_bzero(packed, len);
	free(packed);
	if (err == NS_OK && b != NULL)
		err = change_apply(b, &c->row, &c->body, why);
	if (err == NS_OK && b != NULL)
		b->revision = c->row.revision;
	free(c->body.zones);
	c->body.zones = NULL;
	free(ids);
	return err;
}

enum ns_err
change_end(struct change *c, struct store *s, struct ns_why *why)
{
	return finish(c, s, NULL, why);
}

enum ns_err
change_commit(struct change *c, struct batch *b, struct ns_why *why)
{
	return finish(c, b->store, b, why);
}

void
change_free(struct change *c)
{
	for (size_t i = 0; i < c->count; i++) {
		diff_free(&c->zones[i]->diff);
		free(c->zones[i]);
	}
	free(c->zones);
	*c = (struct change){ 0 };
}

Ns__ChangeBody *
change_body_load(struct store *s, uint64_t revision, struct store_change *row)
{
	struct wbuf bytes = wbuf_grow(BODY_MAX);
	Ns__ChangeBody *m = NULL;

	if (store_change_get(s, revision, row, &bytes) == NS_OK)
		m = ns__change_body__unpack(NULL, bytes.len, bytes.base);
	wbuf_free(&bytes);
	return m;
}

enum ns_err
change_missing(struct store *s, uint64_t revision, struct ns_why *why)
{
	uint64_t begins;

	if (store_history(s, &begins) == NS_OK && revision != 0 && revision < begins)
		return ns_fail(why, NS_NOTFOUND, ES_PRUNED,
		    "the history that is kept here begins at change %llu: change %llu is not told "
		    "any more",
		    (unsigned long long)begins, (unsigned long long)revision);
	return ns_fail(why, NS_NOTFOUND, ES_NO_REVISION, "there is no change %llu",
	    (unsigned long long)revision);
}

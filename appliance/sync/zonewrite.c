/* zonewrite - zones made and removed as a whole, one change each.  Writer thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/serial.h"
#include "appliance/dns/zonecheck.h"
#include "appliance/dns/zwire.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/settings.h"
#include "appliance/sync/trash.h"
#include "appliance/sync/window.h"
#include "appliance/sync/storeview.h"
#include "appliance/sync/users.h"
#include "appliance/sync/writer.h"
#include "ipc/base/xalloc.h"

/* A new zone's timers: what RFC 1912 2.2 and RIPE-203 recommend, with a short negative TTL. */
#define APEX_TTL    3600u
#define SOA_REFRESH 7200u
#define SOA_RETRY   3600u
#define SOA_EXPIRE  1209600u
#define SOA_MINIMUM 300u

static enum ns_err
refuse_zone(struct ns_why *why, const char *zone, enum ns_err err, uint16_t code, const char *text)
{
	ns_fail(why, err, code, "%s", text);
	snprintf(why->zone, sizeof why->zone, "%s", zone);
	return err;
}

/* The values of the request, or else the stored setting.  NULL with *err: there is none, or a bad one. */
static Ns__Setting *
values_of(struct request *r, struct store *s, const char *name, char **given, size_t ngiven)
{
	Ns__Setting *m = setting_message(name, "");
	char *stored = NULL, text[NAME_MAX_TEXT];

	for (size_t i = 0; i < ngiven; i++) {
		if (given[i][0] == '\0')
			continue;
		if ((r->err = setting_value(name, given[i], text, sizeof text, &r->why)) != NS_OK)
			break;
		m->values = xreallocarray(m->values, m->n_values + 1, sizeof *m->values);
		m->values[m->n_values++] = xstrdup(text);
	}
	if (r->err == NS_OK && m->n_values == 0 && store_setting_get(s, name, &stored) == NS_OK) {
		ns__setting__free_unpacked(m, NULL);
		m = setting_message(name, stored);
		free(stored);
	}
	return m;
}

static void
put_name(struct wbuf *w, const char *text, const uint8_t *origin)
{
	uint8_t name[NAME_MAX_WIRE];
	size_t len;

	if (name_from_text(text, origin, name, &len, NULL) == NS_OK)
		wbuf_put(w, name, len);
	else
		w->bad = true;
}

static void
add_soa(
    struct rrpile *pile, const uint8_t *apex, const char *mname, const char *rname, uint32_t serial)
{
	static const uint32_t timers[] = { SOA_REFRESH, SOA_RETRY, SOA_EXPIRE, SOA_MINIMUM };
	uint8_t mem[2 * NAME_MAX_WIRE + 20];
	struct wbuf w = wbuf_init(mem, sizeof mem);

	put_name(&w, mname, apex);
	put_name(&w, rname, apex);
	wbuf_u32(&w, serial);
	for (size_t i = 0; i < sizeof timers / sizeof timers[0]; i++)
		wbuf_u32(&w, timers[i]);
	if (wbuf_ok(&w))
		rrpile_add(pile, apex, RR_SOA, APEX_TTL, mem, w.len, 0);
}

static enum ns_err
build_apex(const uint8_t *apex, const Ns__Setting *ns, const char *hostmaster, uint32_t serial,
    struct wbuf *out, uint64_t *records, struct ns_why *why)
{
	struct rrpile *pile = rrpile_new();
	struct zwire_view *view;
	enum ns_err err;

	add_soa(pile, apex, ns->values[0], hostmaster, serial);
	for (size_t i = 0; i < ns->n_values; i++) {
		uint8_t mem[NAME_MAX_WIRE];
		struct wbuf w = wbuf_init(mem, sizeof mem);

		put_name(&w, ns->values[i], apex);
		if (wbuf_ok(&w))
			rrpile_add(pile, apex, RR_NS, APEX_TTL, mem, w.len, 0);
	}
	err = rrpile_to_zwire(pile, out, records, why);
	rrpile_destroy(&pile);
	if (err != NS_OK)
		return err;
	view = zwire_view_new(apex, out->base, out->len);
	err = zonecheck_all(zwire_view_get(view), NULL, NULL, why);
	zwire_view_destroy(&view);
	return err;
}

static enum ns_err
store_new(struct request *r, struct batch *b, struct store_zone *z, const struct wbuf *zwire,
    uint64_t records)
{
	const Ns__ZoneCreateRequest *in = r->env->zone_create_request;
	struct change_zone *cz;
	struct change c;
	enum ns_err err;

	z->version = b->revision + 1;
	z->changed_ms = b->now_ms;
	if ((err = store_zone_put(b->store, z, &r->why)) != NS_OK)
		return err;
	batch_touch(b, z, NULL);
	err = store_content_put(b->store, z->id, true, zwire->base, zwire->len, &r->why);
	if (err != NS_OK)
		return err;
	change_begin(&c, &r->caller, "create", in->comment, b->now_ms, b->term);
	cz = change_zone(&c, NS__CHANGE_BODY__ZONE__KIND__CREATE, z, NULL);
	cz->msg.serial_after = z->serial;
	change_zone_added(&c, cz, zwire->base, zwire->len, records);
	err = change_end(&c, b->store, &r->why);
	if (err == NS_OK) {
		b->revision = c.row.revision;
		b->zones++;
		r->revision = b->revision;
		commit_reply_zone(commit_reply_new(r), z, 1);
	}
	change_free(&c);
	return err;
}

enum ns_err
zone_create_write(struct request *r, struct batch *b)
{
	const Ns__ZoneCreateRequest *in = r->env->zone_create_request;
	struct store_zone z = { 0 };
	Ns__Setting *ns, *host;
	struct wbuf zwire = wbuf_grow(OWNER_MAX_WIRE);
	uint64_t records;
	enum ns_err err = zone_name_read(in->zone, z.name, &r->why);

	if (err != NS_OK)
		return err;
	z.name_len = (uint8_t)name_len(z.name);
	if ((err = store_zone_find(b->store, z.name, &(struct store_zone){ 0 })) == NS_OK)
		return refuse_zone(&r->why, in->zone, NS_CONFLICT, ES_ZONE_EXISTS,
		    "there is a zone of that name already");
	if (err != NS_NOTFOUND)
		return ns_fail(&r->why, err, ES_STORE, "the store cannot be read");
	ns = values_of(r, b->store, "nameservers", in->ns, in->n_ns);
	host = values_of(r, b->store, "hostmaster", (char **)&in->hostmaster, 1);
	err = r->err;
	if (err == NS_OK && ns->n_values == 0)
		err = refuse_zone(&r->why, in->zone, NS_INVALID, ES_NO_NS,
		    "the zone needs name servers: give --ns NAME, or set them once for all with "
		    "settings set nameservers NS,NS");
	if (err == NS_OK)
		err = account_id(b->store, in->account, &z.account, &r->why);
	if (err == NS_OK && r->caller.role < USER_ADMIN)
		err = account_may_have(b->store, z.name, z.account, &r->why);
	z.serial = serial_next(0, b->now_ms);
	if (err == NS_OK)
		err = build_apex(z.name, ns, host->n_values > 0 ? host->values[0] : "hostmaster",
		    z.serial, &zwire, &records, &r->why);
	if (err == NS_OK)
		err = store_new(r, b, &z, &zwire, records);
	ns__setting__free_unpacked(ns, NULL);
	ns__setting__free_unpacked(host, NULL);
	wbuf_free(&zwire);
	return err;
}

static enum ns_err
drop_zone(struct request *r, struct batch *b, const struct store_zone *z)
{
	struct change c;
	enum ns_err err = window_check(b->store, z, NULL, 0, r, &r->why);

	if (err != NS_OK)
		return err;
	change_begin(
	    &c, &r->caller, "delete", r->env->zone_delete_request->comment, b->now_ms, b->term);
	err = trash_put(b->store, &c, z, &r->why);
	if (err == NS_OK)
		err = change_commit(&c, b, &r->why);
	if (err == NS_OK) {
		r->revision = b->revision;
		commit_reply_new(r)->revision = b->revision;
	}
	change_free(&c);
	return err;
}

enum ns_err
zone_delete_write(struct request *r, struct batch *b)
{
	const Ns__ZoneDeleteRequest *in = r->env->zone_delete_request;
	uint8_t name[NAME_MAX_WIRE], confirm[NAME_MAX_WIRE];
	struct ns_why bad = { 0 };
	struct store_zone z;
	enum ns_err err = zone_name_read(in->zone, name, &r->why);

	if (err != NS_OK)
		return err;
	err = store_zone_find(b->store, name, &z);
	if (err == NS_NOTFOUND)
		return refuse_zone(&r->why, in->zone, err, ES_NO_ZONE, "there is no such zone");
	if (err != NS_OK)
		return ns_fail(&r->why, err, ES_STORE, "the store cannot be read");
	if (zone_name_read(in->confirm, confirm, &bad) != NS_OK || !name_equal(name, confirm))
		return refuse_zone(&r->why, in->zone, NS_CONFIRM, ES_CONFIRM,
		    "deleting a zone takes its name a second time: --confirm=ZONE");
	return drop_zone(r, b, &z);
}

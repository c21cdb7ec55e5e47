/* aliaslist.c - alias list, and ALIASes in an export; see aliases.h.
 *
 * Which there are is the store's index, what is known of their targets stands where the workers read it. */
#include "appliance/sync/aliases.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zonetext.h"
#include "appliance/dns/zwire.h"
#include "appliance/role/role.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/reader.h"
#include "appliance/zonemap/board.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define LIMIT_DEFAULT 100u
#define LIMIT_MAX     1000u

static struct board board;

void
aliases_open(void)
{
	(void)board_map(&board, ROLE_FD_BOARD, false);
}

const struct board *
aliases_board(void)
{
	return &board;
}

bool
aliases_known(const uint8_t *name, struct alias_known *known)
{
	return alias_read(board.aliases, name, known);
}

/* ---- alias list ---- */
struct listing {
	struct store *store;
	Ns__AliasListReply *m;
	uint64_t zone; /* 0: all */
	size_t limit, skip;
	uint32_t now_s;
};

static void
add_addresses(Ns__AliasListReply__Item *it, const struct alias_known *k, uint32_t now_s)
{
	static const int families[ALIAS_FAMILIES] = { AF_INET, AF_INET6 };
	char text[INET6_ADDRSTRLEN];
	uint32_t ttl, least = UINT32_MAX, keep = 0;

	it->addresses = xcalloc(2 * ALIAS_ADDRESSES, sizeof *it->addresses);
	for (unsigned f = 0; f < ALIAS_FAMILIES; f++) {
		const struct alias_addresses *a = &k->family[f];

		if (!alias_ttl(a, now_s, &ttl))
			continue;
		least = ttl < least ? ttl : least;
		keep = a->keep - now_s > keep ? a->keep - now_s : keep;
		for (unsigned i = 0; i < a->count; i++)
			if (inet_ntop(families[f], a->octets[i], text, sizeof text) != NULL)
				it->addresses[it->n_addresses++] = xstrdup(text);
	}
	it->ttl_s = least != UINT32_MAX ? least : 0;
	it->keep_s = keep;
}

static const char *
state_of(const Ns__AliasListReply__Item *it, const struct alias_known *k)
{
	bool had =
	    k->family[ALIAS_V4].state == ALIAS_HERE || k->family[ALIAS_V6].state == ALIAS_HERE;

	if (k->tried == 0)
		return "unknown";
	if (it->n_addresses > 0)
		return k->fault == ALIAS_OK ? "ok" : "stale";
	return k->fault == ALIAS_OK && !had ? "ok" : "lost";
}

static void
describe(const struct listing *l, const uint8_t *target, Ns__AliasListReply__Item *it)
{
	struct alias_known k = { 0 };
	bool ours = alias_is_ours(l->store, target);

	if (aliases_known(target, &k)) {
		add_addresses(it, &k, l->now_s);
		it->good_s = k.good != 0 && k.good <= l->now_s ? l->now_s - k.good + 1 : 0;
		if (k.fault != ALIAS_OK && !ours)
			it->reason = xstrdup(alias_fault_text((enum alias_fault)k.fault));
	}
	it->state = xstrdup(ours ? "ours" : state_of(it, &k));
}

static bool
take(void *arg, const struct store_mentioned *m)
{
	struct listing *l = arg;
	Ns__AliasListReply__Item *it;
	char text[NAME_MAX_TEXT];
	struct store_zone z;

	if (l->zone != 0 && m->zone != l->zone)
		return true;
	if (l->m->total++ < l->skip || l->m->n_items == l->limit)
		return true;
	it = xmalloc(sizeof *it);
	ns__alias_list_reply__item__init(it);
	if (store_zone_by_id(l->store, m->zone, &z) == NS_OK)
		it->zone = xstrdup(name_to_text(z.name, text));
	it->name = xstrdup(name_to_text(m->owner, text));
	it->target = xstrdup(name_to_text(m->name, text));
	describe(l, m->name, it);
	l->m->items[l->m->n_items++] = it;
	return true;
}

enum ns_err
alias_list_read(struct request *r, struct store *s)
{
	const Ns__AliasListRequest *in = r->env->alias_list_request;
	struct listing l = { .store = s, .now_s = clock_wall_s(), .limit = in->limit };
	struct store_zone z;
	enum ns_err err;
	uint8_t at[4];
	size_t len;

	if (l.limit == 0 || l.limit > LIMIT_MAX)
		l.limit = l.limit == 0 ? LIMIT_DEFAULT : LIMIT_MAX;
	if (in->cursor[0] != '\0') {
		if (!cursor_read(in->cursor, at, sizeof at, &len) || len != sizeof at)
			return ns_fail(
			    &r->why, NS_USAGE, ES_CURSOR, "not a cursor of an alias list");
		l.skip = get_u32(at);
	}
	if (in->zone[0] != '\0') {
		if ((err = read_zone(s, in->zone, &z, &r->why)) != NS_OK)
			return err;
		l.zone = z.id;
	}
	l.m = xmalloc(sizeof *l.m);
	ns__alias_list_reply__init(l.m);
	l.m->items = xcalloc(l.limit, sizeof *l.m->items);
	request_reply(r, NS__ENVELOPE__BODY_ALIAS_LIST_REPLY, l.m);
	err = store_mention_each(s, STORE_ALIASES, NULL, 0, take, &l);
	if (err != NS_OK)
		return read_failed(&r->why, err);
	if (l.m->total > l.skip + l.limit) {
		put_u32(at, (uint32_t)(l.skip + l.limit));
		l.m->next = cursor_make(at, sizeof at);
	}
	return NS_OK;
}

/* ---- export ---- */
static void
put_family(const struct rrset *alias, const struct alias_addresses *a, uint16_t type,
    uint32_t now_s, struct wbuf *out)
{
	struct wbuf list = wbuf_grow(ALIAS_ADDRESSES * 18u);
	struct rrset set = *alias;
	uint16_t len = type == RR_A ? 4 : 16;
	uint32_t ttl;

	if (alias_ttl(a, now_s, &ttl)) {
		for (unsigned i = 0; i < a->count; i++) {
			wbuf_u16(&list, len);
			wbuf_put(&list, a->octets[i], len);
		}
		set.type = type;
		set.count = a->count;
		set.rdata = list.base;
		set.rdata_len = list.len;
		rrset_to_text(&set, out);
	}
	wbuf_free(&list);
}

void
alias_to_zone(const struct rrset *alias, struct wbuf *out)
{
	struct rbuf r = rbuf_init(alias->rdata, alias->rdata_len);
	char owner[NAME_MAX_TEXT], target[NAME_MAX_TEXT], ttl[16];
	struct alias_known known;
	const uint8_t *rdata;
	uint8_t name[NAME_MAX_WIRE];
	size_t len;

	rdata = rrset_next_rdata(&r, &len);
	if (rdata == NULL || name_check(rdata, len) != len)
		return;
	name_to_text(alias->owner, owner);
	name_to_text(rdata, target);
	snprintf(ttl, sizeof ttl, " %u ", alias->ttl);
	wbuf_put(out, ";ns-alias ", 10);
	wbuf_put(out, owner, strlen(owner));
	wbuf_put(out, ttl, strlen(ttl));
	wbuf_put(out, target, strlen(target));
	wbuf_u8(out, '\n');
	name_lower(name, rdata, len);
	if (!aliases_known(name, &known))
		return;
	put_family(alias, &known.family[ALIAS_V4], RR_A, clock_wall_s(), out);
	put_family(alias, &known.family[ALIAS_V6], RR_AAAA, clock_wall_s(), out);
}

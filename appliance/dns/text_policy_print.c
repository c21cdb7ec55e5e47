/* text_policy_print.c - a policy's form back to the JSON that made it; see text_policy.h.
 *
 * What is a default is left out, but for `serve`. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "appliance/dns/policy.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/text_policy.h"
#include "appliance/dns/zonetext.h"
#include "ipc/base/xalloc.h"

static json_t *node_json(const struct policy *, uint16_t to, unsigned depth);

static json_t *
name_json(const struct policy *po, uint16_t at)
{
	size_t len = 0;
	const char *name = policy_name(po, at, &len);

	return name != NULL ? json_stringn(name, len) : NULL;
}

static json_t *
pool_json(const struct policy *po, uint16_t index)
{
	struct policy_pool pool;

	if (!policy_pool_at(po, index, &pool))
		return NULL;
	return json_pack("{so*}", "pool", name_json(po, pool.name));
}

static json_t *
key_json(const struct policy_key *k)
{
	static const char *const words[] = { [POLICY_ASN] = "asn",
		[POLICY_CITY] = "city",
		[POLICY_SUBDIVISION] = "subdivision",
		[POLICY_COUNTRY] = "country",
		[POLICY_CONTINENT] = "continent" };
	char address[INET6_ADDRSTRLEN];

	switch (k->kind) {
	case POLICY_CIDR4:
	case POLICY_CIDR6:
		inet_ntop(
		    k->kind == POLICY_CIDR4 ? AF_INET : AF_INET6, k->data, address, sizeof address);
		return json_sprintf("cidr:%s/%u", address, k->bits);
	case POLICY_ASN:
	case POLICY_CITY:
		return json_sprintf("%s:%u", words[k->kind], get_u32(k->data));
	default:
		return json_sprintf("%s:%.15s", words[k->kind], (const char *)k->data);
	}
}

static json_t *
edge_json(const struct policy *po, unsigned kind, unsigned i, unsigned depth)
{
	struct policy_edge e;
	struct policy_key k;
	json_t *item, *match;

	if (!policy_edge_at(po, i, &e))
		return NULL;
	if (kind == POLICY_FAILOVER)
		return node_json(po, e.to, depth);
	item = json_object();
	if (kind == POLICY_WEIGHTED)
		json_object_set_new(item, "weight", json_integer(e.weight));
	if (kind == POLICY_GEO) {
		match = json_array();
		for (unsigned n = 0; n < e.nkeys && policy_key_at(po, e.key + n, &k); n++)
			json_array_append_new(match, key_json(&k));
		json_object_set_new(item, "match", match);
	}
	json_object_set_new(item, "then", node_json(po, e.to, depth));
	return item;
}

static json_t *
node_json(const struct policy *po, uint16_t to, unsigned depth)
{
	static const char *const words[] = { "geo", "failover", "weighted", "latency" };
	static const char *const lists[] = { "rules", "order", "branches", "branches" };
	struct policy_node n;
	json_t *node, *list;

	if (to & POLICY_POOL)
		return pool_json(po, (uint16_t)(to & ~POLICY_POOL));
	if (depth == 0 || !policy_node_at(po, to, &n))
		return NULL;
	node = json_pack("{ss}", "use", words[n.kind]);
	if (n.flags & POLICY_STICKY)
		json_object_set_new(node, "sticky", json_string("network"));
	if (n.flags & POLICY_NO_FALLBACK)
		json_object_set_new(node, "fallback", json_string("none"));
	list = json_array();
	for (unsigned i = 0; i < n.count; i++)
		json_array_append_new(list, edge_json(po, n.kind, n.first + i, depth - 1));
	json_object_set_new(node, lists[n.kind], list);
	if (n.kind == POLICY_GEO)
		json_object_set_new(node, "default", node_json(po, n.otherwise, depth - 1));
	return node;
}

static json_t *
answer_json(const struct policy *po, unsigned i)
{
	static const size_t room = 5 * 65536; /* every octet as \DDD, and quotes */
	struct policy_answer a = { 0 };
	json_t *answer = json_object();
	char *text = xmalloc(room);

	if (policy_answer_at(po, i, &a) && rdata_to_text(po->type, a.rdata, a.rdlen, text, room))
		json_object_set_new(answer, "value", json_string(text));
	free(text);
	if (a.weight != 1)
		json_object_set_new(answer, "weight", json_integer(a.weight));
	if (a.check_name != 0)
		json_object_set_new(answer, "check", name_json(po, a.check_name));
	if (a.flags & POLICY_DRAIN)
		json_object_set_new(answer, "drain", json_true());
	return answer;
}

static json_t *
pool_body(const struct policy *po, const struct policy_pool *pool)
{
	static const char *const down[] = { "open", "closed", "last" };
	json_t *body = json_object(), *list = json_array();

	json_object_set_new(body, "serve",
	    pool->serve == POLICY_SOME ? json_integer(pool->k)
				       : json_string(pool->serve == POLICY_ONE ? "one" : "all"));
	if (pool->percent)
		json_object_set_new(body, "min_healthy", json_sprintf("%u%%", pool->least));
	else if (pool->least != 1)
		json_object_set_new(body, "min_healthy", json_integer(pool->least));
	if (pool->when_down == POLICY_STAND_IN)
		json_object_set_new(body, "when_down", pool_json(po, pool->stand_in));
	else if (pool->when_down != POLICY_OPEN)
		json_object_set_new(body, "when_down", json_string(down[pool->when_down]));
	for (unsigned i = 0; i < pool->count; i++)
		json_array_append_new(list, answer_json(po, pool->first + i));
	json_object_set_new(body, "answers", list);
	return body;
}

bool
policy_to_text(const uint8_t *rdata, size_t len, struct wbuf *out)
{
	char word[RRTYPE_MAX_TEXT], name[POLICY_NAME + 1], *text;
	struct policy po;
	struct policy_pool pool;
	json_t *doc, *pools;
	size_t n;

	if (policy_check(rdata, len) != NULL || !policy_open(&po, rdata, len))
		return false;
	pools = json_object();
	for (unsigned i = 0; i < po.npools && policy_pool_at(&po, i, &pool); i++) {
		const char *p = policy_name(&po, pool.name, &n);

		snprintf(name, sizeof name, "%.*s", (int)n, p);
		json_object_set_new(pools, name, pool_body(&po, &pool));
	}
	doc = json_pack("{sIsoso}", "ttl", (json_int_t)po.ttl, "root",
	    node_json(&po, po.root, POLICY_DEPTH + 1), "pools", pools);
	text = doc != NULL ? json_dumps(doc, JSON_COMPACT) : NULL;
	json_decref(doc);
	if (text == NULL)
		return false;
	rrtype_to_text(po.type, word);
	wbuf_put(out, word, strlen(word));
	wbuf_u8(out, ' ');
	wbuf_put(out, text, strlen(text));
	free(text);
	return true;
}

static void
put_projection(const struct rrset *set, const uint8_t *rdata, size_t len, struct wbuf *out)
{
	uint16_t answer[POLICY_PICK];
	struct wbuf list = wbuf_grow(2 * POLICY_SIZE);
	struct policy po;
	struct policy_answer a;
	struct rrset plain = *set;

	if (policy_open(&po, rdata, len)) {
		plain.type = po.type;
		plain.ttl = po.ttl;
		plain.count = (uint16_t)policy_projection(&po, answer);
		for (unsigned i = 0; i < plain.count && policy_answer_at(&po, answer[i], &a); i++) {
			wbuf_u16(&list, a.rdlen);
			wbuf_put(&list, a.rdata, a.rdlen);
		}
		plain.rdata = list.base;
		plain.rdata_len = list.len;
		if (list.len > 0)
			rrset_to_text(&plain, out);
	}
	wbuf_free(&list);
}

void
policies_to_zone(const struct rrset *set, struct wbuf *out)
{
	struct rbuf r = rbuf_init(set->rdata, set->rdata_len);
	char owner[NAME_MAX_TEXT];
	const uint8_t *rdata;
	size_t len, start;

	name_to_text(set->owner, owner);
	while ((rdata = rrset_next_rdata(&r, &len)) != NULL) {
		start = out->len;
		wbuf_put(out, ";ns-policy ", 11);
		wbuf_put(out, owner, strlen(owner));
		wbuf_u8(out, ' ');
		if (!policy_to_text(rdata, len, out)) {
			out->len = start;
			continue;
		}
		wbuf_u8(out, '\n');
		put_projection(set, rdata, len, out);
	}
}

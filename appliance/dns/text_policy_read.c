/* text_policy_read.c - the JSON of a policy into its form; see text_policy.h and policy.h.
 *
 * One struct reading per policy.  A node's edges and keys are laid down before its branches are read, so
 * that they stand side by side and every branch lies behind its node. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "appliance/dns/codes.h"
#include "appliance/dns/policy.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/text_policy.h"
#include "appliance/dns/zonetext.h"
#include "ipc/base/hash.h"
#include "ipc/base/xalloc.h"

#define PATH_MAX_TEXT 160u
#define TTL_DEFAULT   30u
#define TEXT_LIMIT    (256u << 10) /* of JSON: what POLICY_SIZE octets can say, and more */

struct reading {
	uint16_t type;
	struct ns_why *why;
	json_t *pools;
	unsigned npools, nnodes, nedges, nkeys, nanswers, depth;
	const char *pool_name[POLICY_POOLS];
	bool used[POLICY_POOLS], never_down[POLICY_POOLS];
	struct wbuf nodes, edges, keys, pool, answers, data;
	size_t data_at; /* where the data will begin */
	char path[PATH_MAX_TEXT];
};

static enum ns_err __attribute__((format(printf, 3, 4)))
refuse(struct reading *r, uint16_t code, const char *fmt, ...)
{
	char text[320];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (r->why != NULL)
		snprintf(r->why->field, sizeof r->why->field, "%.31s", r->path);
	return ns_fail(r->why, NS_INVALID, code, "%s: %s", r->path, text);
}

/* One step down; the length to go back to. */
static size_t __attribute__((format(printf, 2, 3))) enter(struct reading *r, const char *fmt, ...)
{
	size_t len = strlen(r->path);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->path + len, sizeof r->path - len, fmt, ap);
	va_end(ap);
	return len;
}

/* Members that are none of `names` (by spaces) are slips of the hand. */
static enum ns_err
only(struct reading *r, json_t *object, const char *names)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return refuse(r, E_POLICY, "an object is expected");
	json_object_foreach(object, key, value)
	{
		size_t n = strcspn(key, " ");
		const char *p = n > 0 && key[n] == '\0' ? names : NULL;

		while (p != NULL && (p = strstr(p, key)) != NULL &&
		       !((p == names || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0')))
			p++;
		if (p == NULL)
			return refuse(
			    r, E_POLICY, "there is no member \"%.40s\" here, only: %s", key, names);
	}
	return NS_OK;
}

static enum ns_err
number(struct reading *r, json_t *object, const char *name, uint32_t max, uint32_t *out)
{
	json_t *v = json_object_get(object, name);

	if (v == NULL)
		return NS_OK;
	if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > max)
		return refuse(r, E_POLICY, "%s: a whole number from 0 to %u", name, max);
	*out = (uint32_t)json_integer_value(v);
	return NS_OK;
}

static bool
name_ok(const char *name)
{
	size_t n = name != NULL ? strlen(name) : 0;

	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)name[i] <= ' ' || name[i] == 127)
			return false;
	}
	return n > 0 && n <= POLICY_NAME;
}

/* Where it will stand; the same name twice stands twice. */
static uint16_t
put_name(struct reading *r, const char *name)
{
	uint16_t at = (uint16_t)(r->data_at + r->data.len);

	wbuf_u8(&r->data, (uint8_t)strlen(name));
	wbuf_put(&r->data, name, strlen(name));
	return at;
}

static uint32_t
identity(const void *p, size_t len)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a: the same on every appliance, for ever */
	const uint8_t *s = p;

	for (size_t i = 0; i < len; i++)
		h = (h ^ s[i]) * 1099511628211u;
	return (uint32_t)(h ^ h >> 32);
}

/* ---- answers and pools ---- */

/* The value with two origins: what differs was a relative name. */
static enum ns_err
read_value(struct reading *r, const char *text, uint8_t *rdata, size_t *len)
{
	static const uint8_t root[] = { 0 }, other[] = { 1, 'x', 0 };
	uint8_t again[UINT16_MAX];
	struct ns_why why = { 0 };
	size_t n;

	if (rdata_from_text(r->type, text, root, true, rdata, UINT16_MAX, len, &why) != NS_OK) {
		char word[RRTYPE_MAX_TEXT];

		return refuse(r, E_POLICY_VALUE, "\"%.80s\" is no %s: %.160s", text,
		    rrtype_to_text(r->type, word), why.text);
	}
	if (rdata_from_text(r->type, text, other, true, again, sizeof again, &n, NULL) != NS_OK ||
	    n != *len || memcmp(rdata, again, n) != 0)
		return refuse(r, E_POLICY_VALUE,
		    "\"%.80s\": names in a policy are absolute, with a final dot", text);
	return NS_OK;
}

static enum ns_err
read_answer(struct reading *r, json_t *a, bool *may_be_down)
{
	uint8_t rdata[UINT16_MAX];
	json_t *value = json_object_get(a, "value"), *check = json_object_get(a, "check");
	const json_t *drain = json_object_get(a, "drain");
	uint32_t weight = 1;
	uint16_t at, check_at = 0;
	size_t len;
	enum ns_err err = only(r, a, "value weight check drain");

	if (err == NS_OK && !json_is_string(value))
		err = refuse(r, E_POLICY, "\"value\" is missing: the record data as text");
	if (err == NS_OK)
		err = number(r, a, "weight", UINT16_MAX, &weight);
	if (err == NS_OK && check != NULL && !name_ok(json_string_value(check)))
		err = refuse(r, E_POLICY, "\"check\" is the name of a check");
	if (err == NS_OK && drain != NULL && !json_is_boolean(drain))
		err = refuse(r, E_POLICY, "\"drain\" is true or false");
	if (err == NS_OK)
		err = read_value(r, json_string_value(value), rdata, &len);
	if (err != NS_OK)
		return err;
	*may_be_down = check != NULL || json_is_true(drain);
	if (check != NULL)
		check_at = put_name(r, json_string_value(check));
	at = (uint16_t)(r->data_at + r->data.len);
	wbuf_u16(&r->data, (uint16_t)len);
	wbuf_put(&r->data, rdata, len);
	if (r->data_at + r->data.len > POLICY_SIZE)
		return refuse(
		    r, E_POLICY_LIMIT, "the policy is larger than %u octets", POLICY_SIZE);
	wbuf_u64(&r->answers, 0);
	wbuf_u32(&r->answers, identity(rdata, len));
	wbuf_u16(&r->answers, (uint16_t)weight);
	wbuf_u16(&r->answers, at);
	wbuf_u16(&r->answers, check_at);
	wbuf_u16(&r->answers, json_is_true(drain) ? POLICY_DRAIN : 0);
	return NS_OK;
}

static enum ns_err
find_pool(struct reading *r, json_t *object, unsigned *index)
{
	const char *name = json_string_value(json_object_get(object, "pool"));

	if (name == NULL)
		return refuse(r, E_POLICY, "\"pool\" is the name of a pool");
	for (*index = 0; *index < r->npools; ++*index) {
		if (strcmp(r->pool_name[*index], name) == 0) {
			r->used[*index] = true;
			return NS_OK;
		}
	}
	return refuse(r, E_POLICY_POOL, "there is no pool \"%.63s\"", name);
}

static enum ns_err
read_serve(struct reading *r, json_t *pool, uint8_t *serve, uint16_t *k)
{
	json_t *v = json_object_get(pool, "serve");
	const char *word = json_string_value(v);

	*serve = POLICY_ALL;
	*k = 0;
	if (v == NULL || (word != NULL && strcmp(word, "all") == 0))
		return NS_OK;
	if (word != NULL && strcmp(word, "one") == 0) {
		*serve = POLICY_ONE;
		return NS_OK;
	}
	if (!json_is_integer(v) || json_integer_value(v) < 1 || json_integer_value(v) > POLICY_PICK)
		return refuse(r, E_POLICY, "serve: \"all\", \"one\" or a number from 1");
	*serve = POLICY_SOME;
	*k = (uint16_t)json_integer_value(v);
	return NS_OK;
}

static enum ns_err
read_least(struct reading *r, json_t *pool, size_t count, uint16_t *least, bool *percent)
{
	json_t *v = json_object_get(pool, "min_healthy");
	const char *text = json_string_value(v);
	long n = 1;
	char *end = NULL;

	*percent = text != NULL;
	if (text != NULL)
		n = strtol(text, &end, 10);
	else if (v != NULL)
		n = json_is_integer(v) ? (long)json_integer_value(v) : 0;
	if (text != NULL && (!isdigit((unsigned char)*text) || strcmp(end, "%") != 0 || n > 100))
		n = 0;
	if (n < 1 || (text == NULL && (size_t)n > count))
		return refuse(r, E_POLICY,
		    "min_healthy: 1 to %zu, the pool's answers, or \"1%%\" to \"100%%\"", count);
	*least = (uint16_t)n;
	return NS_OK;
}

static enum ns_err
read_down(struct reading *r, json_t *pool, unsigned self, uint8_t *down, uint16_t *stand_in)
{
	static const char *const words[] = { "open", "closed", "last" };
	json_t *v = json_object_get(pool, "when_down");
	const char *word = json_string_value(v);
	size_t back;
	unsigned index;
	enum ns_err err;

	*down = POLICY_OPEN;
	*stand_in = 0;
	if (v == NULL)
		return NS_OK;
	for (unsigned i = 0; word != NULL && i < 3; i++) {
		if (strcmp(word, words[i]) == 0) {
			*down = (uint8_t)i;
			return NS_OK;
		}
	}
	back = enter(r, ".when_down");
	if (!json_is_object(v))
		return refuse(r, E_POLICY, "\"open\", \"closed\", \"last\" or {\"pool\": NAME}");
	err = only(r, v, "pool");
	if (err == NS_OK)
		err = find_pool(r, v, &index);
	if (err == NS_OK && index == self)
		err = refuse(r, E_POLICY_POOL, "the pool cannot stand in for itself");
	if (err != NS_OK)
		return err;
	r->path[back] = '\0';
	*down = POLICY_STAND_IN;
	*stand_in = (uint16_t)index;
	return NS_OK;
}

static enum ns_err
read_answers(struct reading *r, unsigned self, json_t *list, uint16_t least, bool percent)
{
	size_t always_up = 0, need;
	bool may_be_down = false;

	for (size_t i = 0; i < json_array_size(list); i++) {
		size_t back = enter(r, ".answers[%zu]", i);
		enum ns_err err = read_answer(r, json_array_get(list, i), &may_be_down);

		if (err != NS_OK)
			return err;
		r->path[back] = '\0';
		always_up += !may_be_down;
	}
	need = percent ? (json_array_size(list) * least + 99) / 100 : least;
	r->never_down[self] = always_up >= need;
	return NS_OK;
}

static enum ns_err
read_pool(struct reading *r, unsigned self, json_t *pool)
{
	json_t *list = json_object_get(pool, "answers");
	size_t count = json_array_size(list);
	uint8_t serve = 0, down = 0;
	uint16_t k = 0, least = 0, stand_in = 0, first = (uint16_t)r->nanswers;
	bool percent = false;
	enum ns_err err = only(r, pool, "serve min_healthy when_down answers");

	if (err == NS_OK && count == 0)
		err = refuse(r, E_POLICY_POOL, "the pool is empty: \"answers\" is a list");
	if (err == NS_OK && (count > POLICY_PICK || r->nanswers + count > POLICY_ANSWERS))
		err = refuse(r, E_POLICY_LIMIT, "at most %u answers in a pool, %u in all",
		    POLICY_PICK, POLICY_ANSWERS);
	if (err == NS_OK)
		err = read_serve(r, pool, &serve, &k);
	if (err == NS_OK && r->type == RR_CNAME && serve != POLICY_ONE && (count > 1 || k > 1))
		err = refuse(r, E_POLICY_VALUE,
		    "a name has one CNAME at most (RFC 2181 10.1): serve one of them");
	if (err == NS_OK)
		err = read_least(r, pool, count, &least, &percent);
	if (err == NS_OK)
		err = read_down(r, pool, self, &down, &stand_in);
	if (err == NS_OK)
		err = read_answers(r, self, list, least, percent);
	if (err != NS_OK)
		return err;
	r->nanswers += (unsigned)count;
	wbuf_u8(&r->pool, serve);
	wbuf_u8(&r->pool, down);
	wbuf_u16(&r->pool, k);
	wbuf_u16(&r->pool, least);
	wbuf_u8(&r->pool, percent);
	wbuf_u8(&r->pool, 0);
	wbuf_u16(&r->pool, first);
	wbuf_u16(&r->pool, (uint16_t)count);
	wbuf_u16(&r->pool, stand_in);
	wbuf_u16(&r->pool, put_name(r, r->pool_name[self]));
	return NS_OK;
}

/* ---- places ---- */
static bool
parse_cidr(const char *text, uint8_t out[16], uint8_t *kind, uint8_t *bits)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t n = slash != NULL ? (size_t)(slash - text) : strlen(text);
	bool v4;
	unsigned long b;
	char *end;

	if (n >= sizeof address)
		return false;
	memcpy(address, text, n);
	address[n] = '\0';
	v4 = inet_pton(AF_INET, address, out) == 1;
	if (!v4 && inet_pton(AF_INET6, address, out) != 1)
		return false;
	b = v4 ? 32 : 128;
	if (slash != NULL) {
		if (!isdigit((unsigned char)slash[1]))
			return false;
		n = b;
		b = strtoul(slash + 1, &end, 10);
		if (*end != '\0' || b > n)
			return false;
	}
	for (size_t i = b; i < 128; i++) {
		if ((out[i / 8] & 0x80 >> i % 8) != 0 && i < (v4 ? 32u : 128u))
			return false; /* octets behind the prefix: which was meant? */
	}
	*kind = v4 ? POLICY_CIDR4 : POLICY_CIDR6;
	*bits = (uint8_t)b;
	return true;
}

static bool
parse_number(const char *text, uint8_t out[16])
{
	char *end;
	unsigned long long v = strtoull(text, &end, 10);

	if (!isdigit((unsigned char)*text) || *end != '\0' || v == 0 || v > UINT32_MAX)
		return false;
	put_u32(out, (uint32_t)v);
	return true;
}

/* "US", "US-CA": upper case. */
static bool
parse_letters(const char *text, size_t least, size_t most, uint8_t out[16])
{
	size_t n = strlen(text);

	if (n < least || n > most)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (i == 2 ? text[i] != '-' : !isalnum((unsigned char)text[i]))
			return false;
		out[i] = (uint8_t)toupper((unsigned char)text[i]);
	}
	return true;
}

static bool
parse_key(const char *text, uint8_t out[16], uint8_t *kind, uint8_t *bits)
{
	static const char continents[] = "AF AN AS EU NA OC SA";
	static const struct {
		const char *word;
		uint8_t kind;
	} kinds[] = { { "cidr:", POLICY_CIDR4 }, { "asn:", POLICY_ASN }, { "city:", POLICY_CITY },
		{ "subdivision:", POLICY_SUBDIVISION }, { "country:", POLICY_COUNTRY },
		{ "continent:", POLICY_CONTINENT } };
	const char *value = NULL;

	memset(out, 0, 16);
	*bits = 0;
	for (size_t i = 0; text != NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strncmp(text, kinds[i].word, strlen(kinds[i].word)) == 0) {
			*kind = kinds[i].kind;
			value = text + strlen(kinds[i].word);
		}
	}
	if (value == NULL)
		return false;
	switch (*kind) {
	case POLICY_CIDR4:
		return parse_cidr(value, out, kind, bits);
	case POLICY_ASN:
	case POLICY_CITY:
		return parse_number(value, out);
	case POLICY_SUBDIVISION:
		return parse_letters(value, 4, 6, out);
	case POLICY_COUNTRY:
		return parse_letters(value, 2, 2, out);
	default:
		return parse_letters(value, 2, 2, out) &&
		       strstr(continents, (const char *)out) != NULL;
	}
}

static enum ns_err
read_key(struct reading *r, json_t *v, unsigned from, unsigned edge)
{
	uint8_t data[16], kind = 0, bits = 0;
	const char *text = json_string_value(v);

	if (!parse_key(text, data, &kind, &bits))
		return refuse(r, E_POLICY_KEY,
		    "\"%.60s\" is no place: cidr:NET, asn:N, city:GEONAMEID, subdivision:US-CA, "
		    "country:DE or continent:EU",
		    text != NULL ? text : "");
	if (r->nkeys == POLICY_KEYS)
		return refuse(r, E_POLICY_LIMIT, "at most %u places in a policy", POLICY_KEYS);
	for (unsigned i = from; i < r->nkeys; i++) {
		const uint8_t *k = r->keys.base + (size_t)i * POLICY_KEY;

		if (k[0] == kind && k[1] == bits && memcmp(k + 4, data, 16) == 0)
			return refuse(
			    r, E_POLICY_KEY, "%.60s stands here twice: one rule each", text);
	}
	wbuf_u8(&r->keys, kind);
	wbuf_u8(&r->keys, bits);
	wbuf_u16(&r->keys, (uint16_t)edge);
	wbuf_put(&r->keys, data, 16);
	r->nkeys++;
	return NS_OK;
}

static enum ns_err
read_match(struct reading *r, json_t *rule, unsigned from, unsigned edge)
{
	json_t *match = json_object_get(rule, "match");
	uint8_t *e = r->edges.base + (size_t)edge * POLICY_EDGE;
	unsigned first = r->nkeys;

	if (!json_is_array(match) || json_array_size(match) == 0)
		return refuse(
		    r, E_POLICY_REACH, "the rule matches nothing: \"match\" is a list of places");
	for (size_t i = 0; i < json_array_size(match); i++) {
		size_t back = enter(r, ".match[%zu]", i);
		enum ns_err err = read_key(r, json_array_get(match, i), from, edge);

		if (err != NS_OK)
			return err;
		r->path[back] = '\0';
	}
	put_u16(e + 4, (uint16_t)first);
	put_u16(e + 6, (uint16_t)(r->nkeys - first));
	return NS_OK;
}

/* ---- nodes ---- */
static enum ns_err read_node(struct reading *, json_t *, uint16_t *to, bool *never_down);

static const struct use {
	const char *word, *members, *list, *item; /* item: members of one; NULL: it is a branch */
} uses[POLICY_KINDS] = {
	[POLICY_GEO] = { "geo", "use rules default fallback", "rules", "match then" },
	[POLICY_FAILOVER] = { "failover", "use order", "order", NULL },
	[POLICY_WEIGHTED] = { "weighted", "use branches sticky", "branches", "weight then" },
	[POLICY_LATENCY] = { "latency", "use branches", "branches", "then" },
};

/* What may be chosen with a word; the first is the default. */
static enum ns_err
read_word(
    struct reading *r, json_t *object, const char *name, const char *const words[2], bool *second)
{
	json_t *v = json_object_get(object, name);
	const char *word = json_string_value(v);

	*second = word != NULL && strcmp(word, words[1]) == 0;
	if (v == NULL || *second || (word != NULL && strcmp(word, words[0]) == 0))
		return NS_OK;
	return refuse(r, E_POLICY, "%s: \"%s\" or \"%s\"", name, words[0], words[1]);
}

static enum ns_err
read_flags(struct reading *r, json_t *node, unsigned kind, uint8_t *flags)
{
	static const char *const fallback[] = { "next", "none" }, *const sticky[] = { "none",
		"network" };
	bool set = false;
	enum ns_err err = NS_OK;

	if (kind == POLICY_GEO)
		err = read_word(r, node, "fallback", fallback, &set);
	else if (kind == POLICY_WEIGHTED)
		err = read_word(r, node, "sticky", sticky, &set);
	*flags = !set ? 0 : kind == POLICY_GEO ? POLICY_NO_FALLBACK : POLICY_STICKY;
	return err;
}

/* What a branch is known by when clients stick to it: the pool's name, or all that is in it. */
static uint32_t
branch_identity(json_t *then)
{
	const char *pool = json_string_value(json_object_get(then, "pool"));
	char *text;
	uint32_t id;

	if (pool != NULL)
		return identity(pool, strlen(pool));
	text = json_dumps(then, JSON_COMPACT | JSON_SORT_KEYS);
	id = identity(text != NULL ? text : "", text != NULL ? strlen(text) : 0);
	free(text);
	return id;
}

/* Weights and places of the branches, side by side, before what is below them. */
static enum ns_err
read_edges(struct reading *r, json_t *node, unsigned kind)
{
	json_t *list = json_object_get(node, uses[kind].list);
	unsigned first = r->nedges, keys = r->nkeys;
	size_t n = json_array_size(list);

	if (n == 0)
		return refuse(r, E_POLICY, "\"%s\" is a list, and not empty", uses[kind].list);
	if (r->nedges + n > POLICY_EDGES)
		return refuse(r, E_POLICY_LIMIT, "at most %u branches in a policy", POLICY_EDGES);
	r->nedges += (unsigned)n;
	for (size_t i = 0; i < n; i++) {
		json_t *item = json_array_get(list, i);
		json_t *then = uses[kind].item != NULL ? json_object_get(item, "then") : item;
		size_t back = enter(r, ".%s[%zu]", uses[kind].list, i);
		uint32_t weight = 1;
		enum ns_err err = NS_OK;

		if (uses[kind].item != NULL)
			err = only(r, item, uses[kind].item);
		if (err == NS_OK && kind == POLICY_WEIGHTED)
			err = number(r, item, "weight", UINT16_MAX, &weight);
		if (err == NS_OK && then == NULL)
			err = refuse(r, E_POLICY, "\"then\" is missing");
		if (err != NS_OK)
			return err;
		wbuf_u16(&r->edges, 0);
		wbuf_u16(&r->edges, (uint16_t)weight);
		wbuf_u32(&r->edges, 0);
		wbuf_u32(&r->edges, branch_identity(then));
		if (kind == POLICY_GEO)
			err = read_match(r, item, keys, first + (unsigned)i);
		if (err != NS_OK)
			return err;
		r->path[back] = '\0';
	}
	return NS_OK;
}

/* What the branches lead to.  *all_up: one of them (failover: one before the last) is never down. */
static enum ns_err
read_branches(struct reading *r, json_t *node, unsigned kind, unsigned first, bool *never_down)
{
	json_t *list = json_object_get(node, uses[kind].list);
	bool up = false;

	*never_down = false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *item = json_array_get(list, i);
		size_t back = enter(r, ".%s[%zu]", uses[kind].list, i);
		uint16_t to = 0;
		enum ns_err err;

		if (kind == POLICY_FAILOVER && up)
			return refuse(r, E_POLICY_REACH,
			    "it is never reached: a branch before it is never down (its pool has "
			    "enough answers without a check)");
		if (uses[kind].item != NULL) {
			item = json_object_get(item, "then");
			(void)enter(r, ".then");
		}
		err = read_node(r, item, &to, &up);
		if (err != NS_OK)
			return err;
		r->path[back] = '\0';
		put_u16(r->edges.base + (first + i) * POLICY_EDGE, to);
		*never_down = *never_down || up;
	}
	return NS_OK;
}

static enum ns_err
read_default(struct reading *r, json_t *node, unsigned index, bool *never_down)
{
	json_t *v = json_object_get(node, "default");
	size_t back = enter(r, ".default");
	uint16_t to = 0;
	bool up = false;
	enum ns_err err =
	    v != NULL ? read_node(r, v, &to, &up)
		      : refuse(r, E_POLICY, "is missing: what clients get whom no rule matches");

	if (err != NS_OK)
		return err;
	r->path[back] = '\0';
	put_u16(r->nodes.base + (size_t)index * POLICY_NODE + 6, to);
	*never_down = *never_down || up;
	return NS_OK;
}

static enum ns_err
read_inner(struct reading *r, json_t *node, unsigned kind, uint16_t *to, bool *never_down)
{
	unsigned index = r->nnodes, first = r->nedges;
	uint8_t flags = 0;
	enum ns_err err = only(r, node, uses[kind].members);

	if (err == NS_OK && (r->nnodes == POLICY_NODES || r->depth == POLICY_DEPTH))
		err = refuse(r, E_POLICY_LIMIT, "at most %u nodes in a policy, %u deep",
		    POLICY_NODES, POLICY_DEPTH);
	if (err == NS_OK)
		err = read_flags(r, node, kind, &flags);
	if (err == NS_OK)
		err = read_edges(r, node, kind);
	if (err != NS_OK)
		return err;
	wbuf_u8(&r->nodes, (uint8_t)kind);
	wbuf_u8(&r->nodes, flags);
	wbuf_u16(&r->nodes, (uint16_t)first);
	wbuf_u16(&r->nodes, (uint16_t)(r->nedges - first));
	wbuf_u16(&r->nodes, 0);
	r->nnodes++;
	r->depth++;
	err = read_branches(r, node, kind, first, never_down);
	if (err == NS_OK && kind == POLICY_GEO)
		err = read_default(r, node, index, never_down);
	r->depth--;
	*to = (uint16_t)index;
	return err;
}

static enum ns_err
read_node(struct reading *r, json_t *node, uint16_t *to, bool *never_down)
{
	const char *use = json_string_value(json_object_get(node, "use"));
	unsigned pool;
	enum ns_err err;

	if (json_object_get(node, "pool") != NULL) {
		err = only(r, node, "pool");
		if (err == NS_OK)
			err = find_pool(r, node, &pool);
		if (err != NS_OK)
			return err;
		*to = (uint16_t)(POLICY_POOL | pool);
		*never_down = r->never_down[pool];
		return NS_OK;
	}
	for (unsigned kind = 0; use != NULL && kind < POLICY_KINDS; kind++) {
		if (strcmp(use, uses[kind].word) == 0)
			return read_inner(r, node, kind, to, never_down);
	}
	return refuse(r, E_POLICY,
	    "a node is {\"pool\": NAME}, or has \"use\": geo, failover, weighted or latency");
}

/* ---- the whole ---- */
static enum ns_err
read_pools(struct reading *r)
{
	const char *name;
	json_t *pool;
	unsigned n = 0;
	enum ns_err err = NS_OK;

	snprintf(r->path, sizeof r->path, "pools");
	if (!json_is_object(r->pools) || json_object_size(r->pools) == 0)
		return refuse(r, E_POLICY_POOL, "there is no pool");
	if (json_object_size(r->pools) > POLICY_POOLS)
		return refuse(r, E_POLICY_LIMIT, "at most %u pools in a policy", POLICY_POOLS);
	json_object_foreach(r->pools, name, pool)
	{
		if (!name_ok(name))
			return refuse(r, E_POLICY_POOL,
			    "a pool's name has 1 to %u characters and no blank", POLICY_NAME);
		r->pool_name[r->npools++] = name;
		r->nanswers += (unsigned)json_array_size(json_object_get(pool, "answers"));
	}
	/* The data stands behind the tables, whose sizes are known when it is written: see put_all(). */
	r->nanswers = 0;
	json_object_foreach(r->pools, name, pool)
	{
		snprintf(r->path, sizeof r->path, "pools.%s", name);
		if (err == NS_OK)
			err = read_pool(r, n++, pool);
	}
	return err;
}

static void
move_places(uint8_t *p, unsigned n, size_t step, size_t at, size_t by)
{
	for (unsigned i = 0; i < n; i++, p += step) {
		if (get_u16(p + at) != 0)
			put_u16(p + at, (uint16_t)(get_u16(p + at) + by));
	}
}

static enum ns_err
put_all(struct reading *r, uint32_t ttl, uint16_t root, struct wbuf *out)
{
	size_t tables =
	    POLICY_HEAD + r->nodes.len + r->edges.len + r->keys.len + r->pool.len + r->answers.len;

	snprintf(r->path, sizeof r->path, "policy");
	if (tables + r->data.len > POLICY_SIZE)
		return refuse(r, E_POLICY_LIMIT, "it takes %zu octets, at most %u",
		    tables + r->data.len, POLICY_SIZE);
	/* Until now places were counted from 1. */
	move_places(r->pool.base, r->npools, POLICY_POOLSIZE, 14, tables - r->data_at);
	move_places(r->answers.base, r->nanswers, POLICY_ANSWER, 14, tables - r->data_at);
	move_places(r->answers.base, r->nanswers, POLICY_ANSWER, 16, tables - r->data_at);
	wbuf_u16(out, r->type);
	wbuf_u8(out, POLICY_VERSION);
	wbuf_u8(out, 0);
	wbuf_u32(out, ttl);
	wbuf_u16(out, root);
	wbuf_u16(out, (uint16_t)r->nnodes);
	wbuf_u16(out, (uint16_t)r->nedges);
	wbuf_u16(out, (uint16_t)r->nkeys);
	wbuf_u16(out, (uint16_t)r->npools);
	wbuf_u16(out, (uint16_t)r->nanswers);
	wbuf_u32(out, 0);
	wbuf_put(out, r->nodes.base, r->nodes.len);
	wbuf_put(out, r->edges.base, r->edges.len);
	wbuf_put(out, r->keys.base, r->keys.len);
	wbuf_put(out, r->pool.base, r->pool.len);
	wbuf_put(out, r->answers.base, r->answers.len);
	wbuf_put(out, r->data.base, r->data.len);
	return NS_OK;
}

static enum ns_err
read_policy(struct reading *r, json_t *doc, struct wbuf *out)
{
	uint32_t ttl = TTL_DEFAULT;
	uint16_t root = 0;
	bool never_down;
	enum ns_err err;

	snprintf(r->path, sizeof r->path, "policy");
	err = only(r, doc, "ttl root pools");
	if (err == NS_OK)
		err = number(r, doc, "ttl", TTL_MAX, &ttl);
	r->pools = json_object_get(doc, "pools");
	if (err == NS_OK)
		err = read_pools(r);
	if (err != NS_OK)
		return err;
	snprintf(r->path, sizeof r->path, "root");
	err = read_node(r, json_object_get(doc, "root"), &root, &never_down);
	for (unsigned i = 0; i < r->npools && err == NS_OK; i++) {
		snprintf(r->path, sizeof r->path, "pools.%s", r->pool_name[i]);
		if (!r->used[i])
			err =
			    refuse(r, E_POLICY_REACH, "it is never reached: no branch leads to it");
	}
	return err == NS_OK ? put_all(r, ttl, root, out) : err;
}

/* The form's own check says what was not looked for here: circles of pools that stand in. */
static enum ns_err
check_whole(struct reading *r, const struct wbuf *out)
{
	const char *rule = policy_check(out->base, out->len);

	snprintf(r->path, sizeof r->path, "pools");
	return rule != NULL ? refuse(r, E_POLICY, "%s", rule) : NS_OK;
}

enum ns_err
policy_from_text(
    const char *text, size_t len, uint8_t *out, size_t outsize, size_t *outlen, struct ns_why *why)
{
	struct reading *r = xcalloc(1, sizeof *r);
	struct wbuf w = wbuf_init(out, outsize);
	size_t word = 0;
	json_error_t error;
	json_t *doc = NULL;
	enum ns_err err = NS_OK;

	r->why = why;
	r->data_at = 1;
	r->nodes = r->edges = r->keys = r->pool = r->answers = wbuf_grow(POLICY_SIZE);
	r->data = wbuf_grow(2 * UINT16_MAX);
	while (word < len && text[word] != ' ' && text[word] != '\t')
		word++;
	r->type = rrtype_from_chars(text, word);
	if (r->type == 0 || !policy_type_ok(r->type))
		err = ns_fail(why, NS_INVALID, E_POLICY,
		    "\"%.*s\": no type that a policy can answer for", (int)(word < 20 ? word : 20),
		    text);
	else if (len - word > TEXT_LIMIT)
		err = ns_fail(why, NS_INVALID, E_POLICY_LIMIT,
		    "a policy's text is at most %u octets", TEXT_LIMIT);
	else if ((doc = json_loadb(text + word, len - word, JSON_REJECT_DUPLICATES, &error)) ==
		 NULL)
		err = ns_fail(why, NS_INVALID, E_POLICY, "not JSON: line %d, column %d: %.120s",
		    error.line, error.column, error.text);
	else
		err = read_policy(r, doc, &w);
	if (err == NS_OK && !wbuf_ok(&w))
		err = ns_fail(why, NS_INVALID, E_POLICY_LIMIT, "the policy is too large");
	if (err == NS_OK)
		err = check_whole(r, &w);
	*outlen = err == NS_OK ? w.len : 0;
	wbuf_free(&r->nodes);
	wbuf_free(&r->edges);
	wbuf_free(&r->keys);
	wbuf_free(&r->pool);
	wbuf_free(&r->answers);
	wbuf_free(&r->data);
	json_decref(doc);
	free(r);
	return err;
}

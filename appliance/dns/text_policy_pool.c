/* text_policy_pool.c - the pools of a policy and their answers, from JSON into its tables; see
 * text_policy_reading.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/codes.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/text_policy_reading.h"
#include "appliance/dns/zonetext.h"

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

		return reading_refuse(r, E_POLICY_VALUE, "\"%.80s\" is no %s: %.160s", text,
		    rrtype_to_text(r->type, word), why.text);
	}
	if (rdata_from_text(r->type, text, other, true, again, sizeof again, &n, NULL) != NS_OK ||
	    n != *len || memcmp(rdata, again, n) != 0)
		return reading_refuse(r, E_POLICY_VALUE,
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
	enum ns_err err = reading_only(r, a, "value weight check drain");

	if (err == NS_OK && !json_is_string(value))
		err = reading_refuse(r, E_POLICY, "\"value\" is missing: the record data as text");
	if (err == NS_OK)
		err = reading_number(r, a, "weight", UINT16_MAX, &weight);
	if (err == NS_OK && check != NULL && !reading_name_ok(json_string_value(check)))
		err = reading_refuse(r, E_POLICY, "\"check\" is the name of a check");
	if (err == NS_OK && drain != NULL && !json_is_boolean(drain))
		err = reading_refuse(r, E_POLICY, "\"drain\" is true or false");
	if (err == NS_OK)
		err = read_value(r, json_string_value(value), rdata, &len);
	if (err != NS_OK)
		return err;
	*may_be_down = check != NULL || json_is_true(drain);
	if (check != NULL)
		check_at = reading_put_name(r, json_string_value(check));
	at = (uint16_t)(r->data_at + r->data.len);
	wbuf_u16(&r->data, (uint16_t)len);
	wbuf_put(&r->data, rdata, len);
	if (r->data_at + r->data.len > POLICY_SIZE)
		return reading_refuse(
		    r, E_POLICY_LIMIT, "the policy is larger than %u octets", POLICY_SIZE);
	wbuf_u64(&r->answers, 0);
	wbuf_u32(&r->answers, reading_identity(rdata, len));
	wbuf_u16(&r->answers, (uint16_t)weight);
	wbuf_u16(&r->answers, at);
	wbuf_u16(&r->answers, check_at);
	wbuf_u16(&r->answers, json_is_true(drain) ? POLICY_DRAIN : 0);
	return NS_OK;
}

enum ns_err
reading_find_pool(struct reading *r, json_t *object, unsigned *index)
{
	const char *name = json_string_value(json_object_get(object, "pool"));

	if (name == NULL)
		return reading_refuse(r, E_POLICY, "\"pool\" is the name of a pool");
	for (*index = 0; *index < r->npools; ++*index) {
		if (strcmp(r->pool_name[*index], name) == 0) {
			r->used[*index] = true;
			return NS_OK;
		}
	}
	return reading_refuse(r, E_POLICY_POOL, "there is no pool \"%.63s\"", name);
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
		return reading_refuse(r, E_POLICY, "serve: \"all\", \"one\" or a number from 1");
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
		return reading_refuse(r, E_POLICY,
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
	back = reading_enter(r, ".when_down");
	if (!json_is_object(v))
		return reading_refuse(
		    r, E_POLICY, "\"open\", \"closed\", \"last\" or {\"pool\": NAME}");
	err = reading_only(r, v, "pool");
	if (err == NS_OK)
		err = reading_find_pool(r, v, &index);
	if (err == NS_OK && index == self)
		err = reading_refuse(r, E_POLICY_POOL, "the pool cannot stand in for itself");
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
		size_t back = reading_enter(r, ".answers[%zu]", i);
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
	enum ns_err err = reading_only(r, pool, "serve min_healthy when_down answers");

	if (err == NS_OK && count == 0)
		err = reading_refuse(r, E_POLICY_POOL, "the pool is empty: \"answers\" is a list");
	if (err == NS_OK && (count > POLICY_PICK || r->nanswers + count > POLICY_ANSWERS))
		err = reading_refuse(r, E_POLICY_LIMIT, "at most %u answers in a pool, %u in all",
		    POLICY_PICK, POLICY_ANSWERS);
	if (err == NS_OK)
		err = read_serve(r, pool, &serve, &k);
	if (err == NS_OK && r->type == RR_CNAME && serve != POLICY_ONE && (count > 1 || k > 1))
		err = reading_refuse(r, E_POLICY_VALUE,
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
	wbuf_u16(&r->pool, reading_put_name(r, r->pool_name[self]));
	return NS_OK;
}

enum ns_err
reading_pools(struct reading *r)
{
	const char *name;
	json_t *pool;
	unsigned n = 0;
	enum ns_err err = NS_OK;

	snprintf(r->path, sizeof r->path, "pools");
	if (!json_is_object(r->pools) || json_object_size(r->pools) == 0)
		return reading_refuse(r, E_POLICY_POOL, "there is no pool");
	if (json_object_size(r->pools) > POLICY_POOLS)
		return reading_refuse(
		    r, E_POLICY_LIMIT, "at most %u pools in a policy", POLICY_POOLS);
	json_object_foreach(r->pools, name, pool)
	{
		if (!reading_name_ok(name))
			return reading_refuse(r, E_POLICY_POOL,
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

/* A policy: any octets as the JSON that people write, and as the form that is stored and served.  What is taken
 * keeps every rule of the form, prints and reads back to the same octets, and all of it can be walked. */
#include <string.h>

#include "appliance/dns/policy.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/text_policy.h"
#include "tests/fuzz/fuzz.h"

static uint8_t form[UINT16_MAX], again[UINT16_MAX];

/* As a worker does: every reference leads somewhere, forwards only. */
static void
walk(const struct policy *p)
{
	uint16_t list[POLICY_PICK];

	for (unsigned i = 0; i < p->nnodes; i++) {
		struct policy_node n;

		CHECK(policy_node_at(p, i, &n));
		for (unsigned e = n.first; e < (unsigned)n.first + n.count; e++) {
			struct policy_edge edge;

			CHECK(policy_edge_at(p, e, &edge));
			CHECK((edge.to & POLICY_POOL) != 0
				  ? (edge.to & ~POLICY_POOL) < (int)p->npools
				  : edge.to > i && edge.to < p->nnodes);
			for (unsigned k = edge.key; k < (unsigned)edge.key + edge.nkeys; k++) {
				struct policy_key key;

				CHECK(policy_key_at(p, k, &key));
			}
		}
	}
	for (unsigned i = 0; i < p->npools; i++) {
		struct policy_pool pool;

		CHECK(policy_pool_at(p, i, &pool) && policy_least(&pool) <= pool.count);
		for (unsigned a = pool.first; a < (unsigned)pool.first + pool.count; a++) {
			struct policy_answer answer;

			CHECK(policy_answer_at(p, a, &answer));
		}
	}
	CHECK(policy_projection(p, list) <= POLICY_PICK);
}

static void
as_form(const uint8_t *data, size_t size)
{
	struct wbuf text = wbuf_grow(1u << 22);
	struct ns_why why = { 0 };
	struct policy p;
	size_t len;

	if (policy_check(data, size) != NULL)
		return;
	CHECK(policy_open(&p, data, size));
	walk(&p);
	if (rdata_check(RR_NSPOLICY, data, size, &why) == NS_OK) {
		CHECK(policy_to_text(data, size, &text));
		/* Octets that nobody wrote as JSON may be printed as what is read in another order. */
		if (policy_from_text(
			(char *)text.base, text.len, again, sizeof again, &len, &why) == NS_OK)
			CHECK(policy_check(again, len) == NULL);
	}
	wbuf_free(&text);
}

static void
as_text(const uint8_t *data, size_t size)
{
	struct wbuf text = wbuf_grow(1u << 22);
	struct ns_why why = { 0 };
	size_t len, back;

	if (policy_from_text((const char *)data, size, form, sizeof form, &len, &why) != NS_OK) {
		CHECK(why.err != NS_OK && why.code != 0 && why.text[0] != '\0');
		return;
	}
	CHECK(policy_check(form, len) == NULL);
	CHECK(policy_to_text(form, len, &text));
	CHECK(policy_from_text((char *)text.base, text.len, again, sizeof again, &back, &why) ==
	      NS_OK);
	CHECK(back == len && memcmp(form, again, len) == 0);
	wbuf_free(&text);
	as_form(form, len);
}

/* The first octet says which. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 'f')
		as_form(data + 1, size - 1);
	else
		as_text(data, size);
	return 0;
}

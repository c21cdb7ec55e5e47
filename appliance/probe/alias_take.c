/* alias_take.c - from answers to what is known of an ALIAS's target; see aliases.h.  Pure. */
#include "appliance/probe/aliases.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"

#define CHAIN_MAX 16u
#define NXDOMAIN  3

/* The name that the CNAMEs of the answer lead to, and the least of their TTLs. */
static const uint8_t *
end_of_chain(const struct packet *p, const uint8_t *name, uint32_t *ttl)
{
	for (unsigned steps = 0; steps < CHAIN_MAX; steps++) {
		const struct packet_record *next = NULL;

		for (size_t i = 0; i < p->n && next == NULL; i++) {
			const struct packet_record *r = &p->records[i];

			if (r->section == SECTION_ANSWER && r->type == RR_CNAME &&
			    name_equal(r->owner, name))
				next = r;
		}
		if (next == NULL)
			break;
		if (next->ttl < *ttl)
			*ttl = next->ttl;
		name = next->rdata;
	}
	return name;
}

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

void
alias_take(const struct packet *p, const uint8_t *name, enum alias_family family,
    const struct target_rules *rules, struct alias_answer *out)
{
	uint16_t type = family == ALIAS_V4 ? RR_A : RR_AAAA;
	bool closed = false;

	*out = (struct alias_answer){
		.end = ALIAS_GOT_NONE, .fault = ALIAS_NO_ADDRESS, .ttl = UINT32_MAX
	};
	if (p->rcode != 0) {
		out->end = p->rcode == NXDOMAIN ? ALIAS_GOT_NONE : ALIAS_FAILED;
		out->fault = p->rcode == NXDOMAIN ? ALIAS_NXDOMAIN : ALIAS_SERVFAIL;
		return;
	}
	name = end_of_chain(p, name, &out->ttl);
	for (size_t i = 0; i < p->n && out->count < ALIAS_ADDRESSES; i++) {
		const struct packet_record *r = &p->records[i];
		struct target t;

		if (r->section != SECTION_ANSWER || r->type != type ||
		    !name_equal(r->owner, name) || !target_from_octets(&t, r->rdata, r->len, 53))
			continue;
		if (target_refused(rules, &t) != NULL) {
			closed = true;
			continue;
		}
		if (r->ttl < out->ttl)
			out->ttl = r->ttl;
		memcpy(out->octets[out->count++], r->rdata, r->len);
	}
	if (out->count > 0) {
		out->end = ALIAS_GOT;
		out->fault = ALIAS_OK;
		qsort(out->octets, out->count, sizeof out->octets[0], compare);
	} else if (closed) {
		out->fault = ALIAS_CLOSED;
	}
}

static bool
still_good(const struct alias_addresses *a, uint32_t now_s)
{
	return a->state == ALIAS_HERE && now_s < a->keep;
}

static void
set_addresses(
    struct alias_addresses *a, const struct alias_answer *in, uint32_t now_s, uint32_t keep_s)
{
	uint32_t ttl = in->ttl < ALIAS_TTL_MIN ? ALIAS_TTL_MIN : in->ttl;

	*a = (struct alias_addresses){ .state = ALIAS_HERE,
		.count = (uint8_t)in->count,
		.until = now_s + (ttl < ALIAS_TTL_MAX ? ttl : ALIAS_TTL_MAX),
		.keep = now_s + keep_s };
	if (a->keep < a->until)
		a->keep = a->until;
	memcpy(a->octets, in->octets, sizeof a->octets);
}

void
alias_learn(struct alias_known *k, const struct alias_answer in[ALIAS_FAMILIES], uint32_t now_s,
    uint32_t keep_s)
{
	bool got = in[0].end == ALIAS_GOT || in[1].end == ALIAS_GOT;
	bool certain = in[0].end != ALIAS_FAILED && in[1].end != ALIAS_FAILED;
	bool kept = still_good(&k->family[0], now_s) || still_good(&k->family[1], now_s);

	k->tried = now_s;
	k->fault = ALIAS_OK;
	for (unsigned f = 0; f < ALIAS_FAMILIES; f++) {
		if (in[f].end == ALIAS_GOT)
			set_addresses(&k->family[f], &in[f], now_s, keep_s);
		else if (in[f].end == ALIAS_GOT_NONE && (got || (certain && !kept)))
			k->family[f] = (struct alias_addresses){ .state = ALIAS_EMPTY };
		/* With addresses of one family the other may be empty: that is no fault. */
		if (in[f].end == ALIAS_FAILED ||
		    (in[f].end == ALIAS_GOT_NONE && !got &&
			(k->fault == ALIAS_OK || k->fault == ALIAS_NO_ADDRESS)))
			k->fault = (uint8_t)in[f].fault;
	}
	if (got || certain)
		k->good = now_s;
}

uint32_t
alias_next(const struct alias_known *k, uint32_t now_s, unsigned failures)
{
	uint32_t least = UINT32_MAX, wait = ALIAS_RETRY_MIN;

	if (k->fault == ALIAS_SILENT || k->fault == ALIAS_SERVFAIL) {
		while (failures-- > 1 && wait < ALIAS_RETRY_MAX)
			wait *= 2;
		return wait < ALIAS_RETRY_MAX ? wait : ALIAS_RETRY_MAX;
	}
	if (k->fault != ALIAS_OK)
		return ALIAS_EMPTY_S;
	for (unsigned f = 0; f < ALIAS_FAMILIES; f++) {
		const struct alias_addresses *a = &k->family[f];

		if (a->state == ALIAS_HERE && a->until > now_s && a->until - now_s < least)
			least = a->until - now_s;
	}
	return least != UINT32_MAX ? least : ALIAS_RETRY_MIN;
}

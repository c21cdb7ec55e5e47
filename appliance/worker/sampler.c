/* sampler - see sampler.h. */
#include "appliance/worker/sampler.h"

#include <netinet/in.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/zonemap/word.h"

#define HEADER    12u
#define SECOND_NS 1000000000ull

void
sampler_init(struct sampler *s, const struct tail_wish *wish, struct tail *tail, uint64_t random)
{
	*s = (struct sampler){ .wish = wish, .tail = tail, .random = random | 1 };
}

/* 1 … 2 × one_in - 1, each as likely (xorshift, Marsaglia 2003). */
static uint64_t
distance(struct sampler *s, uint64_t one_in)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return 1 + ((s->random >> 32) * (2 * one_in - 1) >> 32);
}

static void
take_client(struct tail_row *r, const struct sockaddr_storage *client)
{
	if (client->ss_family == AF_INET) {
		r->family = 4;
		memcpy(r->address, &((const struct sockaddr_in *)client)->sin_addr, 4);
	} else if (client->ss_family == AF_INET6) {
		r->family = 6;
		memcpy(r->address, &((const struct sockaddr_in6 *)client)->sin6_addr, 16);
	}
}

static void
put(struct sampler *s, const struct query *q, uint32_t one_in, uint64_t now_ns, uint64_t took_ns)
{
	size_t len = q->len > HEADER ? name_check(q->pkt + HEADER, q->len - HEADER) : 0;
	struct tail_row r;

	if (len == 0)
		return;
	memset(&r, 0, offsetof(struct tail_row, name));
	r.at_ns = now_ns;
	r.us10 = (uint32_t)(took_ns / 100 < UINT32_MAX ? took_ns / 100 : UINT32_MAX);
	r.qtype = q->qtype;
	r.rcode = q->rcode;
	r.flags = (uint8_t)((q->verdict != SERVE_REPLY ? TAIL_DROPPED : 0) |
			    (q->transport == SERVE_TCP      ? TAIL_TCP
				: q->transport == SERVE_TLS ? TAIL_TLS
							    : 0) |
			    (q->truncated ? TAIL_TRUNCATED : 0));
	r.one_in = one_in;
	r.zone_hash = q->zone != 0 ? q->zone_hash : 0;
	take_client(&r, &q->client);
	r.name_len = (uint8_t)len;
	name_lower(r.name, q->pkt + HEADER, len);
	tail_put(s->tail, &r);
}

static void
miss(struct sampler *s)
{
	word_add(&s->tail->missed, 1);
}

void
sampler_show(struct sampler *s, const struct query *q, size_t n, uint64_t now_ns, uint64_t took_ns)
{
	uint32_t one_in = atomic_load_explicit(&s->wish->one_in, memory_order_relaxed);
	unsigned most = n <= SAMPLER_ALL ? SAMPLER_ALL : SAMPLER_LOADED;

	if (one_in == 0 || one_in > TAIL_ONE_IN_MAX)
		one_in = 1;
	if (now_ns - s->second_ns >= SECOND_NS) {
		s->second_ns = now_ns;
		s->left = SAMPLER_SECOND;
	}
	/* Another wish than the last one: what was to be skipped for that one is not. */
	if (s->skip >= 2 * (uint64_t)one_in)
		s->skip = one_in - 1;
	for (; s->skip < n; s->skip += distance(s, one_in)) {
		if (most == 0 || s->left == 0) {
			miss(s);
			continue;
		}
		put(s, &q[s->skip], one_in, now_ns, took_ns);
		most--;
		s->left--;
	}
	s->skip -= n;
}

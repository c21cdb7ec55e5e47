/* rrl - see rrl.h. */
#include "appliance/worker/rrl.h"

#include <string.h>

#include "ipc/base/wbuf.h"

/* Above what a network takes: which kind of network it is. */
#define NETWORK_4 (1ull << 56)
#define NETWORK_6 (1ull << 57)

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff }; /* ::ffff:0:0/96 */

static uint64_t
network6(const uint8_t *a)
{
	uint64_t high;

	if (memcmp(a, mapped, sizeof mapped) == 0)
		return NETWORK_4 | (uint64_t)a[12] << 16 | (uint64_t)a[13] << 8 | a[14];
	memcpy(&high, a, sizeof high);
	return NETWORK_6 | be64toh(high) >> 8;
}

uint64_t
rrl_network(const struct sockaddr_storage *client)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)client;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)client;

	if (client->ss_family == AF_INET)
		return NETWORK_4 | ntohl(in->sin_addr.s_addr) >> 8;
	return client->ss_family == AF_INET6 ? network6(in6->sin6_addr.s6_addr) : 0;
}

bool
rrl_is_loopback(const struct sockaddr_storage *client)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)client;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)client;

	if (client->ss_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	return client->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

bool
rrl_init(struct rrl *r, const uint64_t key[2])
{
	rrl_set(r, 0);
	return bucket_init(&r->table, RRL_SET_BITS, key);
}

void
rrl_fini(struct rrl *r)
{
	bucket_fini(&r->table);
}

/* A second's worth may come at once: resolvers have bursts too. */
void
rrl_set(struct rrl *r, uint32_t per_second)
{
	r->per_second = per_second;
	r->rate = bucket_rate(per_second, per_second);
}

/* What any name of a zone gets is one kind of answer, or a flood of names would be within the limit
 * of each.  By the classes' bits, because this is done for every query. */
#define BY_NAME (1u << SERVE_CLASS_POSITIVE | 1u << SERVE_CLASS_NODATA)

static inline uint64_t
key_of(const struct bucket_table *t, const struct query *q)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&q->client;
	uint64_t what = (BY_NAME >> q->class & 1) != 0 ? q->name_hash : q->zone_hash, network;

	if (__builtin_expect(in->sin_family == AF_INET, 1))
		network = NETWORK_4 | ntohl(in->sin_addr.s_addr) >> 8;
	else
		network = rrl_network(&q->client);
	return bucket_hash(t, network, what + ((uint64_t)q->class << 56)) | 1;
}

static inline bool
is_counted(const struct query *q)
{
	return q->verdict == SERVE_REPLY && q->transport == SERVE_UDP && !q->cookie_ok;
}

static void
refuse(const struct serve_conf *conf, struct query *q, enum bucket_verdict v, struct rrl_count *c)
{
	if (rrl_is_loopback(&q->client))
		return;
	if (v == BUCKET_EVEN) {
		serve_truncate(conf, q);
		c->slipped++;
	} else {
		q->verdict = SERVE_DROP;
		c->dropped++;
	}
}

void
rrl_batch(struct rrl *r, const struct serve_conf *conf, struct query *q, size_t n, uint64_t now_ns,
    struct rrl_count *count)
{
	uint64_t hash[SERVE_BATCH]; /* 0: not counted */
	struct bucket_table table =
	    r->table; /* in registers, whatever the stores below may point to */
	const struct bucket_rate rate = r->rate;
	enum bucket_verdict v;
	size_t i;

	if (r->per_second == 0)
		return;
	for (i = 0; i < n; i++) {
		hash[i] = is_counted(&q[i]) ? key_of(&table, &q[i]) : 0;
		bucket_prefetch(&table, hash[i]);
	}
	for (i = 0; i < n; i++) {
		if (hash[i] == 0)
			continue;
		v = bucket_take(&table, hash[i], &rate, now_ns);
		if (__builtin_expect(v != BUCKET_PASS, 0))
			refuse(conf, &q[i], v, count);
	}
}

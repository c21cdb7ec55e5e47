/* census - see census.h. */
#include "appliance/worker/census.h"

#include "appliance/dns/name.h"
#include "appliance/worker/rrl.h"

#define HEADER 12u

void
census_init(struct census *c, struct worker_memory *m, uint64_t random, uint64_t now_ns)
{
	c->zones = &m->zones;
	c->notes = m->notes;
	c->random = random | 1;
	c->skip = random % CENSUS_SAMPLE;
	topk_open(&c->clients, &m->clients, now_ns);
	topk_open(&c->names, &m->names, now_ns);
}

void
census_prefetch(const struct census *c, const struct query *q, size_t n)
{
	for (size_t i = 0; i < n; i++)
		zonecount_prefetch(c->zones, q[i].zone_hash);
}

static void
sample_client(
    struct census *c, const struct sockaddr_storage *client, const struct clientnote_query *q)
{
	uint64_t network = rrl_network(client);
	struct page_client key;
	unsigned at;
	bool taken;

	if (network == 0)
		return;
	key.family = client->ss_family == AF_INET || network >> 56 == 1 ? 4 : 6;
	if (key.family == 4)
		network <<= 32;
	for (unsigned i = 0; i < sizeof key.prefix; i++)
		key.prefix[i] = (uint8_t)(network >> (48 - 8 * i));
	at = topk_add(
	    &c->clients, network * 0x9e3779b97f4a7c15u, &key, sizeof key, q->weight, &taken);
	clientnote_add(&c->notes[c->clients.current][at], page_client_owner(&key), taken, q);
}

/* serve has read the name, so it is one; a zone of ours bounds what strangers can have us list. */
static size_t
name_of(const struct query *q, uint8_t *name)
{
	size_t len = q->zone != 0 ? name_check(q->pkt + HEADER, q->len - HEADER) : 0;

	if (len > 0)
		name_lower(name, q->pkt + HEADER, len);
	return len;
}

static void
sample(struct census *c, const struct query *q, uint64_t weight)
{
	uint8_t name[NAME_MAX_WIRE];
	struct clientnote_query note;

	if (q->len < HEADER)
		return;
	note = (struct clientnote_query){ .weight = weight,
		.name_hash = q->name_hash,
		.name = name,
		.len = name_of(q, name),
		.nxdomain = q->class == SERVE_CLASS_NXDOMAIN,
		.error = q->class == SERVE_CLASS_ERROR };
	sample_client(c, &q->client, &note);
	if (note.len > 0)
		(void)topk_add(&c->names, q->name_hash, name, note.len, weight, NULL);
}

/* 1 … 2 × CENSUS_SAMPLE - 1, each as likely (xorshift, Marsaglia 2003). */
static size_t
distance(struct census *c)
{
	c->random ^= c->random << 13;
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	return 1 + (size_t)((c->random >> 32) * (2 * CENSUS_SAMPLE - 1) >> 32);
}

static void
sample_batch(struct census *c, const struct query *q, size_t n, uint64_t now_ns)
{
	topk_tick(&c->clients, now_ns);
	topk_tick(&c->names, now_ns);
	if (n <= CENSUS_ALL) {
		for (size_t i = 0; i < n; i++)
			sample(c, &q[i], 1);
		return;
	}
	for (; c->skip < n; c->skip += distance(c))
		sample(c, &q[c->skip], CENSUS_SAMPLE);
	c->skip -= n;
}

void
census_batch(struct census *c, const struct query *q, size_t n, uint64_t now_ns)
{
	for (size_t i = 0; i < n; i++) {
		if (q[i].zone != 0)
			zonecount_add(c->zones, q[i].zone_hash, q[i].class == SERVE_CLASS_NXDOMAIN,
			    q[i].class == SERVE_CLASS_ERROR, now_ns);
	}
	sample_batch(c, q, n, now_ns);
}

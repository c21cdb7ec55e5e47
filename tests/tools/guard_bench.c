/* guard_bench - what the limits and counts around a batch cost in instructions: for callgrind.
 *
 *     valgrind --tool=callgrind --toggle-collect=measured build/tools/guard_bench [ZONES [QUERIES]]
 *
 * Batches of answered queries as a worker has them, from loopback, over random zones with one NXDOMAIN in
 * twelve and random client networks when ZONES is odd.  Prints nanoseconds a query.  One thread. */
// link: appliance/worker/bucket.c
// link: appliance/worker/rrl.c
// link: appliance/worker/budget.c
// link: appliance/worker/census.c
// link: appliance/worker/sampler.c
// link: appliance/worker/guard.c
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/worker/guard.h"
#include "ipc/base/clock.h"
#include "tests/lib/mapbox.h"

static struct query q[SERVE_BATCH];
static struct guard guard;
static struct serve_conf conf;
static uint64_t seed = 7;

static uint64_t
hash_of(uint64_t i)
{
	return (i + 1) * 0x9e3779b97f4a7c15u ^ (i + 1) << 40;
}

static void
fill(unsigned zones)
{
	for (unsigned i = 0; i < SERVE_BATCH; i++) {
		struct sockaddr_in *in = (struct sockaddr_in *)&q[i].client;
		uint64_t r = mapbox_random(&seed);

		in->sin_family = AF_INET;
		in->sin_addr.s_addr = zones % 2 ? (uint32_t)r | 1 : htonl(INADDR_LOOPBACK);
		q[i].verdict = SERVE_REPLY;
		q[i].zone = 64;
		q[i].zone_hash = hash_of((r >> 32) % zones);
		q[i].name_hash = q[i].zone_hash + r % 12;
		q[i].class = r % 12 == 0 ? SERVE_CLASS_NXDOMAIN : SERVE_CLASS_POSITIVE;
	}
}

__attribute__((noinline)) void measured(uint64_t now);
void
measured(uint64_t now)
{
	guard_begin(&guard, SERVE_BATCH, now);
	for (unsigned i = 0; i < SERVE_BATCH; i++)
		if (q[i].class == SERVE_CLASS_NXDOMAIN)
			(void)conf.gate(conf.gate_arg, &q[i], SERVE_CLASS_NXDOMAIN);
	guard_limit(&guard, &conf, q, SERVE_BATCH);
	guard_count(&guard, q, SERVE_BATCH);
}

int
main(int argc, char **argv)
{
	static const uint8_t pkt[] = "\1\2\0\0\0\1\0\0\0\0\0\0\3www\6z00000\7example\0\0\1\0\1";
	unsigned zones = argc > 1 ? (unsigned)atoi(argv[1]) : 100000;
	uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 10) : 20000000, done, start, spent = 0;
	struct worker_memory *m = aligned_alloc(PAGE_OCTETS, WORKER_MEMORY);

	if (m == NULL || zones == 0)
		return 2;
	memset(m, 0, WORKER_MEMORY);
	m->page.rrl = 200;
	guard_init(&guard, m, &conf, NULL, clock_mono_ns());
	for (unsigned i = 0; i < SERVE_BATCH; i++) {
		q[i].pkt = pkt;
		q[i].len = sizeof pkt - 1;
		q[i].out = calloc(1, SERVE_UDP_MAX);
		q[i].out_cap = SERVE_UDP_MAX;
	}
	for (done = 0; done < n; done += SERVE_BATCH) {
		fill(zones);
		start = clock_mono_ns();
		measured(start);
		spent += clock_mono_ns() - start;
	}
	printf("{\"zones\":%u,\"ns_per_query\":%.1f}\n", zones, (double)spent / (double)done);
	return 0;
}

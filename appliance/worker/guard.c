/* guard - see guard.h. */
#include "appliance/worker/guard.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "appliance/zonemap/word.h"
#include "ipc/base/log.h"

void
guard_init(struct guard *g, struct worker_memory *m, struct serve_conf *conf,
    const struct tail_wish *wish, uint64_t now_ns)
{
	uint64_t random[6];

	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		fatal("worker.random", "error=%s", log_quote(strerror(errno)));
	*g = (struct guard){ .page = &m->page };
	if (!rrl_init(&g->rrl, random) || !budget_init(&g->budget, &m->page, random + 2))
		fatal("worker.memory", "text=\"no memory for the limits\"");
	census_init(&g->census, m, random[4], now_ns);
	sampler_init(&g->sampler, wish, &m->tail, random[5]);
	conf->gate = budget_gate;
	conf->gate_arg = &g->budget;
}

void
guard_fini(struct guard *g)
{
	rrl_fini(&g->rrl);
	budget_fini(&g->budget);
}

void
guard_begin(struct guard *g, size_t n, uint64_t now_ns)
{
	uint32_t rate = atomic_load_explicit(&g->page->rrl, memory_order_relaxed);

	if (rate != g->rrl.per_second)
		rrl_set(&g->rrl, rate);
	g->now_ns = now_ns;
	budget_batch(&g->budget, n, now_ns);
}

void
guard_limit(struct guard *g, const struct serve_conf *conf, struct query *q, size_t n)
{
	struct rrl_count c = { 0 };

	census_prefetch(&g->census, q, n);
	rrl_batch(&g->rrl, conf, q, n, g->now_ns, &c);
	if (c.dropped > 0)
		word_add(&g->page->rrl_dropped, c.dropped);
	if (c.slipped > 0)
		word_add(&g->page->rrl_slipped, c.slipped);
}

void
guard_count(struct guard *g, const struct query *q, size_t n)
{
	census_batch(&g->census, q, n, g->now_ns);
}

/* page - what the counters of a worker page mean: latency buckets and query types (page.h).
 * Pure functions, called by workers in the query path and by answer when it reads. */
#include "appliance/zonemap/page.h"

#include <stddef.h>

/* Bucket 0 is below 1 µs; then every doubling has four steps; the last takes all that is longer. */
unsigned
page_hist_bucket(uint64_t ns)
{
	uint64_t quarter = ns / 250; /* units of a quarter µs */
	unsigned top, bucket;

	if (quarter < 4)
		return 0;
	top = 63u - (unsigned)__builtin_clzll(quarter);
	bucket = 1 + (top - 2) * 4 + (unsigned)((quarter >> (top - 2)) & 3);
	return bucket < PAGE_HIST ? bucket : PAGE_HIST - 1;
}

double
page_hist_edge_us(unsigned bucket)
{
	unsigned doubling, step;

	if (bucket == 0)
		return 1.0;
	if (bucket >= PAGE_HIST)
		bucket = PAGE_HIST - 1;
	doubling = (bucket - 1) / 4;
	step = (bucket - 1) % 4;
	return (double)(1u << doubling) * (1.0 + (double)(step + 1) / 4.0);
}

static const struct {
	uint16_t type;
	const char *name;
} qtypes[PAGE_QTYPES] = {
	{ 1, "A" },
	{ 2, "NS" },
	{ 5, "CNAME" },
	{ 6, "SOA" },
	{ 12, "PTR" },
	{ 15, "MX" },
	{ 16, "TXT" },
	{ 28, "AAAA" },
	{ 33, "SRV" },
	{ 35, "NAPTR" },
	{ 43, "DS" },
	{ 48, "DNSKEY" },
	{ 64, "SVCB" },
	{ 65, "HTTPS" },
	{ 255, "ANY" },
	{ 0, "other" },
};

unsigned
page_qtype_index(uint16_t qtype)
{
	/* The two that are nearly all of the traffic first. */
	if (qtype == 1)
		return 0;
	if (qtype == 28)
		return 7;
	for (unsigned i = 0; i < PAGE_QTYPES - 1; i++)
		if (qtypes[i].type == qtype)
			return i;
	return PAGE_QTYPES - 1;
}

const char *
page_qtype_name(unsigned index)
{
	return qtypes[index < PAGE_QTYPES ? index : PAGE_QTYPES - 1].name;
}

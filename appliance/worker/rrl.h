/* rrl - response rate limiting: what one client network may be sent of one kind of answer.
 *
 * Whoever forges a victim's address gets the victim `[dns] rrl` responses a second at most: per /24 or
 * /56, and per name for positive answers and NODATA; per zone for what any name gets (wildcards,
 * NXDOMAIN, referrals, errors), as BIND, NSD and Knot count.  Every second one above that leaves as an
 * empty reply with TC, so that a real resolver in that network comes back over TCP; the rest is silence.
 * Exempt: TCP and TLS, whose addresses are no forgeries, and a valid server cookie (RFC 7873), which
 * proves the same.  Loopback is counted but never limited.
 *
 * Pure, one thread; time is an argument.  Each worker counts for itself: SO_REUSEPORT gives all of a
 * client's port to one worker, so a flood from one port meets one table, and one from many ports may get
 * the rate from each worker. */
#ifndef NS_WORKER_RRL_H
#define NS_WORKER_RRL_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/serve/serve.h"
#include "appliance/worker/bucket.h"

/* 32,768 buckets, 256 KiB: at 200 a second a bucket is full again after 5 ms, so this holds what 6
 * million different answers a second need. */
#define RRL_SET_BITS 14u

struct rrl {
	struct bucket_table table;
	struct bucket_rate rate;
	uint32_t per_second; /* 0: off */
};
struct rrl_count {
	uint64_t dropped, slipped;
};

bool rrl_init(struct rrl *, const uint64_t key[2]) __attribute__((warn_unused_result));
void rrl_fini(struct rrl *);
void rrl_set(struct rrl *, uint32_t per_second);
/* Takes back replies of an answered batch (verdict, or serve_truncate()); adds to *count. */
void rrl_batch(struct rrl *, const struct serve_conf *, struct query *, size_t n, uint64_t now_ns,
    struct rrl_count *count);

/* The client's /24 or /56 as a number; IPv4 in IPv6 is IPv4.  0: unknown. */
uint64_t rrl_network(const struct sockaddr_storage *);
bool rrl_is_loopback(const struct sockaddr_storage *);

#endif

/* prober - one look at one target: one kind a file, one table of them.
 *
 * start() never waits and never calls back; the result comes once from the loop, at the latest when the
 * check's timeout is over, and the probe is gone after it.  cancel() ends it without a result.
 * Every socket goes to an address that target.h allows.  Bounded: PROBES_MAX at once, 8 KiB of an
 * answer each. */
#ifndef NS_PROBE_PROBER_H
#define NS_PROBE_PROBER_H

#include <event2/util.h>
#include <stdbool.h>
#include <stdint.h>

#include "appliance/probe/target.h"
#include "ipc/nameserve.pb-c.h"

#define PROBES_MAX  4096u
#define PROBE_BODY  8192u	/* octets of an answer that are looked at */
#define REASON_MAX  128u

struct event_base;
struct x509_store_st;
struct ssl_st;

struct prober_conf {
	struct event_base *base;
	struct target_rules rules;
	struct x509_store_st *roots;	/* certificates that are trusted */
};
struct result {
	bool		 good;
	bool		 abstain;	/* we could not look: says nothing of the target */
	uint32_t	 rtt_us;	/* 0: none */
	char		 reason[REASON_MAX];
};
/* reason: what was found, in words. */
typedef void prober_fn(void *arg, const struct result *);

/* What every probe has: its result so far, and who waits for it. */
struct probe_end {
	prober_fn	*fn;
	void		*arg;
	struct result	 result;
};

struct probe_run;
struct prober {
	const char	*type;
	/* NULL: no room now. */
	struct probe_run *(*start)(const struct prober_conf *, const Ns__Check *,
	    const struct target *, prober_fn *, void *arg);
	void		 (*cancel)(struct probe_run *);
};
const struct prober *prober_of(const char *type);	/* NULL: none */

extern const struct prober prober_tcp, prober_tls, prober_http, prober_https, prober_icmp, prober_dns;

/* Before the sandbox: libraries that read files. */
void	 prober_open(struct prober_conf *, const char *ca_file);
void	 prober_close(struct prober_conf *);

/* ---- for probers ---- */
/* The result goes out and the probe is gone; reason NULL: the result has its own. */
void	 prober_finish(void (*cancel)(struct probe_run *), struct probe_run *, const struct probe_end *,
    bool good, const char *reason);
/* \r \n \t \\ \xHH to octets; malloc'ed. */
uint8_t	*prober_octets(const char *text, size_t *len);
bool	 prober_contains(const uint8_t *hay, size_t len, const uint8_t *needle, size_t n);
/* Is the certificate good for so many days more?  false: *r has the reason. */
bool	 prober_days_left(struct ssl_st *, unsigned days, struct result *);
/* Why a certificate was not accepted (X509_V_ERR_*; X509_V_OK: for its name), into r->reason. */
void	 prober_cert_fault(long verify, struct result *);
bool	 prober_status_fits(const char *set, long status);	/* "200-299,301" */
struct timeval prober_time(double seconds);

#endif

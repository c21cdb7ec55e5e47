/* prober.c - see prober.h: what all kinds share. */
#include "appliance/probe/prober.h"

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

const struct prober *
prober_of(const char *type)
{
	static const struct prober *const all[] = { &prober_tcp, &prober_tls, &prober_http,
		&prober_https, &prober_icmp, &prober_dns };

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (strcmp(all[i]->type, type) == 0)
			return all[i];
	return NULL;
}

void
prober_open(struct prober_conf *c, const char *ca_file)
{
	/* Reads openssl.cnf now, not when the sandbox is up. */
	if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		fatal("probe.curl", "text=\"libcurl does not start\"");
	c->roots = X509_STORE_new();
	if (c->roots == NULL)
		fatal("probe.roots", "text=\"no memory\"");
	if (X509_STORE_load_file(c->roots, ca_file) != 1)
		log_warn("probe.roots",
		    "path=%s text=\"no trusted certificates: checks with "
		    "verify_tls will say down\"",
		    log_quote(ca_file));
	ERR_clear_error();
}

void
prober_close(struct prober_conf *c)
{
	X509_STORE_free(c->roots);
	c->roots = NULL;
	target_rules_free(&c->rules);
}

void
prober_finish(void (*cancel)(struct probe_run *), struct probe_run *p, const struct probe_end *end,
    bool good, const char *reason)
{
	struct probe_end e = *end; /* goes with the probe */

	e.result.good = good;
	if (reason != NULL)
		snprintf(e.result.reason, sizeof e.result.reason, "%s", reason);
	cancel(p);
	e.fn(e.arg, &e.result);
}

static int
hex(char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

uint8_t *
prober_octets(const char *text, size_t *len)
{
	uint8_t *out = xmalloc(strlen(text) + 1), *p = out;

	for (; *text != '\0'; text++) {
		if (*text != '\\' || text[1] == '\0') {
			*p++ = (uint8_t)*text;
			continue;
		}
		text++;
		if (*text == 'x' && text[1] != '\0' && text[2] != '\0') {
			*p++ = (uint8_t)(hex(text[1]) << 4 | hex(text[2]));
			text += 2;
		} else {
			*p++ = *text == 'r'   ? '\r'
			       : *text == 'n' ? '\n'
			       : *text == 't' ? '\t'
					      : (uint8_t)*text;
		}
	}
	*len = (size_t)(p - out);
	return out;
}

bool
prober_contains(const uint8_t *hay, size_t len, const uint8_t *needle, size_t n)
{
	return n == 0 || memmem(hay, len, needle, n) != NULL;
}

bool
prober_days_left(struct ssl_st *ssl, unsigned days, struct result *r)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);
	int left = 0, seconds = 0;

	if (cert == NULL || !ASN1_TIME_diff(&left, &seconds, NULL, X509_get0_notAfter(cert))) {
		snprintf(r->reason, sizeof r->reason, "no certificate that can be read");
		return false;
	}
	if (left < 0 || seconds < 0) {
		prober_cert_fault(X509_V_ERR_CERT_HAS_EXPIRED, r);
		return false;
	}
	if ((unsigned)left < days) {
		snprintf(
		    r->reason, sizeof r->reason, "the certificate is good for %d more days", left);
		return false;
	}
	return true;
}

void
prober_cert_fault(long verify, struct result *r)
{
	if (verify == X509_V_ERR_CERT_HAS_EXPIRED)
		snprintf(r->reason, sizeof r->reason, "the certificate has expired");
	else if (verify == X509_V_OK || verify == X509_V_ERR_HOSTNAME_MISMATCH)
		snprintf(r->reason, sizeof r->reason, "the certificate is not good for this name");
	else
		snprintf(r->reason, sizeof r->reason, "certificate: %s",
		    X509_verify_cert_error_string(verify));
}

bool
prober_status_fits(const char *set, long status)
{
	while (*set != '\0') {
		char *end;
		long low = strtol(set, &end, 10), high = low;

		if (*end == '-')
			high = strtol(end + 1, &end, 10);
		if (status >= low && status <= high)
			return true;
		if (*end != ',')
			return false;
		set = end + 1;
	}
	return false;
}

struct timeval
prober_time(double seconds)
{
	struct timeval tv = { .tv_sec = (time_t)seconds };

	tv.tv_usec = (suseconds_t)((seconds - (double)tv.tv_sec) * 1e6);
	return tv;
}

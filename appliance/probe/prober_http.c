/* prober_http - one request by libcurl's multi interface on our loop.
 *
 * The URL has the host's name (for Host, SNI and the certificate), the connection goes to the address of
 * the check and nowhere else: no name is ever resolved.  Redirects are followed here, one at a time, to
 * the same name or to an address that target.h allows; libcurl follows none.  Each socket is looked at
 * once more when libcurl asks for it. */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "appliance/probe/prober.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define URL_MAX    1024u
#define AGENT      "NameServe-check/" NS_RELEASE
#define CURL_INPUT 8192L

struct probe_run {
	const struct prober_conf *conf;
	const Ns__Check *check;
	struct target target; /* where the connection goes now */
	struct probe_end end;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	struct event *timer; /* of the whole, redirects included */
	unsigned redirects;
	bool tls, enough, bad_cert;
	uint8_t *want, body[PROBE_BODY];
	size_t want_len, body_len;
};

static CURLM *multi;
static struct event *multi_timer;
static const struct prober_conf *multi_conf;

/* ---- ends ---- */
static void
easy_end(struct probe_run *p)
{
	if (p->easy != NULL) {
		curl_multi_remove_handle(multi, p->easy);
		curl_easy_cleanup(p->easy);
	}
	curl_slist_free_all(p->headers);
	curl_slist_free_all(p->connect_to);
	p->easy = NULL;
	p->headers = p->connect_to = NULL;
}

static void
cancel(struct probe_run *p)
{
	easy_end(p);
	event_free(p->timer);
	free(p->want);
	free(p);
}

static void
finish(struct probe_run *p, bool good, const char *reason)
{
	prober_finish(cancel, p, &p->end, good, reason);
}

/* How far it came. */
static const char *
late(const struct probe_run *p)
{
	curl_off_t us = 0;

	if (p->easy == NULL || curl_easy_getinfo(p->easy, CURLINFO_CONNECT_TIME_T, &us) != CURLE_OK)
		return "no answer in time";
	if (us == 0)
		return "no connection in time";
	if (p->tls && curl_easy_getinfo(p->easy, CURLINFO_APPCONNECT_TIME_T, &us) == CURLE_OK &&
	    us == 0)
		return "no TLS handshake in time";
	return "no answer in time";
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct probe_run *p = arg;

	(void)fd;
	(void)what;
	finish(p, false, p->end.result.reason[0] != '\0' ? NULL : late(p));
}

/* ---- what libcurl calls ---- */
static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct probe_run *p = arg;
	struct target t = { .len = (socklen_t)a->addrlen };
	const char *no;

	(void)purpose;
	if (a->addrlen > sizeof t.sa || (a->family != AF_INET && a->family != AF_INET6))
		return CURL_SOCKET_BAD;
	memcpy(&t.sa, &a->addr, a->addrlen);
	if ((no = target_refused(&p->conf->rules, &t)) != NULL) {
		snprintf(p->end.result.reason, sizeof p->end.result.reason,
		    "refused: %s address ([probe] allow)", no);
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->protocol);
}

static size_t
on_body(char *data, size_t size, size_t n, void *arg)
{
	struct probe_run *p = arg;
	size_t len = size * n, room = PROBE_BODY - p->body_len;

	memcpy(p->body + p->body_len, data, len < room ? len : room);
	p->body_len += len < room ? len : room;
	p->enough = p->want_len == 0 || p->body_len == PROBE_BODY ||
		    prober_contains(p->body, p->body_len, p->want, p->want_len);
	return p->enough ? 0 : len; /* 0: what follows is of no interest */
}

static size_t
on_header(char *data, size_t size, size_t n, void *arg)
{
	struct probe_run *p = arg;
	struct curl_tlssessioninfo *info = NULL;

	(void)data;
	/* While the connection is there. */
	if (p->tls && !p->bad_cert && p->check->cert_days_left > 0 &&
	    curl_easy_getinfo(p->easy, CURLINFO_TLS_SSL_PTR, &info) == CURLE_OK && info != NULL &&
	    info->internals != NULL)
		p->bad_cert =
		    !prober_days_left(info->internals, p->check->cert_days_left, &p->end.result);
	return size * n;
}

static CURLcode
on_ssl(CURL *easy, void *ctx, void *arg)
{
	const struct probe_run *p = arg;

	(void)easy;
	SSL_CTX_set1_cert_store(ctx, p->conf->roots);
	return CURLE_OK;
}

/* ---- one request ---- */
static const char *
address_text(const struct target *t, char out[INET6_ADDRSTRLEN + 2])
{
	char plain[INET6_ADDRSTRLEN] = "";

	if (t->sa.ss_family == AF_INET) {
		inet_ntop(
		    AF_INET, &((const struct sockaddr_in *)&t->sa)->sin_addr, plain, sizeof plain);
		snprintf(out, INET6_ADDRSTRLEN + 2, "%s", plain);
	} else {
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)&t->sa)->sin6_addr, plain,
		    sizeof plain);
		snprintf(out, INET6_ADDRSTRLEN + 2, "[%s]", plain);
	}
	return out;
}

static unsigned
port_of(const struct target *t)
{
	return ntohs(t->sa.ss_family == AF_INET ? ((const struct sockaddr_in *)&t->sa)->sin_port
						: ((const struct sockaddr_in6 *)&t->sa)->sin6_port);
}

static void
set_options(struct probe_run *p, const char *url)
{
	CURL *e = p->easy;
	long verify = p->check->verify_tls ? 1 : 0;

	curl_easy_setopt(e, CURLOPT_URL, url);
	curl_easy_setopt(e, CURLOPT_PRIVATE, p);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_USERAGENT, AGENT);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(e, CURLOPT_CONNECT_TO, p->connect_to);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, p->headers);
	/* Nothing is resolved, and each look at the cache goes through all of it. */
	curl_easy_setopt(e, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(e, CURLOPT_BUFFERSIZE, CURL_INPUT);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, p);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, p);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, p);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, verify);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, verify * 2);
	curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	/* The roots are in memory: no file is opened here. */
	curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, on_ssl);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, p);
}

static bool
request(struct probe_run *p, const char *url)
{
	char text[INET6_ADDRSTRLEN + 2], where[sizeof text + 32];

	p->body_len = 0;
	p->enough = false;
	p->tls = strncmp(url, "https:", 6) == 0;
	for (size_t i = 0; i < p->check->n_headers; i++)
		p->headers = curl_slist_append(p->headers, p->check->headers[i]);
	snprintf(
	    where, sizeof where, "::%s:%u", address_text(&p->target, text), port_of(&p->target));
	p->connect_to = curl_slist_append(NULL, where);
	p->easy = curl_easy_init();
	if (p->easy == NULL || p->connect_to == NULL)
		return false;
	set_options(p, url);
	return curl_multi_add_handle(multi, p->easy) == CURLM_OK;
}

/* ---- redirects ---- */
/* NULL: *next is where to go, the target is set. */
static const char *
where_next(struct probe_run *p, const char *location, char next[URL_MAX])
{
	CURLU *u = curl_url();
	char *host = NULL, *port = NULL, *url = NULL;
	const char *no = "redirected to something that is no address";
	struct target t;
	uint8_t octets[16];

	if (u != NULL && curl_url_set(u, CURLUPART_URL, location, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_URL, &url, 0) == CURLUE_OK && strlen(url) < URL_MAX) {
		uint16_t number = (uint16_t)strtoul(port, NULL, 10);
		size_t len = strlen(host);

		if (host[0] == '[' && len > 2) { /* [v6] */
			memmove(host, host + 1, len - 2);
			host[len - 2] = '\0';
		}
		t = p->target;
		no = NULL;
		if (inet_pton(AF_INET, host, octets) == 1)
			target_from_octets(&t, octets, 4, number);
		else if (inet_pton(AF_INET6, host, octets) == 1)
			target_from_octets(&t, octets, 16, number);
		else if (strcasecmp(host, p->check->host) != 0)
			no = "redirected to another name: not followed";
		else if (t.sa.ss_family == AF_INET)
			((struct sockaddr_in *)&t.sa)->sin_port = htons(number);
		else
			((struct sockaddr_in6 *)&t.sa)->sin6_port = htons(number);
		snprintf(next, URL_MAX, "%s", url);
	}
	if (no == NULL && target_refused(&p->conf->rules, &t) != NULL)
		no = "redirected to an address that is not allowed";
	if (no == NULL)
		p->target = t;
	curl_free(host);
	curl_free(port);
	curl_free(url);
	curl_url_cleanup(u);
	return no;
}

/* True: on its way to another place. */
static bool
redirected(struct probe_run *p, long status)
{
	char next[URL_MAX], location[URL_MAX];
	char *to = NULL;
	const char *no;

	if (status < 300 || status > 399 || p->check->redirects == 0 ||
	    curl_easy_getinfo(p->easy, CURLINFO_REDIRECT_URL, &to) != CURLE_OK || to == NULL)
		return false;
	if (++p->redirects > p->check->redirects) {
		finish(p, false, "too many redirects");
		return true;
	}
	snprintf(location, sizeof location, "%s", to); /* it is the handle's */
	no = strlen(to) >= sizeof location ? "redirected to a place too long to name"
					   : where_next(p, location, next);
	if (no != NULL) {
		finish(p, false, no);
		return true;
	}
	easy_end(p);
	if (!request(p, next))
		finish(p, false, "the redirect cannot be followed");
	return true;
}

/* ---- verdict ---- */
static const char *
fault_text(const struct probe_run *p, CURLcode code)
{
	static const struct {
		CURLcode code;
		const char *text;
	} texts[] = { { CURLE_GOT_NOTHING, "it closed without an answer" },
		{ CURLE_RECV_ERROR, "it closed the connection" },
		{ CURLE_SEND_ERROR, "it closed the connection" },
		{ CURLE_UNSUPPORTED_PROTOCOL, "it does not speak HTTP" },
		{ CURLE_WEIRD_SERVER_REPLY, "it does not speak HTTP" },
		{ CURLE_SSL_CONNECT_ERROR, "the TLS handshake failed" } };
	long error = 0;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (texts[i].code == code)
			return texts[i].text;
	if (code != CURLE_COULDNT_CONNECT)
		return curl_easy_strerror(code);
	curl_easy_getinfo(p->easy, CURLINFO_OS_ERRNO, &error);
	return error == 0 || error == ECONNREFUSED ? "connection refused" : strerror((int)error);
}

static void
judge(struct probe_run *p, CURLcode code)
{
	curl_off_t connect_us = 0;
	long status = 0, verify = X509_V_OK, version = 0;

	if (p->redirects == 0 &&
	    curl_easy_getinfo(p->easy, CURLINFO_CONNECT_TIME_T, &connect_us) == CURLE_OK)
		p->end.result.rtt_us = (uint32_t)connect_us;
	if (code == CURLE_WRITE_ERROR && p->enough)
		code = CURLE_OK;
	if (code == CURLE_PEER_FAILED_VERIFICATION && p->end.result.reason[0] == '\0') {
		curl_easy_getinfo(p->easy, CURLINFO_SSL_VERIFYRESULT, &verify);
		/* The name is libcurl's own business, without a number. */
		prober_cert_fault(
		    verify == X509_V_ERR_UNSPECIFIED ? X509_V_OK : verify, &p->end.result);
	}
	if (code != CURLE_OK) {
		finish(p, false, p->end.result.reason[0] != '\0' ? NULL : fault_text(p, code));
		return;
	}
	curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
	if (p->bad_cert) {
		finish(p, false, NULL);
		return;
	}
	if (redirected(p, status))
		return;
	curl_easy_getinfo(p->easy, CURLINFO_HTTP_VERSION, &version);
	snprintf(p->end.result.reason, sizeof p->end.result.reason, "status %ld%s", status,
	    version == CURL_HTTP_VERSION_2_0 ? " (HTTP/2)" : "");
	if (!prober_status_fits(p->check->expect, status))
		finish(p, false, NULL);
	else if (!prober_contains(p->body, p->body_len, p->want, p->want_len))
		finish(p, false, "the body is another one");
	else
		finish(p, true, NULL);
}

/* ---- libcurl on our loop ---- */
static void
take_done(void)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(multi, &left)) != NULL) {
		char *p = NULL;

		if (m->msg == CURLMSG_DONE &&
		    curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &p) == CURLE_OK)
			judge((struct probe_run *)(void *)p, m->data.result);
	}
}

static void
on_socket(evutil_socket_t fd, short what, void *arg)
{
	int running, flags = (what & EV_READ ? CURL_CSELECT_IN : 0) |
			     (what & EV_WRITE ? CURL_CSELECT_OUT : 0);

	(void)arg;
	curl_multi_socket_action(multi, fd, flags, &running);
	take_done();
}

static void
on_multi_timer(evutil_socket_t fd, short what, void *arg)
{
	int running;

	(void)fd;
	(void)what;
	(void)arg;
	curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
	take_done();
}

static int
want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *own)
{
	struct event *io = own;
	short events = (short)((what & CURL_POLL_IN ? EV_READ : 0) |
			       (what & CURL_POLL_OUT ? EV_WRITE : 0) | EV_PERSIST);

	(void)easy;
	(void)arg;
	if (io != NULL)
		event_free(io);
	io = what == CURL_POLL_REMOVE ? NULL
				      : event_new(multi_conf->base, fd, events, on_socket, NULL);
	if (io != NULL)
		(void)event_add(io, NULL);
	curl_multi_assign(multi, fd, io);
	return 0;
}

static int
want_timer(CURLM *m, long ms, void *arg)
{
	const struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	(void)m;
	(void)arg;
	if (ms < 0)
		(void)event_del(multi_timer);
	else
		(void)event_add(multi_timer, &tv);
	return 0;
}

static bool
multi_begin(const struct prober_conf *conf)
{
	if (multi != NULL)
		return true;
	multi_conf = conf;
	multi = curl_multi_init();
	multi_timer = evtimer_new(conf->base, on_multi_timer, NULL);
	if (multi == NULL || multi_timer == NULL)
		return false;
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 1L);
	curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	return true;
}

static struct probe_run *
start(const struct prober_conf *conf, const Ns__Check *check, const struct target *target,
    prober_fn *fn, void *arg)
{
	struct timeval late = prober_time(check->timeout);
	char url[URL_MAX], text[INET6_ADDRSTRLEN + 2];
	struct probe_run *p;

	if (!multi_begin(conf))
		return NULL;
	p = xcalloc(1, sizeof *p);
	p->conf = conf;
	p->check = check;
	p->target = *target;
	p->end.fn = fn;
	p->end.arg = arg;
	p->want = prober_octets(check->body, &p->want_len);
	p->timer = evtimer_new(conf->base, on_late, p);
	if (p->timer == NULL)
		abort(); /* out of memory: we stop */
	snprintf(url, sizeof url, "%s://%s:%u%s", check->type,
	    check->host[0] != '\0' ? check->host : address_text(target, text), port_of(target),
	    check->path);
	if (!request(p, url)) {
		p->end.result.abstain = true;
		snprintf(p->end.result.reason, sizeof p->end.result.reason,
		    "the request cannot be made");
		late = (struct timeval){ 0, 0 };
	}
	(void)event_add(p->timer, &late);
	return p;
}

const struct prober prober_http = { "http", start, cancel };
const struct prober prober_https = { "https", start, cancel };

/* prober_tcp - connect, perhaps TLS, perhaps say something and wait for an answer. */
#include <errno.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/probe/prober.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

enum step { CONNECT, HANDSHAKE, SEND, RECEIVE };

struct probe_run {
	const struct prober_conf *conf;
	const Ns__Check *check;
	struct probe_end end;
	int fd;
	struct event *io, *timer;
	SSL *ssl;
	enum step step;
	uint64_t began_ns;
	uint8_t *send, *expect, *in;
	size_t send_len, sent, expect_len, in_len;
};

static SSL_CTX *context; /* verifies, or not, connection by connection */

static void
cancel(struct probe_run *p)
{
	if (p->io != NULL)
		event_free(p->io);
	event_free(p->timer);
	if (p->ssl != NULL)
		SSL_free(p->ssl);
	if (p->fd >= 0)
		close(p->fd);
	free(p->send);
	free(p->expect);
	free(p->in);
	free(p);
}

static void
finish(struct probe_run *p, bool good, const char *reason)
{
	prober_finish(cancel, p, &p->end, good, reason);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	static const char *const late[] = { "no connection in time", "no TLS handshake in time",
		"it takes nothing", "no answer in time" };
	struct probe_run *p = arg;

	(void)fd;
	(void)what;
	/* What failed at once waits here for its turn. */
	finish(p, false, p->end.result.reason[0] != '\0' ? NULL : late[p->step]);
}

static void on_io(evutil_socket_t, short, void *);

static void
wait_for(struct probe_run *p, short what)
{
	(void)event_del(p->io);
	(void)event_assign(p->io, p->conf->base, p->fd, what, on_io, p);
	(void)event_add(p->io, NULL);
}

/* ---- TLS ---- */
static bool
tls_begin(struct probe_run *p)
{
	if (context == NULL)
		context = SSL_CTX_new(TLS_client_method());
	if (context == NULL || (p->ssl = SSL_new(context)) == NULL || !SSL_set_fd(p->ssl, p->fd))
		return false;
	if (p->check->host[0] != '\0')
		SSL_set_tlsext_host_name(p->ssl, p->check->host);
	if (p->check->verify_tls) {
		SSL_set1_verify_cert_store(p->ssl, p->conf->roots);
		SSL_set_verify(p->ssl, SSL_VERIFY_PEER, NULL);
		SSL_set1_host(p->ssl, p->check->host);
	}
	return true;
}

static void
tls_step(struct probe_run *p)
{
	int rc, why;

	ERR_clear_error();
	rc = SSL_connect(p->ssl);
	why = rc == 1 ? SSL_ERROR_NONE : SSL_get_error(p->ssl, rc);
	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
		wait_for(p, why == SSL_ERROR_WANT_READ ? EV_READ : EV_WRITE);
		return;
	}
	if (rc == 1) {
		bool good = prober_days_left(p->ssl, p->check->cert_days_left, &p->end.result);

		finish(p, good, good ? "handshake done" : NULL);
		return;
	}
	if (SSL_get_verify_result(p->ssl) != X509_V_OK)
		prober_cert_fault(SSL_get_verify_result(p->ssl), &p->end.result);
	else
		snprintf(
		    p->end.result.reason, sizeof p->end.result.reason, "the TLS handshake failed");
	ERR_clear_error();
	finish(p, false, NULL);
}

/* ---- TCP ---- */
static void
receive(struct probe_run *p)
{
	ssize_t n = 0;

	while (p->in_len < PROBE_BODY &&
	       (n = recv(p->fd, p->in + p->in_len, PROBE_BODY - p->in_len, 0)) > 0)
		p->in_len += (size_t)n;
	if (prober_contains(p->in, p->in_len, p->expect, p->expect_len)) {
		finish(p, true, "answered as expected");
		return;
	}
	if (p->in_len < PROBE_BODY && n < 0 && (errno == EAGAIN || errno == EINTR)) {
		wait_for(p, EV_READ);
		return;
	}
	finish(
	    p, false, p->in_len > 0 ? "it answered something else" : "it closed without an answer");
}

static void
say(struct probe_run *p)
{
	ssize_t n = 0;

	while (p->sent < p->send_len &&
	       (n = send(p->fd, p->send + p->sent, p->send_len - p->sent, MSG_NOSIGNAL)) > 0)
		p->sent += (size_t)n;
	if (p->sent < p->send_len) {
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			wait_for(p, EV_WRITE);
		else
			finish(p, false, "it closed the connection");
		return;
	}
	if (p->expect_len == 0) {
		finish(p, true, "connected");
		return;
	}
	p->in = xmalloc(PROBE_BODY);
	p->step = RECEIVE;
	receive(p);
}

static void
connected(struct probe_run *p)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0) {
		finish(p, false, error == ECONNREFUSED ? "connection refused" : strerror(error));
		return;
	}
	p->end.result.rtt_us = (uint32_t)((clock_mono_ns() - p->began_ns) / 1000);
	if (strcmp(p->check->type, "tls") != 0) {
		p->step = SEND;
		say(p);
	} else if (tls_begin(p)) {
		p->step = HANDSHAKE;
		tls_step(p);
	} else {
		p->end.result.abstain = true;
		finish(p, false, "no TLS here");
	}
}

static void
on_io(evutil_socket_t fd, short what, void *arg)
{
	static void (*const steps[])(struct probe_run *) = { connected, tls_step, say, receive };
	struct probe_run *p = arg;

	(void)fd;
	(void)what;
	steps[p->step](p);
}

static struct probe_run *
start(const struct prober_conf *conf, const Ns__Check *check, const struct target *target,
    prober_fn *fn, void *arg)
{
	const struct timeval soon = { 0, 0 };
	struct timeval late = prober_time(check->timeout);
	struct probe_run *p = xcalloc(1, sizeof *p);

	p->conf = conf;
	p->check = check;
	p->end.fn = fn;
	p->end.arg = arg;
	p->send = prober_octets(check->send, &p->send_len);
	p->expect = prober_octets(check->expect, &p->expect_len);
	p->began_ns = clock_mono_ns();
	p->timer = evtimer_new(conf->base, on_timer, p);
	p->fd = socket(target->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	p->io = event_new(conf->base, p->fd, EV_WRITE, on_io, p);
	if (p->timer == NULL || p->io == NULL)
		abort(); /* out of memory: we stop */
	if (p->fd < 0) {
		p->end.result.abstain = true;
		snprintf(p->end.result.reason, sizeof p->end.result.reason, "no socket: %s",
		    strerror(errno));
	} else if (connect(p->fd, (const struct sockaddr *)&target->sa, target->len) != 0 &&
		   errno != EINPROGRESS) {
		snprintf(p->end.result.reason, sizeof p->end.result.reason, "%s",
		    errno == ECONNREFUSED ? "connection refused" : strerror(errno));
	} else {
		(void)event_add(p->io, NULL);
	}
	(void)event_add(p->timer, p->end.result.reason[0] != '\0' ? &soon : &late);
	return p;
}

const struct prober prober_tcp = { "tcp", start, cancel };
const struct prober prober_tls = { "tls", start, cancel };

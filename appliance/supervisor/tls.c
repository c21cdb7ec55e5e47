/* tls - certificate, key and ticket keys for DNS over TLS: read, checked, rolled, handed to workers.
 *
 * The files are read at the start and at SIGHUP only, and what was found good is kept in memory, so
 * that a worker which dies between two files that are being replaced has a successor that works.
 * Workers get it in ChildStart, and in a ProcessTable when it changes: they go on with it in place,
 * without losing a connection.  A bad pair at SIGHUP changes nothing and is a problem in status.
 *
 * Ticket keys are random, never stored, and roll every 12 h; the former still opens what it sealed.
 * A new certificate begins with new ones: what was agreed under the old one ends with it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "appliance/role/certificate.h"
#include "appliance/supervisor/supervisor.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define TLS_CODE  6060 /* E6060: certificate or key */
#define LOOK_MS   60000 /* how often we look at the calendar */
#define SOON_DAYS 7
#define DAY_S     86400

enum expiry { EXPIRY_FINE, EXPIRY_SOON, EXPIRY_OVER };

/* "FILE:LINE: [dns] key: PATH: reason" */
static enum ns_err
blame(const struct supervisor *s, const char *file, const char *key, const char *reason,
    struct ns_why *why)
{
	const char *path = strcmp(key, "cert") == 0 ? s->config.pb.dns_cert : s->config.pb.dns_key;
	unsigned line = config_line(&s->config, "dns", key);
	enum ns_err err = ns_fail(
	    why, NS_USAGE, TLS_CODE, "%s:%u: [dns] %s: %s: %s", file, line, key, path, reason);

	if (why != NULL)
		why->line = line;
	return err;
}

/* The whole file, owned by the caller; NULL: errno, or 0 and `reason`. */
static uint8_t *
slurp(const char *path, size_t max, size_t *len, mode_t *mode, const char **reason)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	uint8_t *data;
	ssize_t n = 0;

	*len = 0;
	*reason = NULL;
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		*reason = fd < 0 ? strerror(errno) : "is not a file";
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	*mode = st.st_mode;
	data = xmalloc(max + 1);
	while (*len <= max && (n = read(fd, data + *len, max + 1 - *len)) > 0)
		*len += (size_t)n;
	if (n < 0)
		*reason = strerror(errno);
	else if (*len > max)
		*reason = "is too long";
	else if (*len == 0)
		*reason = "is empty";
	close(fd);
	if (*reason == NULL)
		return data;
	free(data);
	return NULL;
}

static void
forget(struct tls_material *m)
{
	if (m->key != NULL)
		explicit_bzero(m->key, m->key_len);
	free(m->key);
	free(m->cert);
	explicit_bzero(m, sizeof *m);
}

/* Does it fit together?  In a context like a worker's. */
static enum ns_err
try_pair(struct supervisor *s, struct tls_material *m, const char *file, struct ns_why *why)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	char reason[CERTIFICATE_WHY_MAX] = "no memory";
	enum certificate_fault fault = CERTIFICATE_BAD;

	if (ctx != NULL)
		fault = certificate_use(ctx, (struct octets){ m->cert, m->cert_len },
		    (struct octets){ m->key, m->key_len }, &m->not_after, reason);
	SSL_CTX_free(ctx);
	if (fault == CERTIFICATE_OK)
		return NS_OK;
	return blame(s, file, fault == CERTIFICATE_BAD ? "cert" : "key", reason, why);
}

static enum ns_err
read_pair(struct supervisor *s, struct tls_material *m, const char *file, struct ns_why *why)
{
	const Ns__Config *c = &s->config.pb;
	const char *reason;
	mode_t mode;
	enum ns_err err;

	*m = (struct tls_material){ .cert = NULL };
	m->cert = slurp(c->dns_cert, CERTIFICATE_MAX, &m->cert_len, &mode, &reason);
	if (m->cert == NULL)
		return blame(s, file, "cert", reason, why);
	m->key = slurp(c->dns_key, CERTIFICATE_KEY_MAX, &m->key_len, &mode, &reason);
	if (m->key == NULL) {
		forget(m);
		return blame(s, file, "key", reason, why);
	}
	m->exposed = (mode & S_IRWXO) != 0;
	err = try_pair(s, m, file, why);
	if (err != NS_OK)
		forget(m);
	return err;
}

void
tls_roll(struct tls_material *m, bool keep_former, uint64_t now_ms)
{
	memcpy(m->tickets[1], m->tickets[0], TICKET_KEY);
	m->ntickets = keep_former && m->ntickets > 0 ? 2 : 1;
	if (getrandom(m->tickets[0], TICKET_KEY, 0) != TICKET_KEY)
		fatal("tls.random", "error=%s", strerror(errno));
	if (m->ntickets == 1)
		explicit_bzero(m->tickets[1], TICKET_KEY);
	m->rolled_ms = now_ms;
}

enum ns_err
tls_load(struct supervisor *s, const char *file, struct ns_why *why)
{
	enum ns_err err;

	if (s->config.pb.n_dns_tls == 0)
		return NS_OK;
	certificate_init();
	err = read_pair(s, &s->tls, file, why);
	if (err == NS_OK)
		tls_roll(&s->tls, false, clock_mono_ms());
	return err;
}

void
tls_fill(struct supervisor *s, Ns__TlsMaterial *m, ProtobufCBinaryData tickets[2])
{
	struct tls_material *t = &s->tls;
	unsigned i;

	ns__tls_material__init(m);
	m->cert = (ProtobufCBinaryData){ .data = t->cert, .len = t->cert_len };
	m->key = (ProtobufCBinaryData){ .data = t->key, .len = t->key_len };
	for (i = 0; i < t->ntickets; i++)
		tickets[i] = (ProtobufCBinaryData){ .data = t->tickets[i], .len = TICKET_KEY };
	m->n_tickets = t->ntickets;
	m->tickets = tickets;
}

/* ---- while it runs ---- */

/* To one worker.  False: its pair is full, which is tried again at the next tick. */
static bool
send_to(struct supervisor *s, const struct child *c)
{
	Ns__ProcessTable table = NS__PROCESS_TABLE__INIT;
	Ns__TlsMaterial m;
	ProtobufCBinaryData tickets[2];
	size_t len;
	uint8_t *packed;
	bool sent;

	tls_fill(s, &m, tickets);
	table.tls = &m;
	len = ns__process_table__get_packed_size(&table);
	packed = xmalloc(len);
	ns__process_table__pack(&table, packed);
	sent = send(c->link, packed, len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len;
	explicit_bzero(packed, len);
	free(packed);
	return sent;
}

static void
send_due(struct supervisor *s)
{
	size_t i;

	for (i = 0; i < s->nchildren; i++) {
		struct child *c = &s->children[i];

		if (c->tls_due && c->link >= 0 && send_to(s, c))
			c->tls_due = false;
	}
}

/* Whoever starts later has it in its ChildStart. */
static void
tell_workers(struct supervisor *s)
{
	size_t i;

	for (i = 0; i < s->nchildren; i++)
		s->children[i].tls_due =
		    (s->children[i].spec->handed & HAND_SOCKETS) != 0 && s->children[i].link >= 0;
	send_due(s);
}

static void
say_expiry(struct supervisor *s, time_t now)
{
	struct tls_material *m = &s->tls;
	time_t left = m->not_after - now;
	int state = left <= 0 ? EXPIRY_OVER : left <= SOON_DAYS * DAY_S ? EXPIRY_SOON : EXPIRY_FINE;
	char day[32];
	struct tm tm;

	if (m->not_after == 0 || state == m->expiry)
		return;
	m->expiry = state;
	status_problem_end(s, "certificate");
	if (state == EXPIRY_FINE || gmtime_r(&m->not_after, &tm) == NULL)
		return;
	(void)strftime(day, sizeof day, "%Y-%m-%d %H:%M UTC", &tm);
	status_problem(s, "certificate",
	    "[dns] cert: %.300s %s on %s: renew it and send nameserved a SIGHUP",
	    s->config.pb.dns_cert, state == EXPIRY_OVER ? "expired" : "expires", day);
}

static void
say_exposed(struct supervisor *s)
{
	status_problem_end(s, "tls-key");
	if (s->tls.exposed)
		status_problem(s, "tls-key", "[dns] key: %.300s is open to every user: chmod o= it",
		    s->config.pb.dns_key);
}

void
tls_start(struct supervisor *s)
{
	if (s->config.pb.n_dns_tls == 0)
		return;
	say_exposed(s);
	say_expiry(s, time(NULL));
}

void
tls_tick(struct supervisor *s, uint64_t now_ms)
{
	if (s->config.pb.n_dns_tls == 0)
		return;
	if (clock_since(now_ms, s->tls.rolled_ms) >= TLS_ROLL_MS) {
		tls_roll(&s->tls, true, now_ms);
		log_info("tls.tickets", "text=\"new key, the former is good for %u h\"",
		    TLS_ROLL_MS / 3600000);
		tell_workers(s);
	}
	if (clock_since(now_ms, s->tls.looked_ms) >= LOOK_MS) {
		s->tls.looked_ms = now_ms;
		say_expiry(s, time(NULL));
	}
	send_due(s);
}

static bool
same(const struct tls_material *a, const struct tls_material *b)
{
	return a->cert_len == b->cert_len && a->key_len == b->key_len &&
	       memcmp(a->cert, b->cert, a->cert_len) == 0 &&
	       memcmp(a->key, b->key, a->key_len) == 0;
}

void
tls_reload(struct supervisor *s)
{
	struct tls_material fresh;
	struct ns_why why = { 0 };

	if (s->config.pb.n_dns_tls == 0)
		return;
	status_problem_end(s, "tls-reload");
	if (read_pair(s, &fresh, s->config_path, &why) != NS_OK) {
		status_problem(
		    s, "tls-reload", "the former certificate stays in use: %.400s", why.text);
		return;
	}
	if (same(&s->tls, &fresh)) {
		s->tls.exposed = fresh.exposed;
		forget(&fresh);
		say_exposed(s);
		return;
	}
	fresh.expiry = s->tls.expiry;
	tls_roll(&fresh, false, clock_mono_ms());
	forget(&s->tls);
	s->tls = fresh;
	log_info("tls.renewed", "cert=%s", log_quote(s->config.pb.dns_cert));
	tls_start(s);
	tell_workers(s);
}

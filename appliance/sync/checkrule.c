/* checkrule - what the definition of a health check may say, and what it means when it says nothing.
 *
 * Pure.  One row a type: what it needs and what it may have.  A field that a type does not know is
 * refused, so that nobody believes that it is looked at. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/checks.h"
#include "appliance/sync/errors.h"

#define INTERVAL_MIN 1.0
#define INTERVAL_MAX 3600.0
#define TIMEOUT_MIN  0.05
#define TIMEOUT_MAX  60.0
#define COUNT_MAX    10u /* fall and rise */
#define DAYS_MAX     365u
#define TEXT_MAX     512u /* host, path, body, expect, send */
#define HEADERS_MAX  16u
#define REDIRECT_MAX 5u

enum may {
	M_PORT = 1 << 0,
	M_HOST = 1 << 1,
	M_PATH = 1 << 2,
	M_EXPECT = 1 << 3,
	M_BODY = 1 << 4,
	M_TLS = 1 << 5,
	M_SEND = 1 << 6,
	M_HEADERS = 1 << 7,
	M_REDIRECTS = 1 << 8,
	M_QUERY = 1 << 9,
	M_PROBED = 1 << 10, /* it has a target and is asked */
	M_OF = 1 << 11,
};
#define M_WEB (M_PROBED | M_PORT | M_HOST | M_PATH | M_EXPECT | M_BODY | M_HEADERS | M_REDIRECTS)

static const struct type {
	const char *name;
	unsigned port; /* 0: must be given, when it may */
	unsigned may;
} types[] = {
	{ "http", 80, M_WEB },
	{ "https", 443, M_WEB | M_TLS },
	{ "tcp", 0, M_PROBED | M_PORT | M_EXPECT | M_SEND },
	{ "tls", 443, M_PROBED | M_PORT | M_HOST | M_TLS },
	{ "icmp", 0, M_PROBED },
	{ "dns", 53, M_PROBED | M_PORT | M_QUERY },
	{ "calculated", 0, M_OF },
	{ "push", 0, 0 },
};

bool
check_name_ok(const char *name)
{
	static const char good[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strlen(name);

	return len > 0 && len <= CHECK_NAME_MAX && name[0] != '-' && strspn(name, good) == len;
}

static enum ns_err
refuse(struct ns_why *why, const char *field, const char *text)
{
	snprintf(why->field, sizeof why->field, "%s", field);
	return ns_fail(why, NS_INVALID, ES_CHECK, "%s", text);
}

static const struct type *
type_of(const char *name)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}

/* ---- what is not this type's ---- */
static enum ns_err
only_its_own(const Ns__Check *c, const struct type *t, struct ns_why *why)
{
	const struct {
		const char *field;
		bool given;
		unsigned need;
	} rows[] = {
		{ "target", c->target[0] != '\0', M_PROBED },
		{ "port", c->port != 0, M_PORT },
		{ "host", c->host[0] != '\0', M_HOST },
		{ "path", c->path[0] != '\0', M_PATH },
		{ "expect", c->expect[0] != '\0', M_EXPECT },
		{ "body", c->body[0] != '\0', M_BODY },
		{ "send", c->send[0] != '\0', M_SEND },
		{ "headers", c->n_headers > 0, M_HEADERS },
		{ "redirects", c->redirects != 0, M_REDIRECTS },
		{ "query", c->query[0] != '\0', M_QUERY },
		{ "query_type", c->query_type[0] != '\0', M_QUERY },
		{ "cert_days_left", c->cert_days_left != 0, M_TLS },
		{ "of", c->n_of > 0, M_OF },
		{ "at_least", c->at_least != 0, M_OF },
		{ "fall", c->fall != 0, M_PROBED },
		{ "rise", c->rise != 0, M_PROBED },
		{ "interval", c->interval != 0, M_PROBED },
		{ "timeout", c->timeout != 0, M_PROBED },
		{ "probers", c->probers[0] != '\0', M_PROBED },
		{ "control", c->control, M_PROBED },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].given && !(t->may & rows[i].need)) {
			snprintf(why->field, sizeof why->field, "%s", rows[i].field);
			return ns_fail(why, NS_INVALID, ES_CHECK, "a check of type %s has no %s",
			    t->name, rows[i].field);
		}
	return NS_OK;
}

/* ---- values ---- */
static bool
status_set_ok(const char *set)
{
	while (*set != '\0') {
		char *end;
		unsigned long low, high;

		if (!isdigit((unsigned char)*set))
			return false;
		low = high = strtoul(set, &end, 10);
		if (*end == '-') {
			if (!isdigit((unsigned char)end[1]))
				return false;
			high = strtoul(end + 1, &end, 10);
		}
		if (low < 100 || high > 599 || low > high || (*end != '\0' && *end != ','))
			return false;
		set = *end == ',' ? end + 1 : end;
		if (*end == ',' && *set == '\0')
			return false;
	}
	return true;
}

static bool
escapes_ok(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s != '\\')
			continue;
		s++;
		if (*s == 'x') {
			if (!isxdigit((unsigned char)s[1]) || !isxdigit((unsigned char)s[2]))
				return false;
			s += 2;
		} else if (*s == '\0' || strchr("rnt\\", *s) == NULL) {
			return false;
		}
	}
	return true;
}

static bool
host_ok(const char *host)
{
	size_t len = strlen(host);

	return len <= 253 &&
	       host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789.-_")] == '\0';
}

static bool
header_ok(const char *h)
{
	const char *colon = strchr(h, ':');

	return colon != NULL && colon != h && strlen(h) <= TEXT_MAX &&
	       strspn(h, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
		   (size_t)(colon - h);
}

static bool
probers_ok(const char *p)
{
	char *end;
	unsigned long n = strtoul(p, &end, 10);

	return strcmp(p, "all") == 0 ||
	       (isdigit((unsigned char)p[0]) && *end == '\0' && n >= 1 && n <= 256);
}

static bool
is_address(const char *text)
{
	uint8_t octets[16];

	return inet_pton(AF_INET, text, octets) == 1 || inet_pton(AF_INET6, text, octets) == 1;
}

static enum ns_err
texts(const Ns__Check *c, struct ns_why *why)
{
	bool web = strncmp(c->type, "http", 4) == 0;

	if (strlen(c->path) > TEXT_MAX || strlen(c->body) > TEXT_MAX ||
	    strlen(c->expect) > TEXT_MAX || strlen(c->send) > TEXT_MAX)
		return refuse(why, "body", "path, body, expect and send have at most 512 octets");
	if (!host_ok(c->host))
		return refuse(why, "host", "not a host name");
	if (c->path[0] != '\0' && (c->path[0] != '/' || strchr(c->path, ' ') != NULL))
		return refuse(why, "path", "a path begins with / and has no blanks");
	if (web && !status_set_ok(c->expect))
		return refuse(why, "expect", "a set of status codes: \"200-299,301\"");
	if (!escapes_ok(c->send) || !escapes_ok(c->body) || (!web && !escapes_ok(c->expect)))
		return refuse(why, "send", "escapes are \\r \\n \\t \\\\ and \\xHH");
	if (c->n_headers > HEADERS_MAX)
		return refuse(why, "headers", "at most 16 headers");
	for (size_t i = 0; i < c->n_headers; i++)
		if (!header_ok(c->headers[i]))
			return refuse(why, "headers", "a header is \"Name: value\"");
	return NS_OK;
}

static enum ns_err
numbers(const Ns__Check *c, struct ns_why *why)
{
	if (!(c->interval >= INTERVAL_MIN && c->interval <= INTERVAL_MAX))
		return refuse(why, "interval", "an interval is 1 to 3600 seconds");
	if (!(c->timeout >= TIMEOUT_MIN && c->timeout <= TIMEOUT_MAX))
		return refuse(why, "timeout", "a timeout is 0.05 to 60 seconds");
	if (c->fall > COUNT_MAX || c->rise > COUNT_MAX)
		return refuse(why, c->fall > COUNT_MAX ? "fall" : "rise",
		    "fall and rise are 1 to 10 results in a row");
	if (c->port > 65535)
		return refuse(why, "port", "a port is 1 to 65535");
	if (c->redirects > REDIRECT_MAX)
		return refuse(why, "redirects", "at most 5 redirects");
	if (c->cert_days_left > DAYS_MAX)
		return refuse(why, "cert_days_left", "at most 365 days");
	return NS_OK;
}

/* ---- defaults ---- */
static void
text_default(char **field, const char *value)
{
	if ((*field)[0] == '\0')
		*field = (char *)(uintptr_t)value;
}

static void
count_default(uint32_t *field, unsigned value)
{
	if (*field == 0)
		*field = value;
}

static enum ns_err
probed(Ns__Check *c, const struct type *t, struct ns_why *why)
{
	enum ns_err err;

	if (!is_address(c->target))
		return refuse(why, "target", "the target is an IPv4 or IPv6 address");
	count_default(&c->port, t->port);
	if (t->may & M_PORT && c->port == 0)
		return refuse(why, "port", "a check of type tcp needs a port");
	if (c->interval == 0)
		c->interval = 30;
	if (c->timeout == 0)
		c->timeout = 3;
	count_default(&c->fall, 3);
	count_default(&c->rise, 2);
	text_default(&c->probers, c->control ? "all" : "3");
	if (c->control && strcmp(c->probers, "all") != 0)
		return refuse(why, "probers", "all look at a control target");
	if (!probers_ok(c->probers))
		return refuse(why, "probers", "probers is a number or \"all\"");
	if (t->may & M_PATH) {
		text_default(&c->path, "/");
		text_default(&c->expect, "200-299");
	}
	if (t->may & M_TLS && c->verify_tls && c->host[0] == '\0')
		return refuse(
		    why, "host", "verify_tls needs the host whose name the certificate must have");
	if (t->may & M_QUERY) {
		text_default(&c->query_type, "SOA");
		if (c->query[0] == '\0' || !host_ok(c->query))
			return refuse(
			    why, "query", "a check of type dns needs the name to ask for");
	}
	if ((err = texts(c, why)) != NS_OK)
		return err;
	return numbers(c, why);
}

static bool
query_type_ok(const char *t)
{
	static const char *const known[] = { "A", "AAAA", "NS", "SOA", "TXT", "MX" };

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(known[i], t) == 0)
			return true;
	return false;
}

static enum ns_err
calculated(Ns__Check *c, struct ns_why *why)
{
	if (c->n_of == 0 || c->n_of > CHECK_OF_MAX)
		return refuse(why, "of", "a calculated check names 1 to 64 other checks");
	count_default(&c->at_least, 1);
	if (c->at_least > c->n_of)
		return refuse(why, "at_least", "at_least is more than there are checks in of");
	for (size_t i = 0; i < c->n_of; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(c->of[i], c->of[j]) == 0)
				return refuse(why, "of", "a check is named twice");
	return NS_OK;
}

enum ns_err
check_rule(Ns__Check *c, struct ns_why *why)
{
	const struct type *t = type_of(c->type);
	enum ns_err err;

	if (t == NULL)
		return refuse(why, "type",
		    "type is one of http, https, tcp, tls, icmp, dns, calculated, push");
	if (!(t->may & M_TLS))
		c->verify_tls = false;
	if ((err = only_its_own(c, t, why)) != NS_OK)
		return err;
	text_default(&c->initial, "down");
	if (strcmp(c->initial, "up") != 0 && strcmp(c->initial, "down") != 0)
		return refuse(why, "initial", "initial is up or down");
	if (t->may & M_PROBED && (err = probed(c, t, why)) != NS_OK)
		return err;
	if (t->may & M_QUERY && !query_type_ok(c->query_type))
		return refuse(why, "query_type", "query_type is A, AAAA, NS, SOA, TXT or MX");
	return t->may & M_OF ? calculated(c, why) : NS_OK;
}

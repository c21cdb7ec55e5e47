/* checkform.c - see checkform.h. */
#include "console/core/checkform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"
#include "ipc/json.h"

const char *const check_kinds[] = { "http", "https", "tcp", "tls", "icmp", "dns", "calculated",
	"push", NULL };
static const char *const abouts[] = { "a page answers with the status that is expected",
	"a page over TLS, with a certificate that holds",
	"a port takes connections, and says what is expected",
	"a TLS handshake, with a certificate that holds", "an address answers to echo requests",
	"a name server answers for a name", "so many of other checks are up",
	"whoever pushes says it, for a while" };

enum {
	HTTP = 1,
	HTTPS = 2,
	TCP = 4,
	TLS = 8,
	ICMP = 16,
	DNS = 32,
	CALC = 64,
	PUSH = 128,
	WEB = HTTP | HTTPS,
	PROBED = WEB | TCP | TLS | ICMP | DNS,
	ALL = PROBED | CALC | PUSH,
};

static const char *const yes_no[] = { "yes", "no", NULL };
static const char *const initials[] = { "down", "up", NULL };
static const char *const query_types[] = { "SOA", "A", "AAAA", "NS", "TXT", "MX", NULL };

/* clang-format off */
const struct check_field check_fields[] = {
	{ "type", "Kind", 14, ALL, check_kinds, "what is looked at" },
	{ "target", "Target", 42, PROBED, NULL, "an IPv4 or IPv6 address" },
	{ "port", "Port", 8, WEB | TCP | TLS | DNS, NULL, "http 80, https and tls 443, dns 53; tcp needs one" },
	{ "host", "Host/SNI", 30, WEB | TLS, NULL, "asked for, and the name that the certificate must have" },
	{ "path", "Path", 30, WEB, NULL, "/ when empty" },
	{ "expect", "Expect", 20, WEB | TCP, NULL, "http: status codes, 200-299,301 (200-299 when empty); tcp: what must be received" },
	{ "body", "Body has", 24, WEB, NULL, "must be in the first 8 KiB" },
	{ "send", "Send", 30, TCP, NULL, "said after connecting; \\r \\n \\t \\\\ \\xHH" },
	{ "headers", "Headers", 40, WEB, NULL, "Name: value | Name: value" },
	{ "redirects", "Redirects", 6, WEB, NULL, "followed at most so often, up to 5; none when empty" },
	{ "query", "Query", 30, DNS, NULL, "the name that is asked for" },
	{ "query_type", "Type", 8, DNS, query_types, "of the question" },
	{ "verify_tls", "Verify", 7, HTTPS | TLS, yes_no, "the certificate must be valid for the host" },
	{ "cert_days_left", "Cert days", 6, HTTPS | TLS, NULL, "down when the certificate has fewer days left" },
	{ "of", "Of", 50, CALC, NULL, "names of other checks, by blanks" },
	{ "at_least", "At least", 6, CALC, NULL, "so many of them are up; 1 when empty" },
	{ "interval", "Every", 8, PROBED, NULL, "seconds, 1 to 3600; 30 when empty" },
	{ "timeout", "Timeout", 8, PROBED, NULL, "seconds, 0.05 to 60; 3 when empty" },
	{ "fall", "Fall", 6, PROBED, NULL, "bad looks in a row until it is down, 1 to 10; 3 when empty" },
	{ "rise", "Rise", 6, PROBED, NULL, "good looks in a row until it is up, 1 to 10; 2 when empty" },
	{ "probers", "Probers", 8, PROBED, NULL, "how many appliances look, or all; 3 when empty" },
	{ "initial", "Initial", 8, ALL, initials, "what counts until the first verdict" },
	{ "control", "Control", 7, PROBED, yes_no, "all look at it; who reaches none of these abstains elsewhere" },
	{ NULL, NULL, 0, 0, NULL, NULL },
};
/* clang-format on */

static size_t
kind_of(const char *kind)
{
	size_t i = 0;

	while (check_kinds[i] != NULL && strcmp(check_kinds[i], kind) != 0)
		i++;
	return i;
}

const char *
check_about(const char *kind)
{
	size_t i = kind_of(kind);

	return check_kinds[i] != NULL ? abouts[i] : "";
}

bool
check_has(const char *kind, const struct check_field *f)
{
	size_t i = kind_of(kind);

	return f == check_fields || (check_kinds[i] != NULL && (f->kinds >> i & 1) != 0);
}

static const ProtobufCFieldDescriptor *
descriptor(const struct check_field *f)
{
	return protobuf_c_message_descriptor_get_field_by_name(&ns__check__descriptor, f->name);
}

static const char *
separator(const struct check_field *f)
{
	return strcmp(f->name, "headers") == 0 ? "|" : " ";
}

/* ---- message to text ---- */
static char *
join(char *const *list, size_t n, const char *by)
{
	char *out = xstrdup(""), *next;

	for (size_t i = 0; i < n; i++) {
		next = xasprintf("%s%s%s%s%s", out, i > 0 && by[0] != ' ' ? " " : "",
		    i > 0 ? by : "", i > 0 && by[0] != ' ' ? " " : "", list[i]);
		free(out);
		out = next;
	}
	return out;
}

char *
check_text(const Ns__Check *c, const struct check_field *f)
{
	const ProtobufCFieldDescriptor *d = descriptor(f);
	const uint8_t *at = (const uint8_t *)c + d->offset;
	uint32_t n;
	double v;

	if (d->label == PROTOBUF_C_LABEL_REPEATED)
		return join(*(char *const *const *)(const void *)at,
		    *(const size_t *)(const void *)((const uint8_t *)c + d->quantifier_offset),
		    separator(f));
	switch (d->type) {
	case PROTOBUF_C_TYPE_UINT32:
		n = *(const uint32_t *)(const void *)at;
		return n > 0 ? xasprintf("%u", n) : xstrdup("");
	case PROTOBUF_C_TYPE_DOUBLE:
		v = *(const double *)(const void *)at;
		return v > 0 ? xasprintf("%g", v) : xstrdup("");
	case PROTOBUF_C_TYPE_BOOL:
		return xstrdup(*(const protobuf_c_boolean *)(const void *)at ? "yes" : "no");
	default:
		return xstrdup(*(char *const *)(const void *)at);
	}
}

/* ---- text to message ---- */
static char *
trimmed(const char *from, size_t n)
{
	while (n > 0 && *from == ' ') {
		from++;
		n--;
	}
	while (n > 0 && from[n - 1] == ' ')
		n--;
	return xasprintf("%.*s", (int)n, from);
}

static void
take_list(char ***list, size_t *count, const char *text, const char *by)
{
	for (size_t i = 0; i < *count; i++)
		free((*list)[i]);
	*count = 0;
	for (const char *p = text; *p != '\0';) {
		size_t n = strcspn(p, by);
		char *one = trimmed(p, n);

		if (one[0] != '\0') {
			*list = xreallocarray(*list, *count + 1, sizeof **list);
			(*list)[(*count)++] = one;
		} else {
			free(one);
		}
		p += n + (p[n] != '\0');
	}
}

/* Of init, or of the type's default, a string is not ours to free. */
static void
take_string(char **at, const char *text)
{
	if (*at != NULL && *at != (const char *)protobuf_c_empty_string)
		free(*at);
	*at = xstrdup(text);
}

const char *
check_take(Ns__Check *c, const struct check_field *f, const char *typed)
{
	const ProtobufCFieldDescriptor *d = descriptor(f);
	uint8_t *at = (uint8_t *)c + d->offset;
	char *text = trimmed(typed, strlen(typed)), *end = text;
	const char *wants = NULL;
	double v = 0;

	if (d->label == PROTOBUF_C_LABEL_REPEATED) {
		take_list((char ***)(void *)at,
		    (size_t *)(void *)((uint8_t *)c + d->quantifier_offset), text, separator(f));
	} else if (d->type == PROTOBUF_C_TYPE_UINT32) {
		v = text[0] != '\0' ? strtod(text, &end) : 0;
		if (*end != '\0' || text[strspn(text, "0123456789")] != '\0' || v > 1000000)
			wants = "a whole number";
		else
			*(uint32_t *)(void *)at = (uint32_t)v;
	} else if (d->type == PROTOBUF_C_TYPE_DOUBLE) {
		v = text[0] != '\0' ? strtod(text, &end) : 0;
		if (*end != '\0' || text[strspn(text, "0123456789.")] != '\0')
			wants = "a number";
		else
			*(double *)(void *)at = v;
	} else if (d->type == PROTOBUF_C_TYPE_BOOL) {
		*(protobuf_c_boolean *)(void *)at = strcmp(text, "yes") == 0;
	} else {
		take_string((char **)(void *)at, text);
	}
	free(text);
	return wants;
}

Ns__Check *
check_own(const Ns__Check *c)
{
	Ns__Check *copy = ns_message_copy(&c->base);

	for (const struct check_field *f = check_fields; copy != NULL && f->name != NULL; f++)
		if (!check_has(copy->type, f))
			(void)check_take(copy, f, "");
	return copy;
}

static bool
has_named(const char *kind, const char *name)
{
	const struct check_field *f = check_fields;

	while (f->name != NULL && strcmp(f->name, name) != 0)
		f++;
	return f->name != NULL && check_has(kind, f);
}

static bool
is_default(const char *kind, const char *key, const json_t *value)
{
	return !has_named(kind, key) || json_is_object(value) || json_is_null(value) ||
	       (json_is_string(value) && json_string_length(value) == 0) ||
	       (json_is_array(value) && json_array_size(value) == 0) ||
	       (json_is_number(value) && !(json_number_value(value) > 0)) ||
	       (json_is_false(value) && strcmp(key, "verify_tls") != 0);
}

char *
check_json(const Ns__Check *c)
{
	Ns__Check *own = check_own(c);
	json_t *doc = own != NULL ? ns_json_from(&own->base, NULL) : NULL, *value;
	const char *key;
	char *text;
	void *next;

	json_object_foreach_safe(doc, next, key, value)
	{
		if (is_default(c->type, key, value))
			(void)json_object_del(doc, key);
	}
	text = json_dumps(doc, JSON_ENSURE_ASCII);
	json_decref(doc);
	if (own != NULL)
		ns__check__free_unpacked(own, NULL);
	return text;
}

/* tailfilter - see tailfilter.h. */
#include "appliance/answer/tailfilter.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "ipc/base/text.h"

/* IANA, DNS RCODEs. */
static const char *const rcode_names[TAILFILTER_RCODES] = {
	"NOERROR",
	"FORMERR",
	"SERVFAIL",
	"NXDOMAIN",
	"NOTIMP",
	"REFUSED",
	"YXDOMAIN",
	"YXRRSET",
	"NXRRSET",
	"NOTAUTH",
	"NOTZONE",
	"RCODE11",
	"RCODE12",
	"RCODE13",
	"RCODE14",
	"RCODE15",
	"BADVERS",
	"RCODE17",
	"RCODE18",
	"RCODE19",
	"RCODE20",
	"RCODE21",
	"RCODE22",
	"BADCOOKIE",
};

const char *
tailfilter_rcode(unsigned rcode)
{
	return rcode_names[rcode < TAILFILTER_RCODES ? rcode : TAILFILTER_RCODES - 1];
}

/* ---- reading ---- */
static bool
refuse(char why[TAILFILTER_WHY], const char *word, const char *text)
{
	snprintf(why, TAILFILTER_WHY, "filter: %.200s: %s", word, text);
	return false;
}

static bool
read_name(struct tailfilter_word *w, const char *text)
{
	static const uint8_t root[] = { 0 };
	size_t len;
	struct ns_why why = { 0 };

	if (name_from_text(text, root, w->octets, &len, &why) != NS_OK)
		return false;
	name_lower(w->octets, w->octets, len);
	w->len = (uint8_t)len;
	return true;
}

static bool
read_rcode(struct tailfilter_word *w, const char *text)
{
	w->number = TAILFILTER_DROP;
	for (unsigned i = 0; i < TAILFILTER_RCODES; i++)
		if (strcasecmp(text, rcode_names[i]) == 0)
			w->number = i;
	return w->number != TAILFILTER_DROP || strcasecmp(text, "drop") == 0;
}

/* An address, or a network of so many bits. */
static bool
read_client(struct tailfilter_word *w, const char *text)
{
	char copy[64], *slash, *end;

	snprintf(copy, sizeof copy, "%.63s", text);
	slash = strchr(copy, '/');
	if (slash != NULL)
		*slash = '\0';
	w->len = inet_pton(AF_INET, copy, w->octets) == 1    ? 4
		 : inet_pton(AF_INET6, copy, w->octets) == 1 ? 16
							     : 0;
	w->number = 8u * w->len;
	if (slash != NULL) {
		w->number = isdigit((unsigned char)slash[1]) ? strtoul(slash + 1, &end, 10) : 999;
		if (w->number != 999 && *end != '\0')
			return false;
	}
	return w->len > 0 && w->number <= 8u * w->len;
}

static bool
read_via(struct tailfilter_word *w, const char *text)
{
	w->number = strcmp(text, "tcp") == 0 ? TAIL_TCP : strcmp(text, "tls") == 0 ? TAIL_TLS : 0;
	return w->number != 0 || strcmp(text, "udp") == 0;
}

static bool
read_type(struct tailfilter_word *w, const char *text)
{
	w->number = rrtype_from_text(text);
	return w->number != 0;
}

static const struct {
	const char *name;
	enum tailfilter_kind kind;
	bool (*read)(struct tailfilter_word *, const char *);
	const char *expected;
} facets[] = {
	{ "zone:", TF_ZONE, read_name, "not a name" },
	{ "name:", TF_NAME, read_name, "not a name" },
	{ "type:", TF_TYPE, read_type, "there is no record type of that name" },
	{ "rcode:", TF_RCODE, read_rcode, "an rcode is NOERROR, NXDOMAIN, REFUSED … or DROP" },
	{ "client:", TF_CLIENT, read_client, "a client is an address or a network" },
	{ "via:", TF_VIA, read_via, "via is udp, tcp or tls" },
};

static bool
read_plain(struct tailfilter_word *w, const char *text)
{
	w->kind = *text == '^' ? TF_PREFIX : strpbrk(text, "*?") != NULL ? TF_GLOB : TF_PART;
	text += *text == '^';
	for (size_t i = 0; i <= strlen(text); i++)
		w->text[i] = (char)tolower((unsigned char)text[i]);
	return *text != '\0';
}

static bool
read_word(struct tailfilter_word *w, const char *word, tailfilter_hash_fn *hash, void *arg,
    char why[TAILFILTER_WHY])
{
	const char *text = word + (*word == '-');

	*w = (struct tailfilter_word){ .not = *word == '-' };
	for (size_t i = 0; i < sizeof facets / sizeof *facets; i++) {
		size_t n = strlen(facets[i].name);

		if (strncmp(text, facets[i].name, n) != 0)
			continue;
		w->kind = facets[i].kind;
		if (!facets[i].read(w, text + n))
			return refuse(why, word, facets[i].expected);
		if (w->kind == TF_ZONE)
			w->number = hash(arg, w->octets, w->len);
		return true;
	}
	if (strchr(text, ':') != NULL)
		return refuse(why, word, "there is zone: name: type: rcode: client: via:");
	if (*text == '~')
		return refuse(why, word, "expressions are not supported here; foo, ^foo, *.x.*");
	return read_plain(w, text) || refuse(why, word, "an empty word");
}

bool
tailfilter_read(struct tailfilter *f, const char *text, tailfilter_hash_fn *hash, void *arg,
    char why[TAILFILTER_WHY])
{
	char word[TAILFILTER_WORD + 1];

	f->n = 0;
	for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
		size_t n = strcspn(text, " ");

		if (f->n == TAILFILTER_WORDS)
			return refuse(why, text, "too many words");
		if (n > TAILFILTER_WORD)
			return refuse(why, text, "a word is at most 255 octets");
		memcpy(word, text, n);
		word[n] = '\0';
		if (!read_word(&f->words[f->n], word, hash, arg, why))
			return false;
		f->n++;
		text += n;
	}
	return true;
}

/* ---- matching ---- */
static bool
in_network(const struct tailfilter_word *w, const struct tail_row *r)
{
	unsigned whole = (unsigned)w->number / 8, rest = (unsigned)w->number % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	if ((w->len == 4 ? 4 : 6) != r->family || memcmp(w->octets, r->address, whole) != 0)
		return false;
	return rest == 0 || ((w->octets[whole] ^ r->address[whole]) & mask) == 0;
}

static bool
word_match(const struct tailfilter_word *w, const struct tail_row *r, const char *name)
{
	switch (w->kind) {
	case TF_PART:
		return strstr(name, w->text) != NULL;
	case TF_PREFIX:
		return strncmp(name, w->text, strlen(w->text)) == 0;
	case TF_GLOB:
		return text_glob(w->text, name);
	case TF_ZONE:
		return r->zone_hash == w->number;
	case TF_NAME:
		return r->name_len == w->len && memcmp(r->name, w->octets, w->len) == 0;
	case TF_TYPE:
		return r->qtype == w->number;
	case TF_RCODE:
		return (r->flags & TAIL_DROPPED ? TAILFILTER_DROP : r->rcode) == w->number;
	case TF_CLIENT:
		return in_network(w, r);
	case TF_VIA:
		return (r->flags & (TAIL_TCP | TAIL_TLS)) == w->number;
	}
	return false;
}

bool
tailfilter_match(const struct tailfilter *f, const struct tail_row *r)
{
	char name[NAME_MAX_TEXT];
	size_t n;

	if (name_check(r->name, r->name_len) != r->name_len)
		return false;
	if (f->n == 0)
		return true;
	name_to_text(r->name, name);
	n = strlen(name);
	if (n > 1) /* as it is shown and typed: without the last dot */
		name[n - 1] = '\0';
	for (unsigned i = 0; i < f->n; i++)
		if (word_match(&f->words[i], r, name) == f->words[i].not )
			return false;
	return true;
}

/* text_policy_place.c - where a rule's clients are (cidr:, asn:, country: …), from JSON into a policy's keys;
 * see text_policy_reading.h. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/codes.h"
#include "appliance/dns/text_policy_reading.h"

static bool
parse_cidr(const char *text, uint8_t out[16], uint8_t *kind, uint8_t *bits)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t n = slash != NULL ? (size_t)(slash - text) : strlen(text);
	bool v4;
	unsigned long b;
	char *end;

	if (n >= sizeof address)
		return false;
	memcpy(address, text, n);
	address[n] = '\0';
	v4 = inet_pton(AF_INET, address, out) == 1;
	if (!v4 && inet_pton(AF_INET6, address, out) != 1)
		return false;
	b = v4 ? 32 : 128;
	if (slash != NULL) {
		if (!isdigit((unsigned char)slash[1]))
			return false;
		n = b;
		b = strtoul(slash + 1, &end, 10);
		if (*end != '\0' || b > n)
			return false;
	}
	for (size_t i = b; i < 128; i++) {
		if ((out[i / 8] & 0x80 >> i % 8) != 0 && i < (v4 ? 32u : 128u))
			return false; /* octets behind the prefix: which was meant? */
	}
	*kind = v4 ? POLICY_CIDR4 : POLICY_CIDR6;
	*bits = (uint8_t)b;
	return true;
}

static bool
parse_number(const char *text, uint8_t out[16])
{
	char *end;
	unsigned long long v = strtoull(text, &end, 10);

	if (!isdigit((unsigned char)*text) || *end != '\0' || v == 0 || v > UINT32_MAX)
		return false;
	put_u32(out, (uint32_t)v);
	return true;
}

/* "US", "US-CA": upper case. */
static bool
parse_letters(const char *text, size_t least, size_t most, uint8_t out[16])
{
	size_t n = strlen(text);

	if (n < least || n > most)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (i == 2 ? text[i] != '-' : !isalnum((unsigned char)text[i]))
			return false;
		out[i] = (uint8_t)toupper((unsigned char)text[i]);
	}
	return true;
}

static bool
parse_key(const char *text, uint8_t out[16], uint8_t *kind, uint8_t *bits)
{
	static const char continents[] = "AF AN AS EU NA OC SA";
	static const struct {
		const char *word;
		uint8_t kind;
	} kinds[] = { { "cidr:", POLICY_CIDR4 }, { "asn:", POLICY_ASN }, { "city:", POLICY_CITY },
		{ "subdivision:", POLICY_SUBDIVISION }, { "country:", POLICY_COUNTRY },
		{ "continent:", POLICY_CONTINENT } };
	const char *value = NULL;

	memset(out, 0, 16);
	*bits = 0;
	for (size_t i = 0; text != NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strncmp(text, kinds[i].word, strlen(kinds[i].word)) == 0) {
			*kind = kinds[i].kind;
			value = text + strlen(kinds[i].word);
		}
	}
	if (value == NULL)
		return false;
	switch (*kind) {
	case POLICY_CIDR4:
		return parse_cidr(value, out, kind, bits);
	case POLICY_ASN:
	case POLICY_CITY:
		return parse_number(value, out);
	case POLICY_SUBDIVISION:
		return parse_letters(value, 4, 6, out);
	case POLICY_COUNTRY:
		return parse_letters(value, 2, 2, out);
	default:
		return parse_letters(value, 2, 2, out) &&
		       strstr(continents, (const char *)out) != NULL;
	}
}

static enum ns_err
read_key(struct reading *r, json_t *v, unsigned from, unsigned edge)
{
	uint8_t data[16], kind = 0, bits = 0;
	const char *text = json_string_value(v);

	if (!parse_key(text, data, &kind, &bits))
		return reading_refuse(r, E_POLICY_KEY,
		    "\"%.60s\" is no place: cidr:NET, asn:N, city:GEONAMEID, subdivision:US-CA, "
		    "country:DE or continent:EU",
		    text != NULL ? text : "");
	if (r->nkeys == POLICY_KEYS)
		return reading_refuse(
		    r, E_POLICY_LIMIT, "at most %u places in a policy", POLICY_KEYS);
	for (unsigned i = from; i < r->nkeys; i++) {
		const uint8_t *k = r->keys.base + (size_t)i * POLICY_KEY;

		if (k[0] == kind && k[1] == bits && memcmp(k + 4, data, 16) == 0)
			return reading_refuse(
			    r, E_POLICY_KEY, "%.60s stands here twice: one rule each", text);
	}
	wbuf_u8(&r->keys, kind);
	wbuf_u8(&r->keys, bits);
	wbuf_u16(&r->keys, (uint16_t)edge);
	wbuf_put(&r->keys, data, 16);
	r->nkeys++;
	return NS_OK;
}

enum ns_err
reading_places(struct reading *r, json_t *rule, unsigned from, unsigned edge)
{
	json_t *match = json_object_get(rule, "match");
	uint8_t *e = r->edges.base + (size_t)edge * POLICY_EDGE;
	unsigned first = r->nkeys;

	if (!json_is_array(match) || json_array_size(match) == 0)
		return reading_refuse(
		    r, E_POLICY_REACH, "the rule matches nothing: \"match\" is a list of places");
	for (size_t i = 0; i < json_array_size(match); i++) {
		size_t back = reading_enter(r, ".match[%zu]", i);
		enum ns_err err = read_key(r, json_array_get(match, i), from, edge);

		if (err != NS_OK)
			return err;
		r->path[back] = '\0';
	}
	put_u16(e + 4, (uint16_t)first);
	put_u16(e + 6, (uint16_t)(r->nkeys - first));
	return NS_OK;
}

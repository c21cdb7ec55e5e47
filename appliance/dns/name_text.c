/* name_text.c - domain names as people write them (RFC 1035 5.1); see name.h. */
#include <stdio.h>
#include <string.h>

#include "appliance/dns/codes.h"
#include "appliance/dns/name.h"

#define LABEL_MAX 63

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Octets that mean something to a master-file parser, and are therefore written with a backslash. */
static bool
needs_backslash(uint8_t c)
{
	return c == '.' || c == '\\' || c == '"' || c == ';' || c == '(' || c == ')' || c == '@' ||
	       c == '$';
}

static char *
octet_to_text(uint8_t c, char *p)
{
	if (c <= ' ' || c > '~') {
		*p++ = '\\';
		*p++ = (char)('0' + c / 100);
		*p++ = (char)('0' + c / 10 % 10);
		*p++ = (char)('0' + c % 10);
		return p;
	}
	if (needs_backslash(c))
		*p++ = '\\';
	*p++ = (char)c;
	return p;
}

char *
name_to_text(const uint8_t *name, char out[NAME_MAX_TEXT])
{
	char *p = out;

	if (*name == 0)
		*p++ = '.';
	for (; *name != 0; name += *name + 1) {
		for (unsigned i = 1; i <= *name; i++)
			p = octet_to_text(name[i], p);
		*p++ = '.';
	}
	*p = '\0';
	return out;
}

void
name_show(const uint8_t *name, char *out, size_t size)
{
	char text[NAME_MAX_TEXT];

	(void)snprintf(out, size, "%s", name_to_text(name, text));
}

static enum ns_err
refuse(struct ns_why *why, const char *text, size_t len, const char *rule)
{
	if (why != NULL)
		memcpy(why->field, "name", sizeof "name");
	return ns_fail(why, NS_INVALID, E_NAME, "\"%.*s\" is not a domain name: %s",
	    (int)(len > NAME_MAX_TEXT ? NAME_MAX_TEXT : len), text, rule);
}

/* The octet at text[*pos], its escape resolved; -1 when the escape is broken. */
static int
take_octet(const char *text, size_t len, size_t *pos)
{
	int v;

	if (text[*pos] != '\\')
		return (uint8_t)text[(*pos)++];
	if (++*pos == len)
		return -1;
	if (!is_digit(text[*pos]))
		return (uint8_t)text[(*pos)++];
	if (len - *pos < 3 || !is_digit(text[*pos + 1]) || !is_digit(text[*pos + 2]))
		return -1;
	v = (text[*pos] - '0') * 100 + (text[*pos + 1] - '0') * 10 + (text[*pos + 2] - '0');
	*pos += 3;
	return v <= 255 ? v : -1;
}

/* The labels of text into out; *len gets their octets, *absolute whether a dot ended them.  NULL or
 * what is wrong. */
static const char *
take_labels(const char *text, size_t textlen, uint8_t *out, size_t *len, bool *absolute)
{
	size_t pos = 0, n = 0, label = 0;

	*absolute = false;
	while (pos < textlen) {
		int c;

		if (text[pos] == '.') {
			pos++;
			if (n == label)
				return "a label is empty";
			out[label] = (uint8_t)(n - label);
			label = ++n;
			*absolute = pos == textlen;
			continue;
		}
		c = take_octet(text, textlen, &pos);
		if (c < 0)
			return "an escape is \\X or \\DDD with 000 to 255";
		if (n - label == LABEL_MAX)
			return "a label has at most 63 octets";
		if (n + 2 >= NAME_MAX_WIRE)
			return "a name has at most 255 octets";
		out[++n] = (uint8_t)c;
	}
	if (!*absolute) {
		out[label] = (uint8_t)(n - label);
		n++;
	}
	*len = n;
	return NULL;
}

enum ns_err
name_from_chars(const char *text, size_t textlen, const uint8_t *origin, uint8_t out[NAME_MAX_WIRE],
    size_t *len, struct ns_why *why)
{
	size_t n = 0, rest;
	bool absolute = false;
	const char *wrong;

	if (textlen == 0)
		return refuse(why, text, textlen, "it is empty");
	if (textlen == 1 && text[0] == '.') {
		out[0] = 0;
		*len = 1;
		return NS_OK;
	}
	if (textlen != 1 || text[0] != '@') {
		wrong = take_labels(text, textlen, out, &n, &absolute);
		if (wrong != NULL)
			return refuse(why, text, textlen, wrong);
	}
	rest = absolute ? 1 : name_len(origin);
	if (n + rest > NAME_MAX_WIRE)
		return refuse(why, text, textlen, "a name has at most 255 octets");
	if (absolute)
		out[n] = 0;
	else
		memcpy(out + n, origin, rest);
	*len = n + rest;
	return NS_OK;
}

enum ns_err
name_from_text(const char *text, const uint8_t *origin, uint8_t out[NAME_MAX_WIRE], size_t *len,
    struct ns_why *why)
{
	return name_from_chars(text, strlen(text), origin, out, len, why);
}

/* config_value - what one value of the configuration may look like.
 *
 * Pure functions, called by the table in config.c; each writes the normal form or says what it
 * expected. */
#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/supervisor/config.h"

#define LABEL_MAX 63
#define PORT_DNS  53
#define PORT_TLS  853

static bool refuse(char *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool
refuse(char *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, CONFIG_VALUE_MAX, fmt, ap);
	va_end(ap);
	return false;
}

static bool
keep(char *out, const char *value)
{
	snprintf(out, CONFIG_VALUE_MAX, "%s", value);
	return true;
}

static bool
is_label(const char *s)
{
	size_t len = strlen(s), i;

	if (len == 0 || len > LABEL_MAX || s[0] == '-' || s[len - 1] == '-')
		return false;
	for (i = 0; i < len; i++)
		if (!(s[i] >= 'a' && s[i] <= 'z') && !(s[i] >= '0' && s[i] <= '9') && s[i] != '-')
			return false;
	return true;
}

bool
config_check_label(const char *in, char *out, char *why)
{
	if (!is_label(in))
		return refuse(
		    why, "expected 1 to 63 of a-z, 0-9 and -, not beginning or ending in -");
	return keep(out, in);
}

bool
config_check_site(const char *in, char *out, char *why)
{
	return config_check_label(in, out, why);
}

bool
config_check_role(const char *in, char *out, char *why)
{
	if (strcmp(in, "primary") != 0 && strcmp(in, "replica") != 0)
		return refuse(why, "expected primary or replica");
	return keep(out, in);
}

bool
config_check_account(const char *in, char *out, char *why)
{
	size_t len = strlen(in);

	if (len == 0 || len > 32 || in[0] == '-' ||
	    strspn(in, "abcdefghijklmnopqrstuvwxyz0123456789_-") != len)
		return refuse(why, "expected the name of an account: 1 to 32 of a-z, 0-9, _ and -");
	if (strcmp(in, "root") == 0)
		return refuse(
		    why, "root speaks for itself: name an account that has no other rights");
	return keep(out, in);
}

bool
config_check_path(const char *in, char *out, char *why)
{
	size_t len = strlen(in);

	if (in[0] != '/')
		return refuse(why, "expected an absolute path");
	if (len >= PATH_MAX || len >= CONFIG_VALUE_MAX)
		return refuse(why, "the path is too long");
	keep(out, in);
	while (len > 1 && out[len - 1] == '/')
		out[--len] = '\0';
	return true;
}

/* 1..65535, digits only. */
static bool
read_port(const char *s, unsigned *port)
{
	unsigned n = 0;

	if (*s == '\0' || strlen(s) > 5)
		return false;
	for (; *s != '\0'; s++) {
		if (!isdigit((unsigned char)*s))
			return false;
		n = n * 10 + (unsigned)(*s - '0');
	}
	*port = n;
	return n >= 1 && n <= 65535;
}

/* An address in its shortest text. */
static bool
read_address(const char *s, char *out, size_t size)
{
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, s, &four) == 1)
		return inet_ntop(AF_INET, &four, out, (socklen_t)size) != NULL;
	if (inet_pton(AF_INET6, s, &six) == 1)
		return inet_ntop(AF_INET6, &six, out, (socklen_t)size) != NULL;
	return false;
}

static bool
check_at(const char *in, unsigned port, char *out, char *why)
{
	char copy[CONFIG_VALUE_MAX], address[INET6_ADDRSTRLEN], *at;

	keep(copy, in);
	at = strchr(copy, '@');
	if (at != NULL) {
		*at++ = '\0';
		if (!read_port(at, &port))
			return refuse(why, "%.200s: the port is a number from 1 to 65535", in);
	}
	if (!read_address(copy, address, sizeof address))
		return refuse(why, "%.200s: expected ADDRESS@PORT, IPv4 or IPv6, no names", in);
	snprintf(out, CONFIG_VALUE_MAX, "%s@%u", address, port);
	return true;
}

bool
config_check_dns(const char *in, char *out, char *why)
{
	return check_at(in, PORT_DNS, out, why);
}

bool
config_check_tls(const char *in, char *out, char *why)
{
	return check_at(in, PORT_TLS, out, why);
}

/* Cut HOST:PORT or [V6]:PORT in place. */
static bool
cut_host_port(char *text, char **host, char **port)
{
	char *colon;

	*host = text;
	if (text[0] == '[') {
		char *end = strchr(text, ']');

		if (end == NULL || end[1] != ':')
			return false;
		*end = '\0';
		*host = text + 1;
		*port = end + 2;
		return true;
	}
	colon = strchr(text, ':');
	if (colon == NULL || strchr(colon + 1, ':') != NULL)
		return false;
	*colon = '\0';
	*port = colon + 1;
	return true;
}

static bool
is_host(const char *s)
{
	char address[INET6_ADDRSTRLEN];
	size_t i;

	if (read_address(s, address, sizeof address) || strcmp(s, "*") == 0)
		return true;
	if (*s == '\0' || strlen(s) > 253)
		return false;
	for (i = 0; s[i] != '\0'; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '-' && s[i] != '.')
			return false;
	return true;
}

static bool
check_url(const char *in, const char *scheme, char *host_out, char *why)
{
	char copy[CONFIG_VALUE_MAX], *host, *port;
	unsigned n;

	keep(copy, in + strlen(scheme));
	if (!cut_host_port(copy, &host, &port) || !is_host(host))
		return refuse(why, "expected %sHOST:PORT, an IPv6 address in brackets", scheme);
	if (!read_port(port, &n))
		return refuse(why, "the port is a number from 1 to 65535");
	keep(host_out, host);
	return true;
}

bool
config_check_tcp(const char *in, char *out, char *why)
{
	char host[CONFIG_VALUE_MAX];

	if (strncmp(in, "tcp://", 6) != 0)
		return refuse(why, "expected tcp://HOST:PORT");
	return check_url(in, "tcp://", host, why) && keep(out, in);
}

static bool
is_loopback(const char *host)
{
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

bool
config_check_http(const char *in, char *out, char *why)
{
	char host[CONFIG_VALUE_MAX];

	if (strncmp(in, "https://", 8) == 0)
		return check_url(in, "https://", host, why) && keep(out, in);
	if (strncmp(in, "http://", 7) != 0)
		return refuse(why, "expected https://HOST:PORT, or http:// on a loopback address");
	if (!check_url(in, "http://", host, why))
		return false;
	if (!is_loopback(host))
		return refuse(why, "http:// would carry tokens in clear: only on 127.0.0.0/8 or "
				   "[::1], else https://");
	return keep(out, in);
}

bool
config_check_net(const char *in, char *out, char *why)
{
	char copy[CONFIG_VALUE_MAX], address[INET6_ADDRSTRLEN], *slash;
	uint64_t bits, most;

	keep(copy, in);
	slash = strchr(copy, '/');
	if (slash != NULL)
		*slash++ = '\0';
	if (!read_address(copy, address, sizeof address))
		return refuse(why, "%.200s: expected ADDRESS/LENGTH", in);
	most = strchr(address, ':') != NULL ? 128 : 32;
	bits = most;
	if (slash != NULL && !config_read_count(slash, 0, most, &bits, why))
		return refuse(
		    why, "%.200s: the length is a number from 0 to %u", in, (unsigned)most);
	snprintf(out, CONFIG_VALUE_MAX, "%s/%u", address, (unsigned)bits);
	return true;
}

/* Digits up to `end`; false and end at the start when there are none, or too many for 64 bits to hold
 * with a suffix. */
static bool
read_digits(const char *in, const char **end, uint64_t *n)
{
	const char *p = in;

	*end = in;
	for (*n = 0; isdigit((unsigned char)*p); p++) {
		if (p - in >= 15)
			return false;
		*n = *n * 10 + (uint64_t)(*p - '0');
	}
	*end = p;
	return p != in;
}

bool
config_read_count(const char *in, uint64_t min, uint64_t max, uint64_t *out, char *why)
{
	const char *end;

	if (!read_digits(in, &end, out) || *end != '\0' || *out < min || *out > max)
		return refuse(why, "expected a number from %llu to %llu", (unsigned long long)min,
		    (unsigned long long)max);
	return true;
}

bool
config_read_size(const char *in, uint64_t min, uint64_t max, uint64_t *out, char *why)
{
	static const char suffixes[] = "KMG";
	const char *end, *suffix;
	unsigned shift = 0;

	if (read_digits(in, &end, out) && *end != '\0') {
		suffix = strchr(suffixes, toupper((unsigned char)*end));
		if (suffix != NULL && end[1] == '\0') {
			shift = 10 * (unsigned)(suffix - suffixes + 1);
			end++;
		}
	}
	if (end == in || *end != '\0' || *out > max >> shift || *out << shift < min)
		return refuse(why, "expected a size from %lluM to %lluG, such as 512M or 8G",
		    (unsigned long long)(min >> 20), (unsigned long long)(max >> 30));
	*out <<= shift;
	return true;
}

/* target.c - see target.h. */
#include "appliance/probe/target.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/base/xalloc.h"

#define PORT_DNS 53

/* The first that fits says what it is.  IPv4 is looked at as ::ffff:0:0/96, whichever way it came. */
static const struct {
	uint8_t address[16];
	unsigned bits;
	const char *what;
} closed[] = {
#define V4(a, b, c, d)                                               \
	{                                                            \
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d \
	}
	{ V4(0, 0, 0, 0), 96 + 8, "this host's own" },
	{ V4(127, 0, 0, 0), 96 + 8, "a loopback" },
	{ V4(10, 0, 0, 0), 96 + 8, "a private" },
	{ V4(172, 16, 0, 0), 96 + 12, "a private" },
	{ V4(192, 168, 0, 0), 96 + 16, "a private" },
	{ V4(100, 64, 0, 0), 96 + 10, "a shared (RFC 6598)" },
	{ V4(169, 254, 0, 0), 96 + 16, "a link-local" },
	{ V4(224, 0, 0, 0), 96 + 4, "a multicast" },
	{ V4(240, 0, 0, 0), 96 + 4, "a reserved" },
	{ { 0 }, 128, "this host's own" },
	{ { [15] = 1 }, 128, "a loopback" },
	{ { 0 }, 96, "an IPv4-compatible" },
	{ { 0x00, 0x64, 0xff, 0x9b }, 32, "a translated (RFC 6052)" },
	{ { 0x20, 0x02 }, 16, "a 6to4" },
	{ { 0x20, 0x01, 0x00, 0x00 }, 32, "a Teredo" },
	{ { 0xfc }, 7, "a private" },
	{ { 0xfe, 0x80 }, 10, "a link-local" },
	{ { 0xfe, 0xc0 }, 10, "a site-local" },
	{ { 0xff }, 8, "a multicast" },
#undef V4
};

static void
octets_of(const struct target *t, uint8_t out[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (t->sa.ss_family == AF_INET) {
		memcpy(out, mapped, sizeof mapped);
		memcpy(out + 12, &((const struct sockaddr_in *)&t->sa)->sin_addr, 4);
	} else {
		memcpy(out, &((const struct sockaddr_in6 *)&t->sa)->sin6_addr, 16);
	}
}

static bool
in_net(const uint8_t address[16], const uint8_t net[16], unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(address, net, whole) != 0)
		return false;
	return rest == 0 || ((address[whole] ^ net[whole]) >> (8 - rest)) == 0;
}

bool
target_from_octets(struct target *t, const uint8_t *octets, size_t n, uint16_t port)
{
	struct sockaddr_in *four = (struct sockaddr_in *)&t->sa;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&t->sa;

	memset(t, 0, sizeof *t);
	if (n == 4) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		memcpy(&four->sin_addr, octets, 4);
		t->len = sizeof *four;
	} else if (n == 16) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		memcpy(&six->sin6_addr, octets, 16);
		t->len = sizeof *six;
	}
	return t->len > 0;
}

bool
target_from_text(struct target *t, const char *text)
{
	char copy[TARGET_TEXT], *at;
	uint8_t octets[16];
	long port = PORT_DNS;

	if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy)
		return false;
	if ((at = strchr(copy, '@')) != NULL) {
		*at = '\0';
		port = strtol(at + 1, NULL, 10);
	}
	if (port < 1 || port > 65535)
		return false;
	if (inet_pton(AF_INET, copy, octets) == 1)
		return target_from_octets(t, octets, 4, (uint16_t)port);
	if (inet_pton(AF_INET6, copy, octets) == 1)
		return target_from_octets(t, octets, 16, (uint16_t)port);
	return false;
}

char *
target_to_text(const struct target *t, char out[TARGET_TEXT])
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)&t->sa;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&t->sa;
	bool is_four = t->sa.ss_family == AF_INET;
	unsigned port = ntohs(is_four ? four->sin_port : six->sin6_port);
	size_t used;

	if (inet_ntop(t->sa.ss_family,
		is_four ? (const void *)&four->sin_addr : (const void *)&six->sin6_addr, out,
		TARGET_TEXT) == NULL)
		out[0] = '\0';
	used = strlen(out);
	if (port != PORT_DNS)
		snprintf(out + used, TARGET_TEXT - used, "@%u", port);
	return out;
}

void
target_rules_read(struct target_rules *r, char *const *texts, size_t n)
{
	r->allow = xcalloc(n + 1, sizeof *r->allow);
	r->n = 0;
	for (size_t i = 0; i < n; i++) {
		char copy[TARGET_TEXT + 8], *slash;
		struct target_net *net = &r->allow[r->n];
		struct target t;

		snprintf(copy, sizeof copy, "%s", texts[i]);
		slash = strchr(copy, '/');
		if (slash == NULL)
			continue;
		*slash = '\0';
		if (!target_from_text(&t, copy))
			continue;
		octets_of(&t, net->address);
		net->bits = (unsigned)strtoul(slash + 1, NULL, 10);
		net->bits += t.sa.ss_family == AF_INET ? 96 : 0;
		if (net->bits <= 128)
			r->n++;
	}
}

void
target_rules_free(struct target_rules *r)
{
	free(r->allow);
	*r = (struct target_rules){ 0 };
}

const char *
target_refused(const struct target_rules *r, const struct target *t)
{
	uint8_t address[16];

	octets_of(t, address);
	for (size_t i = 0; i < r->n; i++)
		if (in_net(address, r->allow[i].address, r->allow[i].bits))
			return NULL;
	for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++)
		if (in_net(address, closed[i].address, closed[i].bits))
			return closed[i].what;
	return NULL;
}

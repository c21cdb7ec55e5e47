/* endpoint.c - see endpoint.h. */
#include "appliance/fleet/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "appliance/fleet/codes.h"

static bool
read_port(const char *text, uint16_t *port)
{
	unsigned v = 0;

	if (text[0] == '\0' || strlen(text) > 5)
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		v = v * 10 + (unsigned)(*text - '0');
	}
	*port = (uint16_t)v;
	return v > 0 && v <= UINT16_MAX;
}

static bool
read_host(char *host, bool listen, uint16_t port, struct sockaddr_storage *ss, socklen_t *len)
{
	struct sockaddr_in *four = (struct sockaddr_in *)(void *)ss;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)ss;
	size_t n = strlen(host);

	memset(ss, 0, sizeof *ss);
	if (listen && strcmp(host, "*") == 0)
		memcpy(host, "::", 3); /* both families: see fleet_listen() */
	else if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		host++;
	} else {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		*len = sizeof *four;
		return inet_pton(AF_INET, host, &four->sin_addr) == 1;
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	*len = sizeof *six;
	return inet_pton(AF_INET6, host, &six->sin6_addr) == 1;
}

enum ns_err
endpoint_read(
    const char *text, bool listen, struct sockaddr_storage *ss, socklen_t *len, struct ns_why *why)
{
	char host[ENDPOINT_MAX];
	const char *colon = strrchr(text, ':');
	uint16_t port;
	size_t n;

	if (strncmp(text, "tcp://", 6) != 0 || strlen(text) >= ENDPOINT_MAX || colon < text + 6)
		return ns_fail(why, NS_USAGE, EF_ENDPOINT, "expected tcp://ADDRESS:PORT");
	n = (size_t)(colon - text) - 6;
	memcpy(host, text + 6, n);
	host[n] = '\0';
	if (n > 0 && read_port(colon + 1, &port) && read_host(host, listen, port, ss, len))
		return NS_OK;
	return ns_fail(why, NS_USAGE, EF_ENDPOINT,
	    "expected tcp://ADDRESS:PORT with an IPv4 address or an IPv6 address in brackets (no "
	    "name: a fleet that needs DNS to mend DNS cannot)");
}

/* asklist - see asklist.h. */
#include "tests/lib/asklist.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"
#include "tests/lib/zonekit.h"

#define PACKET_MAX     300u
#define EDNS_SIZE_LOW  0xd0 /* 1232 = 0x04d0 */
#define EDNS_SIZE_HIGH 0x04
#define OPT_SIZE       11u
#define SOCKET_BUFFERS (4 << 20)

/* The client's network (RFC 7871), A.B.C.D/24, behind an OPT that has nothing yet. */
static size_t
add_network(uint8_t *packet, size_t len, const char *text)
{
	uint8_t option[] = { 0, 8, 0, 7, 0, 1, 24, 0, 0, 0, 0 };
	unsigned a, b, c;

	if (sscanf(text, "%3u.%3u.%3u.0/24", &a, &b, &c) != 3)
		fatal("asklist.network", "text=%s", log_quote(text));
	option[8] = (uint8_t)a;
	option[9] = (uint8_t)b;
	option[10] = (uint8_t)c;
	packet[len - 1] = sizeof option;
	memcpy(packet + len, option, sizeof option);
	return len + sizeof option;
}

static void
add(struct asklist *l, const char *name, const char *type, const char *network, bool dnssec_ok)
{
	uint8_t packet[512];
	size_t len = zonekit_question(name, rrtype_from_text(type), dnssec_ok ? "ed" : "e", packet);

	packet[2] = 0; /* no RD: this is no resolver's client */
	packet[len - OPT_SIZE + 3] = EDNS_SIZE_HIGH;
	packet[len - OPT_SIZE + 4] = EDNS_SIZE_LOW;
	if (network[0] != '\0')
		len = add_network(packet, len, network);
	memcpy(l->octets + l->at[l->count], packet, len);
	l->at[l->count + 1] = l->at[l->count] + (uint32_t)len;
	l->count++;
}

struct asklist
asklist_read(const char *path, bool dnssec_ok)
{
	FILE *f = fopen(path, "r");
	struct asklist l = { 0 };
	char line[512], name[256], type[20], network[20];
	size_t room = 0;

	if (f == NULL)
		fatal("asklist.open", "path=%s", log_quote(path));
	while (l.count < ASKLIST_MAX && fgets(line, sizeof line, f) != NULL) {
		network[0] = '\0';
		if (sscanf(line, "%255s %19s %19s", name, type, network) < 2)
			continue;
		if (l.count + 1 >= room) {
			room = room == 0 ? 4096 : 2 * room;
			l.at = xrealloc(l.at, (room + 1) * sizeof *l.at);
			l.octets = xrealloc(l.octets, room * PACKET_MAX);
			l.at[0] = 0;
		}
		add(&l, name, type, network, dnssec_ok);
	}
	(void)fclose(f);
	if (l.count == 0)
		fatal("asklist.empty", "path=%s", log_quote(path));
	return l;
}

void
asklist_free(struct asklist *l)
{
	free(l->octets);
	free(l->at);
	*l = (struct asklist){ 0 };
}

int
asklist_connect(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	const int size = SOCKET_BUFFERS;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) < 0)
		fatal("asklist.connect", "port=%u", port);
	return fd;
}

struct askbatch *
askbatch_new(void)
{
	struct askbatch *b = xcalloc(1, sizeof *b);

	for (size_t i = 0; i < ASKLIST_BATCH; i++) {
		b->tx[i].msg_hdr.msg_iov = &b->out[i];
		b->tx[i].msg_hdr.msg_iovlen = 1;
		b->in[i] = (struct iovec){ b->reply[i], ASKLIST_REPLY };
		b->rx[i].msg_hdr.msg_iov = &b->in[i];
		b->rx[i].msg_hdr.msg_iovlen = 1;
	}
	return b;
}

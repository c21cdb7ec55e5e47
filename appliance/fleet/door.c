/* door.c - see door.h. */
#include "appliance/fleet/door.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/base/xalloc.h"

#define V6_NETWORK 8 /* octets */

void
door_free(struct door *d)
{
	free(d->places);
	*d = (struct door){ 0 };
}

/* Both families on one socket: IPv4 comes as a mapped address, of which all of it counts. */
static bool
same_place(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return memcmp(&a6->sin6_addr, &b6->sin6_addr,
		   IN6_IS_ADDR_V4MAPPED(&a6->sin6_addr) ? sizeof a6->sin6_addr : V6_NETWORK) == 0;
}

void
door_forget(struct door *d, int fd)
{
	if (fd < 0 || (size_t)fd >= d->size || d->places[fd].since == 0)
		return;
	d->places[fd].since = 0;
	d->waiting--;
}

static void
grow(struct door *d, int fd)
{
	size_t size = (size_t)fd * 2 + 64;

	if ((size_t)fd < d->size)
		return;
	d->places = xreallocarray(d->places, size, sizeof *d->places);
	memset(d->places + d->size, 0, (size - d->size) * sizeof *d->places);
	d->size = size;
}

/* The one that has waited longest, at that address or (NULL) anywhere; how many wait there. */
static int
oldest(const struct door *d, const struct sockaddr_storage *at, unsigned *count)
{
	int found = -1;

	*count = 0;
	for (size_t i = 0; i < d->size; i++) {
		const struct door_place *p = &d->places[i];

		if (p->since == 0 || (at != NULL && !same_place(&p->remote, at)))
			continue;
		++*count;
		if (found < 0 || p->since < d->places[found].since)
			found = (int)i;
	}
	return found;
}

int
door_came(
    struct door *d, int fd, const struct sockaddr_storage *remote, struct sockaddr_storage *out)
{
	unsigned count;
	int one;

	if (fd < 0 || fd >= DOOR_FDS)
		return -1;
	door_forget(d, fd);
	grow(d, fd);
	d->places[fd] = (struct door_place){ .remote = *remote, .since = ++d->arrivals };
	d->waiting++;
	one = oldest(d, remote, &count);
	if (count <= DOOR_PER_ADDRESS) {
		if (d->waiting <= DOOR_WAITING)
			return -1;
		one = oldest(d, NULL, &count);
	}
	*out = d->places[one].remote;
	door_forget(d, one);
	d->thrown_out++;
	return one;
}

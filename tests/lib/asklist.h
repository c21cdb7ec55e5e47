/* asklist - the questions of a load, ready to send: `NAME TYPE [NETWORK]` lines read once, packets one after
 * the other.  NETWORK: the client's, A.B.C.0/24, as EDNS client subnet.
 *
 * For the load generators (tests/tools/blast.c, pace.c).  A file that cannot be read ends the program. */
#ifndef NS_TESTS_LIB_ASKLIST_H
#define NS_TESTS_LIB_ASKLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define ASKLIST_MAX	4000000u
#define ASKLIST_REPLY	4096u		/* room for a reply over UDP */
#define ASKLIST_BATCH	64u

struct asklist {
	uint8_t		*octets;	/* packets */
	uint32_t	*at;		/* where number i begins; at[count]: the end of the last */
	uint32_t	 count;
};

/* EDNS with 1232 octets, DO if asked. */
struct asklist	 asklist_read(const char *path, bool dnssec_ok);
void		 asklist_free(struct asklist *);

static inline struct iovec
asklist_packet(const struct asklist *l, uint32_t i, uint16_t id)
{
	uint8_t *p = l->octets + l->at[i];

	p[0] = (uint8_t)(id >> 8);
	p[1] = (uint8_t)id;
	return (struct iovec){ p, l->at[i + 1] - l->at[i] };
}

/* A UDP socket to 127.0.0.1 with large buffers. */
int		 asklist_connect(uint16_t port);

/* Headers for sendmmsg() and recvmmsg() over ASKLIST_BATCH packets. */
struct askbatch {
	struct mmsghdr	 tx[ASKLIST_BATCH], rx[ASKLIST_BATCH];
	struct iovec	 out[ASKLIST_BATCH], in[ASKLIST_BATCH];
	uint8_t		 reply[ASKLIST_BATCH][ASKLIST_REPLY];
};
struct askbatch	*askbatch_new(void);

#endif

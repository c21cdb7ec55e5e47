/* zap - who may connect to the fleet port (ZeroMQ RFC 27).
 *
 * libzmq asks for every handshake, on an inproc socket, with the key that the peer has proved to hold;
 * we answer from the roster, and with the name that its messages carry from then on.  Runs in the
 * loop: an answer is a walk over at most FLEET_MEMBERS keys. */
#ifndef NS_FLEET_ZAP_H
#define NS_FLEET_ZAP_H

#include <czmq.h>

#include "appliance/fleet/roster.h"

/* The frames of one request; pure.  True: admitted, user is filled. */
struct zap_request {
	const void *version, *domain, *mechanism, *key;
	size_t version_len, domain_len, mechanism_len, key_len;
};
bool zap_decide(const struct zap_request *, const struct roster *, int64_t now_ms,
    char user[FLEET_USER]);

/* The socket that libzmq asks; before any socket of the fleet.  NULL: somebody has it already. */
zsock_t *zap_socket(void);
/* Take one request and answer it.  What is not a request is dropped.  *admitted says what was said. */
bool zap_take(zsock_t *, const struct roster *, int64_t now_ms, bool *admitted);

#endif

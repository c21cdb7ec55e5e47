/* frame.c - see frame.h.
 *
 * A message is one frame (on a ROUTER behind the routing id); more or fewer is malformed.  The
 * sender's uid is what the kernel told libzmq with SO_PEERCRED when the connection was accepted;
 * libzmq hangs it on each message as "Peer-Address".  A sender cannot choose another's routing id:
 * ours do not set one, and those that a ROUTER makes up begin with an octet that peers may not use. */
#include "ipc/frame.h"

#include <errno.h>
#include <string.h>
#include <zmq.h>

#include "ipc/envelope.h"

/* Messages, per connection and direction.  Sending: an export of 256 MiB to a reader that does not
 * read; receiving: what libzmq takes in before we look, 100 MiB at most. */
#define SEND_HWM         1000
#define RECV_HWM         100
#define LINGER_MS        500 /* a last reply leaves, a dead peer does not hold the exit */
#define HANDSHAKE_MS     5000 /* who connects and does not speak is thrown out */
#define RECONNECT_MS     20
#define RECONNECT_MAX_MS 1000

zsock_t *
frame_socket(int type)
{
	zsock_t *z = zsock_new(type);

	if (z == NULL)
		return NULL;
	zsock_set_affinity(z, 1); /* a second I/O thread, where there is one, is for strangers */
	zsock_set_sndhwm(z, SEND_HWM);
	zsock_set_rcvhwm(z, RECV_HWM);
	zsock_set_linger(z, LINGER_MS);
	zsock_set_maxmsgsize(z, (int)NS_MSG_MAX);
	zsock_set_handshake_ivl(z, HANDSHAKE_MS);
	zsock_set_reconnect_ivl(z, RECONNECT_MS);
	zsock_set_reconnect_ivl_max(z, RECONNECT_MAX_MS);
	if (type == ZMQ_ROUTER)
		zsock_set_router_mandatory(z, 1); /* a peer that is gone is an error, not silence */
	return z;
}

/* One decimal number below 2^32 that ends at `end`; digits only, at least one. */
static bool
parse_u32(const char **at, char end, uint32_t *out)
{
	uint64_t v = 0;
	const char *p = *at;

	if (*p == end)
		return false;
	for (; *p != end; p++) {
		if (*p < '0' || *p > '9')
			return false;
		v = v * 10 + (uint64_t)(*p - '0');
		if (v > UINT32_MAX)
			return false;
	}
	*out = (uint32_t)v;
	*at = p + 1;
	return true;
}

void
frame_parse_peer(const char *address, struct ns_peer *peer)
{
	const char *p = address != NULL ? strchr(address, ':') : NULL;
	uint32_t uid, gid, pid;

	peer->local = false;
	peer->uid = peer->gid = UINT32_MAX;
	peer->pid = -1;
	if (p == NULL || p == address)
		return;
	p++;
	if (!parse_u32(&p, ':', &uid) || !parse_u32(&p, ':', &gid) || !parse_u32(&p, '\0', &pid))
		return;
	/* (uid_t)-1 is "no such"; pid 0 is what the kernel says of another pid namespace. */
	if (uid == UINT32_MAX || gid == UINT32_MAX || pid > INT32_MAX)
		return;
	peer->local = true;
	peer->uid = uid;
	peer->gid = gid;
	peer->pid = (int32_t)pid;
}

bool
frame_readable(zsock_t *z)
{
	return (zsock_events(z) & ZMQ_POLLIN) != 0;
}

/* The frames of one message: `route` (if router) and `body`; false: too many or too few. */
static bool
take_frames(void *raw, bool router, zmq_msg_t *route, zmq_msg_t *body)
{
	bool ok = true, more = zmq_msg_more(route) != 0;

	if (!router) {
		zmq_msg_move(body, route);
	} else if (more) {
		if (zmq_msg_recv(body, raw, ZMQ_DONTWAIT) < 0)
			return false;
		more = zmq_msg_more(body) != 0;
	} else {
		ok = false;
	}
	while (more) {
		zmq_msg_t extra;

		ok = false;
		zmq_msg_init(&extra);
		more = zmq_msg_recv(&extra, raw, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&extra) != 0;
		zmq_msg_close(&extra);
	}
	return ok;
}

static enum frame_verdict
decode(bool router, zmq_msg_t *route, zmq_msg_t *body, struct ns_peer *peer, Ns__Envelope **env,
    struct ns_why *why)
{
	memset(peer, 0, sizeof *peer);
	frame_parse_peer(zmq_msg_gets(body, "Peer-Address"), peer);
	if (router) {
		size_t len = zmq_msg_size(route);

		if (len > sizeof peer->route) {
			ns_fail(
			    why, NS_CORRUPT, NS_CODE_MALFORMED, "routing id of %zu octets", len);
			return FRAME_MALFORMED;
		}
		memcpy(peer->route, zmq_msg_data(route), len);
		peer->route_len = len;
	}
	*env = ns_envelope_unpack(zmq_msg_data(body), zmq_msg_size(body), why);
	return *env != NULL ? FRAME_OK : FRAME_MALFORMED;
}

enum frame_verdict
frame_recv(zsock_t *z, bool router, struct ns_peer *peer, Ns__Envelope **env, struct ns_why *why)
{
	void *raw = zsock_resolve(z);
	enum frame_verdict verdict = FRAME_NONE;
	zmq_msg_t route, body;

	*env = NULL;
	zmq_msg_init(&route);
	zmq_msg_init(&body);
	if (zmq_msg_recv(&route, raw, ZMQ_DONTWAIT) >= 0) {
		if (take_frames(raw, router, &route, &body)) {
			verdict = decode(router, &route, &body, peer, env, why);
		} else {
			verdict = FRAME_MALFORMED;
			memset(peer, 0, sizeof *peer);
			ns_fail(why, NS_CORRUPT, NS_CODE_MALFORMED, "not one frame");
		}
	}
	zmq_msg_close(&body);
	zmq_msg_close(&route);
	return verdict;
}

enum ns_err
frame_pack(const Ns__Envelope *env, zmq_msg_t *msg, struct ns_why *why)
{
	size_t len = ns__envelope__get_packed_size(env);
	struct ns_why what = { 0 };

	if (len > NS_MSG_MAX)
		return ns_fail(why, NS_INVALID, NS_CODE_MALFORMED,
		    "the message has %zu octets, at most %u are sent in one", len, NS_MSG_MAX);
	if (zmq_msg_init_size(msg, len) != 0)
		return ns_fail(why, NS_FAILED, NS_CODE_MALFORMED, "out of memory");
	ns__envelope__pack(env, zmq_msg_data(msg));
	/* The receiver would drop it without a word. */
	if (ns_envelope_scan(&ns__envelope__descriptor, zmq_msg_data(msg), len, &what) != NS_OK) {
		zmq_msg_close(msg);
		return ns_fail(why, NS_INVALID, NS_CODE_MALFORMED, "%s", what.text);
	}
	return NS_OK;
}

enum ns_err
frame_send(zsock_t *z, const struct ns_peer *peer, zmq_msg_t *msg)
{
	void *raw = zsock_resolve(z);
	int error;
	bool sent = peer == NULL ||
		    zmq_send(raw, peer->route, peer->route_len, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0;

	/* A sent message is ZeroMQ's and empty here; one that was not is still to be closed. */
	sent = sent && zmq_msg_send(msg, raw, ZMQ_DONTWAIT) >= 0;
	error = sent ? 0 : zmq_errno();
	zmq_msg_close(msg);
	return sent ? NS_OK : error == EHOSTUNREACH ? NS_NOTFOUND : NS_UNAVAILABLE;
}

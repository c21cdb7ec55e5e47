/* socket.c - see socket.h. */
#include "appliance/fleet/socket.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include "appliance/fleet/codes.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define LINGER_MS        500
#define RECONNECT_MS     50
#define RECONNECT_MAX_MS 2000

static void
set_limits(zsock_t *z)
{
	zsock_set_maxmsgsize(z, (int)FLEET_MSG_MAX);
	zsock_set_handshake_ivl(z, FLEET_HANDSHAKE_MS);
	zsock_set_heartbeat_ivl(z, FLEET_BEAT_MS);
	zsock_set_heartbeat_timeout(z, FLEET_DEAD_MS);
	zsock_set_heartbeat_ttl(z, FLEET_DEAD_MS);
	zsock_set_sndhwm(z, FLEET_SEND_HWM);
	zsock_set_rcvhwm(z, FLEET_RECV_HWM);
	zsock_set_linger(z, LINGER_MS);
	zsock_set_ipv6(z, 1);
	zsock_set_backlog(z, FLEET_BACKLOG);
	zsock_set_connect_timeout(z, FLEET_HANDSHAKE_MS);
	zsock_set_reconnect_ivl(z, RECONNECT_MS);
	zsock_set_reconnect_ivl_max(z, RECONNECT_MAX_MS);
}

zsock_t *
fleet_socket(int type, const struct fleet_keys *own, const uint8_t *server)
{
	zsock_t *z = zsock_new(type);

	if (z == NULL)
		return NULL;
	set_limits(z);
	zsock_set_affinity(z, FLEET_AFFINITY);
	zsock_set_curve_secretkey_bin(z, own->secret_key);
	if (server == NULL) {
		zsock_set_curve_server(z, 1);
		zsock_set_zap_domain(z, FLEET_DOMAIN);
		zsock_set_zap_enforce_domain(z, 1);
	} else {
		zsock_set_curve_publickey_bin(z, own->public_key);
		zsock_set_curve_serverkey_bin(z, server);
	}
	if (type == ZMQ_ROUTER)
		zsock_set_router_mandatory(z, 1);
	return z;
}

int
fleet_listen(const char *endpoint, struct ns_why *why)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int fd, on = 1, off = 0;

	if (endpoint_read(endpoint, true, &ss, &len, why) != NS_OK)
		return -1;
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		if (ss.ss_family == AF_INET6)
			(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
		if (bind(fd, (const struct sockaddr *)&ss, len) == 0 &&
		    listen(fd, FLEET_BACKLOG) == 0)
			return fd;
	}
	ns_fail(why, NS_USAGE, EF_LISTEN, "[fleet] listen = %s: %s", endpoint, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

enum ns_err
fleet_bind(zsock_t *z, int fd, const char *endpoint, struct ns_why *why)
{
	zsock_set_use_fd(z, fd);
	if (zsock_bind(z, "%s", endpoint) >= 0)
		return NS_OK;
	return ns_fail(
	    why, NS_FAILED, EF_LISTEN, "[fleet] listen = %s: %s", endpoint, zmq_strerror(errno));
}

enum ns_err
fleet_rebind(
    zsock_t *z, const struct fleet_keys *own, int fd, const char *endpoint, struct ns_why *why)
{
	char *bound = zsock_last_endpoint(z);

	if (bound != NULL)
		(void)zsock_unbind(z, "%s", bound);
	zstr_free(&bound);
	zsock_set_curve_secretkey_bin(z, own->secret_key);
	return fleet_bind(z, fd, endpoint, why);
}

enum ns_err
fleet_connect(zsock_t *z, const char *endpoint, struct ns_why *why)
{
	struct sockaddr_storage ss;
	socklen_t len;
	enum ns_err err = endpoint_read(endpoint, false, &ss, &len, why);

	if (err == NS_OK && zsock_connect(z, "%s", endpoint) != 0)
		err = ns_fail(why, NS_FAILED, EF_LISTEN, "cannot connect to %s: %s", endpoint,
		    zmq_strerror(errno));
	return err;
}

/* ---- in ---- */
static void
drop_rest(void *raw, bool more)
{
	while (more) {
		zmq_msg_t extra;

		zmq_msg_init(&extra);
		more = zmq_msg_recv(&extra, raw, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&extra) != 0;
		zmq_msg_close(&extra);
	}
}

static bool
other_end(int fd, struct sockaddr_storage *ss)
{
	socklen_t len = sizeof *ss;

	memset(ss, 0, sizeof *ss);
	return fd > 2 && getpeername(fd, (struct sockaddr *)ss, &len) == 0 &&
	       (ss->ss_family == AF_INET || ss->ss_family == AF_INET6);
}

void
fleet_cut(const struct fleet_from *from)
{
	struct sockaddr_storage now;

	if (other_end(from->fd, &now) && memcmp(&now, &from->remote, sizeof now) == 0)
		(void)shutdown(from->fd, SHUT_RDWR);
}

static void
who(struct fleet_from *from, bool router, zmq_msg_t *route, zmq_msg_t *body)
{
	const char *user = zmq_msg_gets(body, "User-Id");
	size_t len = zmq_msg_size(route);

	memset(from, 0, sizeof *from);
	from->fd = zmq_msg_get(body, ZMQ_SRCFD);
	if (!other_end(from->fd, &from->remote))
		from->fd = -1;
	from->len = zmq_msg_size(body);
	if (user != NULL && strlen(user) < sizeof from->user)
		memcpy(from->user, user, strlen(user) + 1);
	if (router && len <= sizeof from->route) {
		memcpy(from->route, zmq_msg_data(route), len);
		from->route_len = len;
	}
}

static enum fleet_verdict
take(void *raw, bool router, zmq_msg_t *route, zmq_msg_t *body)
{
	bool more;

	if (zmq_msg_recv(router ? route : body, raw, ZMQ_DONTWAIT) < 0)
		return FLEET_NONE;
	if (router && (zmq_msg_more(route) == 0 || zmq_msg_recv(body, raw, ZMQ_DONTWAIT) < 0))
		return FLEET_MALFORMED;
	more = zmq_msg_more(body) != 0;
	drop_rest(raw, more);
	return more ? FLEET_MALFORMED : FLEET_OK;
}

enum fleet_verdict
fleet_recv(zsock_t *z, bool router, fleet_admit_fn *admit, void *arg, struct fleet_from *from,
    Ns__Envelope **env, struct ns_why *why)
{
	void *raw = zsock_resolve(z);
	enum fleet_verdict v;
	zmq_msg_t route, body;

	*env = NULL;
	zmq_msg_init(&route);
	zmq_msg_init(&body);
	v = take(raw, router, &route, &body);
	if (v != FLEET_NONE)
		who(from, router, &route, &body);
	if (v == FLEET_MALFORMED)
		ns_fail(why, NS_CORRUPT, NS_CODE_MALFORMED, "not one frame");
	if (v != FLEET_NONE && admit != NULL && !admit(arg, from))
		v = FLEET_STRANGER;
	if (v == FLEET_OK) {
		*env = ns_envelope_unpack(zmq_msg_data(&body), zmq_msg_size(&body), why);
		v = *env != NULL ? FLEET_OK : FLEET_MALFORMED;
	}
	zmq_msg_close(&body);
	zmq_msg_close(&route);
	return v;
}

/* ---- out ---- */
struct packet *
packet_new(const Ns__Envelope *env)
{
	size_t len = ns__envelope__get_packed_size(env);
	struct packet *p;

	if (len > FLEET_MSG_MAX)
		return NULL;
	p = xmalloc(sizeof *p + len);
	atomic_init(&p->refs, 1);
	p->len = len;
	ns__envelope__pack(env, p->data);
	return p;
}

struct packet *
packet_ref(struct packet *p)
{
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

void
packet_unref(struct packet *p)
{
	if (p != NULL && atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) == 1)
		free(p);
}

static void
sent(void *data, void *hint)
{
	(void)data;
	packet_unref(hint);
}

enum ns_err
fleet_send(zsock_t *z, const struct fleet_from *to, struct packet *p)
{
	void *raw = zsock_resolve(z);
	zmq_msg_t msg;
	int error = 0;

	if (to != NULL && zmq_send(raw, to->route, to->route_len, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
		return zmq_errno() == EHOSTUNREACH ? NS_NOTFOUND : NS_UNAVAILABLE;
	if (zmq_msg_init_data(&msg, p->data, p->len, sent, packet_ref(p)) != 0) {
		packet_unref(p);
		return NS_UNAVAILABLE;
	}
	if (zmq_msg_send(&msg, raw, ZMQ_DONTWAIT) < 0)
		error = zmq_errno();
	zmq_msg_close(&msg);
	return error == 0 ? NS_OK : error == EHOSTUNREACH ? NS_NOTFOUND : NS_UNAVAILABLE;
}

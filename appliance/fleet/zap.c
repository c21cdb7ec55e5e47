/* zap.c - see zap.h.  Frames: route, empty, version "1.0", request id, domain, address, routing id,
 * mechanism, credentials.  The answer: route, empty, version, request id, status code, status text,
 * user id, metadata. */
#include "appliance/fleet/zap.h"

#include <string.h>
#include <zmq.h>

#include "appliance/fleet/socket.h"

#define ENDPOINT "inproc://zeromq.zap.01"
#define FRAMES   9

enum {
	AT_ROUTE,
	AT_EMPTY,
	AT_VERSION,
	AT_ID,
	AT_DOMAIN,
	AT_ADDRESS,
	AT_IDENTITY,
	AT_MECHANISM,
	AT_KEY
};

static bool
is(const void *data, size_t len, const char *text)
{
	return len == strlen(text) && memcmp(data, text, len) == 0;
}

bool
zap_decide(
    const struct zap_request *r, const struct roster *roster, int64_t now_ms, char user[FLEET_USER])
{
	return is(r->version, r->version_len, "1.0") &&
	       is(r->domain, r->domain_len, FLEET_DOMAIN) &&
	       is(r->mechanism, r->mechanism_len, "CURVE") && r->key_len == FLEET_KEY &&
	       roster_admit(roster, r->key, now_ms, user);
}

zsock_t *
zap_socket(void)
{
	zsock_t *z = zsock_new(ZMQ_ROUTER);

	if (z == NULL)
		return NULL;
	zsock_set_linger(z, 0);
	if (zsock_bind(z, "%s", ENDPOINT) < 0)
		zsock_destroy(&z);
	return z;
}

static void
answer(void *raw, zmq_msg_t *f, const char *code, const char *text, const char *user)
{
	const char *const words[] = { code, text, user, "" };

	for (int i = AT_ROUTE; i <= AT_ID; i++)
		zmq_msg_send(&f[i], raw, ZMQ_SNDMORE | ZMQ_DONTWAIT);
	for (size_t i = 0; i < 4; i++)
		zmq_send(raw, words[i], strlen(words[i]), ZMQ_DONTWAIT | (i < 3 ? ZMQ_SNDMORE : 0));
}

bool
zap_take(zsock_t *z, const struct roster *roster, int64_t now_ms, bool *admitted)
{
	void *raw = zsock_resolve(z);
	zmq_msg_t f[FRAMES];
	char user[FLEET_USER] = "";
	bool more = true, ok;
	int n = 0;

	*admitted = false;
	for (int i = 0; i < FRAMES; i++)
		zmq_msg_init(&f[i]);
	while (more && zmq_msg_recv(&f[n < FRAMES ? n : FRAMES - 1], raw, ZMQ_DONTWAIT) >= 0) {
		more = zmq_msg_more(&f[n < FRAMES ? n : FRAMES - 1]) != 0;
		n++;
	}
	ok = n == FRAMES && !more;
	if (ok) {
		struct zap_request r = { zmq_msg_data(&f[AT_VERSION]), zmq_msg_data(&f[AT_DOMAIN]),
			zmq_msg_data(&f[AT_MECHANISM]), zmq_msg_data(&f[AT_KEY]),
			zmq_msg_size(&f[AT_VERSION]), zmq_msg_size(&f[AT_DOMAIN]),
			zmq_msg_size(&f[AT_MECHANISM]), zmq_msg_size(&f[AT_KEY]) };

		*admitted = zap_decide(&r, roster, now_ms, user);
		zmq_msg_close(&f[AT_VERSION]);
		zmq_msg_init_size(&f[AT_VERSION], 3);
		memcpy(zmq_msg_data(&f[AT_VERSION]), "1.0", 3);
		answer(raw, f, *admitted ? "200" : "400", *admitted ? "OK" : "no", user);
	}
	for (int i = 0; i < FRAMES; i++)
		zmq_msg_close(&f[i]);
	return ok;
}

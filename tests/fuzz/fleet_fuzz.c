/* What comes over the fleet port, after its envelope: changes in any order and any pieces, members, the
 * names of connections.  Input: messages, each behind an octet for its kind and two for its length. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "appliance/fleet/follow.h"
#include "appliance/fleet/roster.h"
#include "appliance/fleet/zap.h"
#include "ipc/base/rbuf.h"
#include "ipc/envelope.h"
#include "tests/fuzz/fuzz.h"

#define BODY_MAX \
	(1u << 20) /* the real bound is what a primary stores; memory is not what is tested */

static void
one_change(struct follow *f, const uint8_t *data, size_t len)
{
	Ns__FleetChange *c = ns__fleet_change__unpack(NULL, len, data);
	uint64_t before = f->taken;
	struct followed *whole = NULL;

	if (c != NULL && c->body_size <= BODY_MAX) {
		enum follow_verdict v = follow_put(f, c, &whole);

		assert((v == FOLLOW_CHANGE) == (whole != NULL));
		assert(f->taken == before + (v == FOLLOW_CHANGE));
		assert(whole == NULL || whole->body_len == c->body_size);
		followed_free(&whole);
	}
	if (c != NULL)
		ns__fleet_change__free_unpacked(c, NULL);
}

static void
one_member(struct roster *r, const uint8_t *data, size_t len)
{
	Ns__FleetMember *in = ns__fleet_member__unpack(NULL, len, data);
	char user[FLEET_USER];
	struct member m;
	bool invite;

	if (in != NULL && member_from_message(&m, in) && roster_put(r, &m) && m.enrolled &&
	    !m.removed) {
		/* One of its keys is good at any time. */
		bool over = m.roll.announced && m.roll.until_ms <= 0;

		assert(roster_admit(r, over ? m.roll.key : m.key, 0, user));
		assert(roster_user(r, user, 0, &invite) != NULL && !invite);
	}
	if (in != NULL)
		ns__fleet_member__free_unpacked(in, NULL);
}

static void
one_user(const struct roster *r, const uint8_t *data, size_t len)
{
	char text[256], user[FLEET_USER];
	struct zap_request q = { data, data, data, data, len, len, len, len };
	bool invite;

	len = len < sizeof text ? len : sizeof text - 1;
	memcpy(text, data, len);
	text[len] = '\0';
	(void)roster_user(r, text, 0, &invite);
	assert(!zap_decide(&q, r, 0, user));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbuf r = rbuf_init(data, size);
	struct follow f = { 0 };
	struct roster roster = { 0 };

	while (rbuf_left(&r) > 3) {
		unsigned kind = rbuf_u8(&r) % 3;
		size_t len = rbuf_u16(&r);
		const uint8_t *p;

		if (len > rbuf_left(&r))
			len = rbuf_left(&r);
		p = rbuf_bytes(&r, len);
		if (kind == 0)
			one_change(&f, p, len);
		else if (kind == 1)
			one_member(&roster, p, len);
		else
			one_user(&roster, p, len);
	}
	follow_start(&f, 0);
	roster_free(&roster);
	return 0;
}

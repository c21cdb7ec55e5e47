/* svcparams.c - the parameters of SVCB and HTTPS records (RFC 9460 2.2, 7, 8). */
#include "appliance/dns/rdata.h"

enum svc_key {
	SVC_MANDATORY = 0,
	SVC_ALPN = 1,
	SVC_NO_DEFAULT_ALPN = 2,
	SVC_PORT = 3,
	SVC_IPV4HINT = 4,
	SVC_ECH = 5,
	SVC_IPV6HINT = 6,
	SVC_DOHPATH = 7,
	SVC_OHTTP = 8,
	SVC_INVALID = 65535,
};

/* Is that key among the parameters? They are in order and whole. */
static bool
has_key(const uint8_t *params, size_t len, uint16_t key)
{
	struct rbuf r = rbuf_init(params, len);

	while (rbuf_left(&r) > 0) {
		uint16_t have = rbuf_u16(&r);

		if (have >= key)
			return have == key;
		rbuf_bytes(&r, rbuf_u16(&r));
	}
	return false;
}

/* RFC 9460 8: ascending keys, each one present, never itself. */
static const char *
mandatory_rule(struct rbuf v, const uint8_t *params, size_t len)
{
	uint32_t last = 0;

	if (v.len == 0 || v.len % 2 != 0)
		return "mandatory is a list of keys (RFC 9460 8)";
	while (rbuf_left(&v) > 0) {
		uint16_t key = rbuf_u16(&v);

		if (key <= last)
			return "mandatory lists keys in ascending order, itself not among them "
			       "(RFC 9460 8)";
		if (!has_key(params, len, key))
			return "mandatory lists a key that is not there (RFC 9460 8)";
		last = key;
	}
	return NULL;
}

/* RFC 9460 7.1.1: one or more, none empty. */
static const char *
alpn_rule(struct rbuf v)
{
	if (v.len == 0)
		return "alpn is empty (RFC 9460 7.1.1)";
	while (rbuf_left(&v) > 0) {
		uint8_t n = rbuf_u8(&v);

		if (n == 0 || rbuf_bytes(&v, n) == NULL)
			return "alpn is a list of names of 1 to 255 octets (RFC 9460 7.1.1)";
	}
	return NULL;
}

static const char *
value_rule(uint16_t key, struct rbuf v, const uint8_t *params, size_t len)
{
	switch (key) {
	case SVC_MANDATORY:
		return mandatory_rule(v, params, len);
	case SVC_ALPN:
		return alpn_rule(v);
	case SVC_NO_DEFAULT_ALPN:
		if (!has_key(params, len, SVC_ALPN))
			return "no-default-alpn needs alpn (RFC 9460 7.1.1)";
		return v.len != 0 ? "no-default-alpn has no value (RFC 9460 7.1.1)" : NULL;
	case SVC_PORT:
		return v.len != 2 ? "port is one number (RFC 9460 7.2)" : NULL;
	case SVC_IPV4HINT:
		return v.len == 0 || v.len % 4 != 0
			   ? "ipv4hint is a list of IPv4 addresses (RFC 9460 7.3)"
			   : NULL;
	case SVC_IPV6HINT:
		return v.len == 0 || v.len % 16 != 0
			   ? "ipv6hint is a list of IPv6 addresses (RFC 9460 7.3)"
			   : NULL;
	case SVC_ECH:
		return v.len == 0 ? "ech is empty" : NULL;
	case SVC_DOHPATH:
		return v.len == 0 ? "dohpath is empty (RFC 9461 5)" : NULL;
	case SVC_OHTTP:
		return v.len != 0 ? "ohttp has no value (RFC 9540 4)" : NULL;
	case SVC_INVALID:
		return "key 65535 is reserved (RFC 9460 14.3.2)";
	default:
		return NULL;
	}
}

/* Two passes: `mandatory` may be asked about keys only once order and lengths are known to hold. */
const char *
svcparams_rule(const uint8_t *params, size_t len)
{
	struct rbuf r = rbuf_init(params, len);
	const char *rule = NULL;
	int32_t last = -1;

	while (rbuf_left(&r) > 0) {
		uint16_t key = rbuf_u16(&r);

		if (rbuf_bytes(&r, rbuf_u16(&r)) == NULL)
			return "a parameter is cut short (RFC 9460 2.2)";
		if (key <= last)
			return "keys ascend and stand once (RFC 9460 2.2)";
		last = key;
	}
	if (!rbuf_ok(&r))
		return "a parameter is cut short (RFC 9460 2.2)";
	for (r = rbuf_init(params, len); rule == NULL && rbuf_left(&r) > 0;) {
		uint16_t key = rbuf_u16(&r);
		struct rbuf v = rbuf_sub(&r, rbuf_u16(&r));

		rule = value_rule(key, v, params, len);
	}
	return rule;
}

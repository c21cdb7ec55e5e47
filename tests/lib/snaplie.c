/* snaplie - see snaplie.h. */
#include "tests/lib/snaplie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "appliance/store/chain.h"
#include "appliance/sync/adopt.h"
#include "appliance/sync/snapfile.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

static bool
edit_nothing(Ns__Envelope *env)
{
	(void)env;
	return true;
}

static bool
edit_content(Ns__Envelope *env)
{
	Ns__FleetZone *m = env->fleet_zone;

	if (env->body_case == NS__ENVELOPE__BODY_FLEET_ZONE && m->last)
		m->zwire.data[m->zwire.len - 1] ^= 1;
	return true;
}

static bool
edit_serial(Ns__Envelope *env)
{
	if (env->body_case == NS__ENVELOPE__BODY_FLEET_ZONE)
		env->fleet_zone->serial++;
	return true;
}

static bool
edit_hash(Ns__Envelope *env)
{
	if (env->body_case == NS__ENVELOPE__BODY_SNAPSHOT_HEAD)
		env->snapshot_head->hash.data[0] ^= 1;
	return true;
}

static bool
edit_term(Ns__Envelope *env)
{
	if (env->body_case == NS__ENVELOPE__BODY_SNAPSHOT_HEAD)
		env->snapshot_head->term++;
	return true;
}

static bool
edit_format(Ns__Envelope *env)
{
	if (env->body_case == NS__ENVELOPE__BODY_SNAPSHOT_HEAD)
		env->snapshot_head->format++;
	return true;
}

static bool
edit_gap(Ns__Envelope *env)
{
	if (env->body_case == NS__ENVELOPE__BODY_SNAPSHOT_END)
		env->snapshot_end->changes--;
	return env->body_case != NS__ENVELOPE__BODY_FLEET_CHANGE ||
	       env->fleet_change->revision != 2;
}

static bool
edit_body(Ns__Envelope *env)
{
	Ns__FleetChange *m = env->fleet_change;

	if (env->body_case == NS__ENVELOPE__BODY_FLEET_CHANGE && m->body.len > 0)
		m->at_ms++;
	return true;
}

/* It is what its hash says, and the one behind it follows another one. */
static bool
edit_chain(Ns__Envelope *env)
{
	Ns__FleetChange *m = env->fleet_change;
	struct store_change c;

	if (env->body_case != NS__ENVELOPE__BODY_FLEET_CHANGE || m->revision != 2)
		return true;
	m->at_ms++;
	assert_int_equal(m->body.len, m->body_size);
	assert_true(adopt_head(m, &c));
	return chain_hash(&c, m->body.data, m->body.len, m->hash.data);
}

const struct snaplie snaplies[] = {
	{ "content", edit_content, NS_CORRUPT },
	{ "serial", edit_serial, NS_CORRUPT },
	{ "the head's hash", edit_hash, NS_CORRUPT },
	{ "the head's term", edit_term, NS_CORRUPT },
	{ "a later format", edit_format, NS_VERSION },
	{ "a change that is not there", edit_gap, NS_CORRUPT },
	{ "a change that is another one", edit_body, NS_CORRUPT },
	{ "a change that the next one does not follow", edit_chain, NS_CORRUPT },
	{ "nothing", edit_nothing, NS_OK },
	{ NULL, NULL, NS_OK },
};

char *
snaplie_file(const struct snaplie *lie, const char *path, uint8_t digest[SNAP_DIGEST])
{
	struct wbuf in = wbuf_grow(64u << 20), out = wbuf_grow(64u << 20);
	char *to = xasprintf("%s.x", path);
	struct snap_counts n = { 0 };
	uint8_t buf[4096];
	unsigned sum = SNAP_DIGEST;
	size_t len;
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	while ((len = fread(buf, 1, sizeof buf, f)) > 0)
		wbuf_put(&in, buf, len);
	fclose(f);
	for (const uint8_t *p = in.base; p < in.base + in.len; p += 4 + len) {
		Ns__Envelope *env;

		len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
		env = ns_envelope_unpack(p + 4, len, NULL);
		assert_non_null(env);
		if (lie->edit(env))
			assert_true(snap_envelope(&out, env, &n));
		ns__envelope__free_unpacked(env, NULL);
	}
	EVP_Digest(out.base, out.len, digest, &sum, EVP_sha256(), NULL);
	f = fopen(to, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(out.base, 1, out.len, f), out.len);
	fclose(f);
	wbuf_free(&in);
	wbuf_free(&out);
	return to;
}

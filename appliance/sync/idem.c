/* idem - see idem.h. */
#include "appliance/sync/idem.h"

#include <openssl/sha.h>
#include <stdlib.h>

#include "appliance/store/store.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define REPLY_MAX (1u << 20)

_Static_assert(SHA256_DIGEST_LENGTH == STORE_HASH, "one kind of digest");

/* Every request that writes has a field of that name. */
static const char *
key_of(const Ns__Envelope *env)
{
	char *const *key = ns_body_field(env, "idempotency_key", PROTOBUF_C_TYPE_STRING);

	return key != NULL ? *key : "";
}

/* Of the request itself: its number and its deadline differ each time. */
static void
digest_of(const Ns__Envelope *env, uint8_t out[STORE_HASH])
{
	Ns__Envelope bare = NS__ENVELOPE__INIT;
	uint8_t *packed;
	size_t len;

	bare.body_case = env->body_case;
	bare.error = env->error; /* any member of the union */
	len = ns__envelope__get_packed_size(&bare);
	packed = xmalloc(len + 1);
	ns__envelope__pack(&bare, packed);
	SHA256(packed, len, out);
	free(packed);
}

static void
mark_replayed(struct request *r)
{
	if (r->reply->body_case == NS__ENVELOPE__BODY_COMMIT_REPLY) {
		r->reply->commit_reply->replayed = true;
		r->revision = r->reply->commit_reply->revision;
	}
}

enum ns_err
idem_replay(struct request *r, struct store *s, int64_t now_ms)
{
	const char *key = key_of(r->env);
	struct wbuf reply = wbuf_grow(REPLY_MAX);
	uint8_t digest[STORE_HASH];
	enum ns_err err;

	if (key[0] == '\0')
		return NS_NOTFOUND;
	digest_of(r->env, digest);
	err = store_idem_get(s, r->caller.name, key, digest, now_ms, &reply, &r->why);
	if (err == NS_OK) {
		r->reply = ns__envelope__unpack(NULL, reply.len, reply.base);
		if (r->reply != NULL)
			mark_replayed(r);
		else
			err = ns_fail(&r->why, NS_CORRUPT, 0, "the kept reply cannot be read");
	}
	wbuf_free(&reply);
	return err;
}

enum ns_err
idem_keep(struct request *r, struct store *s, int64_t now_ms)
{
	const char *key = key_of(r->env);
	uint8_t digest[STORE_HASH], *packed;
	enum ns_err err;
	size_t len;

	if (key[0] == '\0')
		return NS_OK;
	digest_of(r->env, digest);
	len = ns__envelope__get_packed_size(r->reply);
	packed = xmalloc(len + 1);
	ns__envelope__pack(r->reply, packed);
	err = store_idem_put(s, r->caller.name, key, digest, now_ms, packed, len, &r->why);
	free(packed);
	return err;
}

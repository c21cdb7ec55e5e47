/* message_fuzz - a stranger's bytes as an envelope: scan, unpack, JSON, and the peer's address.
 *
 * What was accepted must be clean through and through: it packs into bytes that are accepted again
 * and mean the same, and it becomes JSON. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/envelope.h"
#include "ipc/frame.h"
#include "ipc/json.h"

static void
check(int ok)
{
	if (!ok)
		abort();
}

static void
try_peer(const uint8_t *data, size_t len)
{
	char text[256];
	struct ns_peer peer;

	if (len >= sizeof text)
		return;
	memcpy(text, data, len);
	text[len] = '\0';
	frame_parse_peer(text, &peer);
	check(!peer.local || (strchr(text, ':') != NULL && peer.pid >= 0));
}

static char *
as_json(const Ns__Envelope *env)
{
	json_t *json = ns_json_from(&env->base, "ns.fuzz/1");
	char *text = json_dumps(json, JSON_COMPACT);

	check(text != NULL);
	json_decref(json);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ns_why why = { 0 };
	Ns__Envelope *env, *again;
	uint8_t *packed;
	size_t size;
	char *one, *two;

	try_peer(data, len);
	env = ns_envelope_unpack(data, len, &why);
	if (env == NULL) {
		check(why.err == NS_CORRUPT && why.text[0] != '\0');
		return 0;
	}
	if (env->body_case == NS__ENVELOPE__BODY_ERROR)
		ns_why_from_error(&why, env->error);
	size = ns__envelope__get_packed_size(env);
	packed = malloc(size > 0 ? size : 1);
	check(ns__envelope__pack(env, packed) == size);
	again = ns_envelope_unpack(packed, size, &why);
	check(again != NULL);
	one = as_json(env);
	two = as_json(again);
	check(strcmp(one, two) == 0);
	free(one);
	free(two);
	free(packed);
	ns__envelope__free_unpacked(again, NULL);
	ns__envelope__free_unpacked(env, NULL);
	return 0;
}

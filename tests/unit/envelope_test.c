/* envelope_test - the rules for the bytes of a message, beyond what sock_test shows on a socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"
#include "ipc/sock.h"

/* Messages that contain themselves would nest without end; ours do not, and stay well below what
 * the scan allows. */
static unsigned
depth(const ProtobufCMessageDescriptor *desc, unsigned above)
{
	unsigned most = 1;

	assert_true(above < NS_ENVELOPE_DEPTH);
	for (unsigned i = 0; i < desc->n_fields; i++) {
		unsigned d;

		if (desc->fields[i].type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		d = 1 + depth(desc->fields[i].descriptor, above + 1);
		most = d > most ? d : most;
	}
	return most;
}

static void
test_messages_do_not_nest_without_end(void **state)
{
	(void)state;
	assert_in_range(depth(&ns__envelope__descriptor, 0), 2, 8);
}

/* Two octets for a submessage of a hundred: a message of the largest size stays within its memory, or
 * is refused. */
static void
test_memory_is_bounded(void **state)
{
	size_t inner = NS_MSG_MAX - 16, len = 0;
	uint8_t *bytes = xmalloc(NS_MSG_MAX);
	struct ns_why why = { 0 };
	Ns__Envelope *env;

	(void)state;
	bytes[len++] = 0xf2; /* field 110, feed */
	bytes[len++] = 0x06;
	for (size_t v = inner; v > 0; v >>= 7)
		bytes[len++] = (uint8_t)((v & 0x7f) | (v >> 7 ? 0x80 : 0));
	for (size_t i = 0; i < inner; i += 2) {
		bytes[len++] = 0x2a; /* field 5, zones: an empty FeedZone */
		bytes[len++] = 0x00;
	}
	assert_int_equal(ns_envelope_scan(&ns__envelope__descriptor, bytes, len, NULL), NS_OK);
	env = ns_envelope_unpack(bytes, len, &why);
	assert_null(env);
	assert_int_equal(why.err, NS_CORRUPT);
	free(bytes);
}

/* A message of ours survives every cut and every flipped bit: refused or accepted, never read beyond
 * its end (the sanitizers watch). */
static void
test_cut_and_flipped(void **state)
{
	static char name[] = "example.org.", rdata[] = "192.0.2.1";
	char *values[] = { rdata, rdata };
	Ns__RecordOp op = NS__RECORD_OP__INIT, *ops[] = { &op };
	Ns__ZoneEdit edit = NS__ZONE_EDIT__INIT, *edits[] = { &edit };
	Ns__CommitRequest commit = NS__COMMIT_REQUEST__INIT;
	Ns__Envelope env = NS__ENVELOPE__INIT, *got;
	uint8_t packed[512];
	size_t len;

	(void)state;
	op.name = op.type = name;
	op.rdata = values;
	op.n_rdata = 2;
	edit.zone = name;
	edit.ops = ops;
	edit.n_ops = 1;
	commit.zones = edits;
	commit.n_zones = 1;
	env.id = 300;
	env.body_case = NS__ENVELOPE__BODY_COMMIT_REQUEST;
	env.commit_request = &commit;
	len = ns__envelope__pack(&env, packed);
	got = ns_envelope_unpack(packed, len, NULL);
	assert_non_null(got);
	assert_string_equal(got->commit_request->zones[0]->ops[0]->rdata[1], rdata);
	ns__envelope__free_unpacked(got, NULL);

	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *exact = xmemdup(packed, cut);

		got = ns_envelope_unpack(exact, cut, NULL);
		if (got != NULL)
			ns__envelope__free_unpacked(got, NULL);
		free(exact);
	}
	for (size_t bit = 0; bit < len * 8; bit++) {
		packed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		got = ns_envelope_unpack(packed, len, NULL);
		if (got != NULL)
			ns__envelope__free_unpacked(got, NULL);
		packed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void
test_refusals_there_and_back(void **state)
{
	struct ns_why why = { .err = NS_CONFLICT,
		.code = 2104,
		.line = 3,
		.zone = "example.org.",
		.owner = "w\nw.example.org.",
		.type = "A",
		.field = "ttl",
		.text = "zone is stale" };
	struct ns_why back;
	Ns__Error error;

	(void)state;
	ns_error_from_why(&error, &why);
	ns_why_from_error(&back, &error);
	assert_int_equal(back.err, NS_CONFLICT);
	assert_int_equal(back.code, 2104);
	assert_int_equal(back.line, 3);
	assert_string_equal(back.zone, "example.org.");
	assert_string_equal(back.owner, "w?w.example.org.");
	assert_string_equal(back.type, "A");
	assert_string_equal(back.field, "ttl");
	assert_string_equal(back.text, "zone is stale");

	/* A class that we do not know yet is a failure, never success. */
	error.err_class = 200;
	error.code = 1000000;
	ns_why_from_error(&back, &error);
	assert_int_equal(back.err, NS_FAILED);
	assert_int_equal(back.code, 0);
	error.err_class = NS_OK;
	ns_why_from_error(&back, &error);
	assert_int_equal(back.err, NS_FAILED);
}

/* Noise decodes to envelopes without a body, or with one that has no such field. */
static void
test_body_field(void **state)
{
	static char key[] = "k";
	Ns__CommitRequest commit = NS__COMMIT_REQUEST__INIT;
	Ns__Cancel cancel = NS__CANCEL__INIT;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	char **field;

	(void)state;
	assert_null(ns_body_field(&env, "comment", PROTOBUF_C_TYPE_STRING));
	env.body_case = NS__ENVELOPE__BODY_CANCEL;
	env.cancel = &cancel;
	assert_null(ns_body_field(&env, "comment", PROTOBUF_C_TYPE_STRING));
	env.body_case = NS__ENVELOPE__BODY_COMMIT_REQUEST;
	env.commit_request = &commit;
	commit.idempotency_key = key;
	field = ns_body_field(&env, "idempotency_key", PROTOBUF_C_TYPE_STRING);
	assert_non_null(field);
	assert_ptr_equal(*field, key);
	assert_null(ns_body_field(&env, "idempotency_key", PROTOBUF_C_TYPE_BOOL));
	env.commit_request = NULL;
	assert_null(ns_body_field(&env, "comment", PROTOBUF_C_TYPE_STRING));
}

/* Every field, also those of a newer version that we do not know, and nothing that is the original's. */
static void
test_message_copy(void **state)
{
	static const uint8_t packed[] = { 0x0a, 1, 'a', 0xfa, 0x3f, 2, 'n', 'w' };
	Ns__ZoneShowRequest *in = ns__zone_show_request__unpack(NULL, sizeof packed, packed), *copy;
	uint8_t again[sizeof packed];

	(void)state;
	assert_non_null(in);
	copy = ns_message_copy(&in->base);
	ns__zone_show_request__free_unpacked(in, NULL);
	assert_non_null(copy);
	assert_int_equal(ns__zone_show_request__pack(copy, again), sizeof packed);
	assert_memory_equal(again, packed, sizeof packed);
	ns__zone_show_request__free_unpacked(copy, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_body_field),
		cmocka_unit_test(test_message_copy),
		cmocka_unit_test(test_messages_do_not_nest_without_end),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_cut_and_flipped),
		cmocka_unit_test(test_refusals_there_and_back),
	};

	return cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}

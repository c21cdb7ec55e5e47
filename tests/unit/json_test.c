/* json_test - messages as JSON, from their descriptors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/json.h"
#include "ipc/nameserve.pb-c.h"

static void
assert_json(const ProtobufCMessage *msg, const char *schema, const char *want)
{
	json_t *json = ns_json_from(msg, schema);
	char *text = json_dumps(json, JSON_COMPACT);

	assert_string_equal(text, want);
	free(text);
	json_decref(json);
}

static void
test_zone_list(void **state)
{
	static char name[] = "example.org.", dnssec[] = "off", empty[] = "";
	Ns__ZoneListReply reply = NS__ZONE_LIST_REPLY__INIT;
	Ns__ZoneInfo zone = NS__ZONE_INFO__INIT, *zones[] = { &zone };

	(void)state;
	assert_json(&reply.base, "ns.zone.list/1",
	    "{\"schema\":\"ns.zone.list/1\",\"zones\":[],\"total\":0,\"next\":\"\",\"rank\":0,"
	    "\"snapshot\":0}");
	zone.name = name;
	zone.serial = UINT32_MAX;
	zone.records = 20;
	zone.dnssec = dnssec;
	zone.account = empty;
	zone.version = UINT64_C(9007199254740993);
	zone.changed = empty;
	zone.qps = NAN;
	reply.zones = zones;
	reply.n_zones = 1;
	reply.total = 1;
	assert_json(&reply.base, NULL,
	    "{\"zones\":[{\"name\":\"example.org.\",\"serial\":4294967295,\"records\":20,"
	    "\"dnssec\":\"off\",\"account\":\"\",\"version\":9007199254740993,\"changed\":\"\","
	    "\"rrsets\":0,\"served_version\":0,\"sites\":[],\"dnssec_trouble\":\"\",\"health\":"
	    "\"\",\"qps\":null,\"changed_by\":\"\",\"signatures_until\":\"\",\"signatures_"
	    "expired\":"
	    "false,\"next_key_event\":\"\",\"nx_percent\":0.0,\"past\":[]}],\"total\":1,\"next\":"
	    "\"\",\"rank\":0,"
	    "\"snapshot\":0}");
}

static void
test_submessages_and_bools(void **state)
{
	Ns__StatusReply status = NS__STATUS_REPLY__INIT;
	Ns__StatusReply__Primary primary = NS__STATUS_REPLY__PRIMARY__INIT;
	json_t *json = ns_json_from(&status.base, NULL), *lag;

	(void)state;
	assert_null(json_object_get(json, "primary"));
	assert_true(json_is_false(json_object_get(json, "frozen")));
	json_decref(json);

	primary.reachable = 1;
	primary.lag_s = NAN;
	status.primary = &primary;
	json = ns_json_from(&status.base, NULL);
	assert_true(json_is_true(json_object_get(json_object_get(json, "primary"), "reachable")));
	lag = json_object_get(json_object_get(json, "primary"), "lag_s");
	assert_true(json_is_null(lag));
	json_decref(json);
}

static void
test_oneof_shows_the_chosen_one(void **state)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__Cancel cancel = NS__CANCEL__INIT;

	(void)state;
	env.id = 7;
	assert_json(
	    &env.base, NULL, "{\"id\":7,\"deadline_ms\":0,\"more\":false,\"term\":0,\"to\":\"\"}");
	env.body_case = NS__ENVELOPE__BODY_CANCEL;
	env.cancel = &cancel;
	cancel.request = UINT64_MAX;
	assert_json(&env.base, NULL,
	    "{\"id\":7,\"deadline_ms\":0,\"more\":false,\"cancel\":{\"request\":1."
	    "8446744073709552e19},\"term\":0,\"to\":\"\"}");
}

static void
test_enums_and_repeated_strings(void **state)
{
	static char name[] = "www", type[] = "TXT", one[] = "\"a\\\"b\"", two[] = "\xc3\xa4";
	Ns__RecordOp op = NS__RECORD_OP__INIT;
	char *rdata[] = { one, two };

	(void)state;
	op.kind = NS__RECORD_OP__KIND__ADD;
	op.name = name;
	op.type = type;
	op.rdata = rdata;
	op.n_rdata = 2;
	assert_json(&op.base, NULL,
	    "{\"kind\":\"add\",\"name\":\"www\",\"type\":\"TXT\",\"ttl\":0,\"ttl_given\":false,"
	    "\"rdata\":[\"\\\"a\\\\\\\"b\\\"\",\"\xc3\xa4\"]}");
	op.n_rdata = 0;
	op.kind = (Ns__RecordOp__Kind)77;
	assert_json(&op.base, NULL,
	    "{\"kind\":77,\"name\":\"www\",\"type\":\"TXT\",\"ttl\":0,\"ttl_given\":false,"
	    "\"rdata\":[]}");
}

/* RFC 4648 section 10. */
static void
test_base64(void **state)
{
	static const struct {
		const char *plain, *coded;
	} cases[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		Ns__TextChunk chunk = NS__TEXT_CHUNK__INIT;
		char *copy = strdup(cases[i].plain);
		json_t *json;

		chunk.text.data = (uint8_t *)copy;
		chunk.text.len = strlen(copy);
		json = ns_json_from(&chunk.base, NULL);
		assert_string_equal(
		    json_string_value(json_object_get(json, "text")), cases[i].coded);
		json_decref(json);
		free(copy);
	}
}

static void
test_unclean_string_is_scrubbed(void **state)
{
	static char text[] = "a\xff"
			     "b";
	Ns__Error error = NS__ERROR__INIT;
	json_t *json;

	(void)state;
	error.text = text;
	json = ns_json_from(&error.base, NULL);
	assert_string_equal(json_string_value(json_object_get(json, "text")), "a?b");
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zone_list),
		cmocka_unit_test(test_submessages_and_bools),
		cmocka_unit_test(test_oneof_shows_the_chosen_one),
		cmocka_unit_test(test_enums_and_repeated_strings),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_unclean_string_is_scrubbed),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}

/* Names from the first octets of a body: the same that unpacking all of it gives, and no more from bytes that
 * are no body. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/sync/bodynames.h"
#include "ipc/base/xalloc.h"
#include "ipc/nameserve.pb-c.h"
#include "tests/lib/store_kit.h"

// link: appliance/sync/bodynames.c

#define ZONES 40

static uint8_t *
body(size_t *len, size_t zones, uint64_t *seed)
{
	static uint8_t data[100000];
	static const char *const names[] = { "a.example", "example.com", "x.y.z.example.net", "." };
	Ns__ChangeBody m = NS__CHANGE_BODY__INIT;
	Ns__ChangeBody__Zone z[ZONES], *list[ZONES];
	struct kit_name wire[ZONES];
	uint8_t *out;

	for (size_t i = 0; i < zones; i++) {
		ns__change_body__zone__init(&z[i]);
		z[i].kind = (Ns__ChangeBody__Zone__Kind)(kit_random(seed) % 4);
		wire[i] = kit_name(names[kit_random(seed) % 4]);
		z[i].name = (ProtobufCBinaryData){ wire[i].len, wire[i].wire };
		z[i].base_version = kit_random(seed);
		z[i].serial_before = (uint32_t)kit_random(seed);
		z[i].serial_after = kit_random(seed) % 4 == 0 ? 0 : (uint32_t)kit_random(seed);
		z[i].added = (ProtobufCBinaryData){ kit_random(seed) % sizeof data, data };
		z[i].zone_id = i + 1;
		list[i] = &z[i];
	}
	m.zones = list;
	m.n_zones = zones;
	m.confirm_within_ms = 7;
	*len = ns__change_body__get_packed_size(&m);
	out = xmalloc(*len + 1);
	ns__change_body__pack(&m, out);
	return out;
}

static void
the_same_as_unpacked(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (int round = 0; round < 20; round++) {
		size_t len, at = 0, n = kit_random(&seed) % ZONES;
		uint8_t *bytes = body(&len, n, &seed);
		Ns__ChangeBody *m = ns__change_body__unpack(NULL, len, bytes);
		struct body_name got;

		for (size_t i = 0; i < n; i++) {
			size_t piece = len - at < BODY_PIECE ? len - at : BODY_PIECE;

			assert_true(body_name_read(bytes + at, piece, &got));
			assert_int_equal(got.name_len, m->zones[i]->name.len);
			assert_memory_equal(got.name, m->zones[i]->name.data, got.name_len);
			assert_int_equal(got.serial, m->zones[i]->serial_after);
			at += got.next;
		}
		assert_false(body_name_read(bytes + at, len - at, &got)); /* other fields follow */
		ns__change_body__free_unpacked(m, NULL);
		free(bytes);
	}
}

static void
object_of_a_body(void **state)
{
	Ns__ChangeBody m = NS__CHANGE_BODY__INIT;
	Ns__ChangeBody__Object o = NS__CHANGE_BODY__OBJECT__INIT, *list[] = { &o };
	char kind[] = "check", name[] = "eu-web-2";
	uint8_t bytes[256];
	struct body_name got;
	size_t len;

	(void)state;
	o.kind = kind;
	o.name = name;
	o.id = 7;
	m.objects = list;
	m.n_objects = 1;
	len = ns__change_body__pack(&m, bytes);
	assert_true(body_object_read(bytes, len, &got));
	assert_int_equal(got.name_len, strlen(name));
	assert_memory_equal(got.name, name, got.name_len);
	assert_false(body_name_read(bytes, len, &got));
	for (size_t i = 0; i < len; i++) {
		uint8_t *cut = xmalloc(i + 1);

		memcpy(cut, bytes, i);
		if (body_object_read(cut, i, &got))
			assert_true(got.name + got.name_len <= cut + i);
		free(cut);
	}
	m.confirm_within_ms = 5;
	len = ns__change_body__pack(&m, bytes);
	assert_false(body_object_read(bytes, len, &got)); /* not the first */
}

static void
any_bytes(void **state)
{
	uint64_t seed = 9;
	struct body_name got;
	size_t len;
	uint8_t *bytes = body(&len, 1, &seed);

	(void)state;
	for (size_t i = 0; i < 300; i++) {
		uint8_t *cut = xmalloc(i + 1);

		memcpy(cut, bytes, i);
		if (i > 0 && i % 2 == 0)
			cut[kit_random(&seed) % i] = (uint8_t)kit_random(&seed);
		if (body_name_read(cut, i, &got) && got.name != NULL)
			assert_true(got.name >= cut && got.name + got.name_len <= cut + i);
		free(cut);
	}
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_as_unpacked),
		cmocka_unit_test(object_of_a_body),
		cmocka_unit_test(any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

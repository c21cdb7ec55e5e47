/* troubles - what is said as long as it is true: of each kind the first, and how many more. */
// link: appliance/signer/troubles.c appliance/signer/names.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/signer/troubles.h"
#include "tests/lib/zonebox.h"

static void
expect(const struct troubles *t, const char *text)
{
	char out[TROUBLES_TEXT];

	troubles_text(t, out);
	assert_string_equal(out, text);
}

static const uint8_t *
zone(unsigned i)
{
	char text[32];

	(void)snprintf(text, sizeof text, "z%02u.example.", i);
	return zonebox_name(text);
}

static void
said_while_it_is_true(void **state)
{
	struct troubles *t = troubles_new();

	(void)state;
	expect(t, "");
	assert_false(troubles_end(t, TROUBLE_REFUSED, zone(1)));
	troubles_set(t, TROUBLE_REFUSED, zone(1), "one");
	expect(t, "one");
	troubles_set(t, TROUBLE_KEYRING, zonebox_name("."), "keys");
	expect(t, "keys; one");
	troubles_set(t, TROUBLE_REFUSED, zone(1), "one again");
	expect(t, "keys; one again");
	troubles_set(t, TROUBLE_REFUSED, zone(2), "two");
	expect(t, "keys; one again (and the same of 1 more zones)");
	assert_false(troubles_end(t, TROUBLE_ALIAS, zone(1)));
	assert_true(troubles_end(t, TROUBLE_KEYRING, zonebox_name(".")));
	assert_true(troubles_end(t, TROUBLE_REFUSED, zone(1)));
	expect(t, "two");
	assert_true(troubles_end(t, TROUBLE_REFUSED, zone(2)));
	assert_false(troubles_end(t, TROUBLE_REFUSED, zone(2)));
	expect(t, "");
	troubles_destroy(&t);
}

/* The words of the first are kept, and the names of all. */
static void
many_are_bounded(void **state)
{
	struct troubles *t = troubles_new();
	char text[2000], out[TROUBLES_TEXT];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	for (unsigned i = 0; i < 50; i++)
		troubles_set(t, TROUBLE_REFUSED, zone(i), text);
	troubles_set(t, TROUBLE_KEYRING, zonebox_name("."), text);
	troubles_set(t, TROUBLE_ALIAS, zone(1), text);
	troubles_text(t, out);
	assert_int_equal(strlen(out), TROUBLES_TEXT - 1);
	assert_true(troubles_end(t, TROUBLE_KEYRING, zonebox_name(".")));
	assert_true(troubles_end(t, TROUBLE_ALIAS, zone(1)));
	for (unsigned i = 0; i < 49; i++)
		assert_true(troubles_end(t, TROUBLE_REFUSED, zone(i)));
	expect(t, "z49.example.");
	troubles_destroy(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(said_while_it_is_true),
		cmocka_unit_test(many_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

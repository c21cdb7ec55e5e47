/* cookie - DNS cookies: those of RFC 9018, appendix A, made and judged, whatever the clock does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/serve/cookie.h"
#include "tests/lib/address.h"
#include "tests/lib/zonebox.h"

#define SECRET_A "e5e973e5a6b2a43f48e7dc849e37bfcf"
#define SECRET_B "dd3bdf9344b678b185a6f5cb60fca715"
#define SECRET_C "445536bcd2513298075a5d379663c962"

static void
makes_the_cookies_of_rfc_9018(void **state)
{
	static const struct {
		const char *secret, *client;
		uint32_t now;
		const char *in, *out; /* in: the client cookie */
	} rows[] = {
		{ SECRET_A, "198.51.100.100", 1559731985, "2464c4abcf10c957",
		    "2464c4abcf10c957010000005cf79f111f8130c3eee29480" },
		{ SECRET_A, "198.51.100.100", 1559734385, "2464c4abcf10c957",
		    "2464c4abcf10c957010000005cf7a871d4a564a1442aca77" },
		{ SECRET_A, "203.0.113.203", 1559734700, "fc93fc62807ddb86",
		    "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e" },
		{ SECRET_B, "2001:db8:220:1:59de:d0f4:8769:82b8", 1559741817, "22681ab97d52c298",
		    "22681ab97d52c298010000005cf7c57926556bd0934c72f8" },
		{ SECRET_C, "2001:db8:220:1:59de:d0f4:8769:82b8", 1559741961, "22681ab97d52c298",
		    "22681ab97d52c298010000005cf7c609a6bb79d16625507a" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct sockaddr_storage client = sockaddr_of(rows[i].client);
		struct map_cookie c = { .count = 1 };
		uint8_t cookie[COOKIE_OURS], want[COOKIE_OURS];

		zonebox_hex(rows[i].secret, c.secret[0], MAP_SECRET);
		zonebox_hex(rows[i].in, cookie, sizeof cookie);
		cookie_make(&c, &client, rows[i].now, cookie);
		assert_int_equal(zonebox_hex(rows[i].out, want, sizeof want), sizeof cookie);
		assert_memory_equal(cookie, want, sizeof cookie);
	}
}

static void
judges_cookies(void **state)
{
	static const struct {
		const char *secret, *previous, *client, *cookie;
		uint32_t until; /* of the previous one */
		int64_t now;
		enum cookie_state want;
		const char *why;
	} rows[] = {
#define A1 "2464c4abcf10c957010000005cf79f111f8130c3eee29480"
#define A3 "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5"
#define A4 "22681ab97d52c298010000005cf7c57926556bd0934c72f8"
#define T1 1559731985
#define T3 1559727985
#define T4 1559741817
#define V6 "2001:db8:220:1:59de:d0f4:8769:82b8"
		{ SECRET_A, NULL, "198.51.100.100", A1, 0, T1, COOKIE_GOOD, "at once" },
		{ SECRET_A, NULL, "198.51.100.100", A1, 0, T1 + 1800, COOKIE_GOOD, "half an hour" },
		{ SECRET_A, NULL, "198.51.100.100", A1, 0, T1 + 1801, COOKIE_OLD, "A.2: to renew" },
		{ SECRET_A, NULL, "198.51.100.100", A1, 0, T1 + 3600, COOKIE_OLD, "an hour" },
		{ SECRET_A, NULL, "198.51.100.100", A1, 0, T1 + 3601, COOKIE_BAD, "too old" },
		{ SECRET_A, NULL, "198.51.100.100", A1, 0, T1 - 300, COOKIE_GOOD, "another clock" },
		{ SECRET_A, NULL, "198.51.100.100", A1, 0, T1 - 301, COOKIE_BAD, "the future" },
		{ SECRET_A, NULL, "198.51.100.101", A1, 0, T1, COOKIE_BAD, "another client" },
		{ SECRET_A, NULL, V6, A1, 0, T1, COOKIE_BAD, "another family" },
		{ SECRET_B, NULL, "198.51.100.100", A1, 0, T1, COOKIE_BAD, "another secret" },
		{ SECRET_A, NULL, "203.0.113.203", A3, 0, T3, COOKIE_GOOD, "A.3: reserved octets" },
		{ SECRET_C, SECRET_B, V6, A4, T4 + 3600, T4, COOKIE_OLD, "A.4: after a roll" },
		{ SECRET_C, SECRET_B, V6, A4, T4 - 1, T4, COOKIE_BAD, "long after a roll" },
		{ SECRET_C, SECRET_B, V6, A4, T4 + 3900, T4, COOKIE_OLD, "a clock set back" },
		{ SECRET_C, SECRET_B, V6, A4, T4 + 3901, T4, COOKIE_BAD, "set back by much" },
		{ SECRET_C, NULL, V6, A4, 0, T4, COOKIE_BAD, "no previous one" },
		{ SECRET_A, NULL, "198.51.100.100",
		    "2464c4abcf10c957020000005cf79f111f8130c3eee29480", 0, T1, COOKIE_BAD,
		    "version 2" },
		{ SECRET_A, NULL, "198.51.100.100",
		    "2464c4abcf10c957010000005cf79f111f8130c3eee29481", 0, T1, COOKIE_BAD,
		    "a bit of the hash" },
		{ SECRET_A, NULL, "198.51.100.100",
		    "2464c4abcf10c956010000005cf79f111f8130c3eee29480", 0, T1, COOKIE_BAD,
		    "a bit of the client's" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct sockaddr_storage client = sockaddr_of(rows[i].client);
		struct map_cookie c = { .count = 1, .until = rows[i].until };
		uint8_t cookie[COOKIE_OURS];
		enum cookie_state got;

		zonebox_hex(rows[i].secret, c.secret[0], MAP_SECRET);
		if (rows[i].previous != NULL)
			c.count = (uint8_t)(1 + (zonebox_hex(rows[i].previous, c.secret[1],
						     MAP_SECRET) > 0));
		zonebox_hex(rows[i].cookie, cookie, sizeof cookie);
		got = cookie_check(&c, &client, (uint32_t)rows[i].now, cookie);
		if (got != rows[i].want)
			fail_msg("%s: %d", rows[i].why, got);
	}
}

/* RFC 1982 over the clock's 32 bits: the year 2106 is an hour like any other. */
static void
outlives_the_clock(void **state)
{
	struct sockaddr_storage client = sockaddr_of("192.0.2.1");
	struct map_cookie c = { .count = 2, .secret = { "new", "old" }, .until = 100 };
	uint8_t cookie[COOKIE_OURS] = "client!";

	(void)state;
	cookie_make(&c, &client, UINT32_MAX - 9, cookie);
	assert_int_equal(cookie_check(&c, &client, 20, cookie), COOKIE_GOOD);
	assert_int_equal(cookie_check(&c, &client, 3600, cookie), COOKIE_BAD);
	memcpy(c.secret[0], "old", 4);
	cookie_make(&c, &client, UINT32_MAX - 9, cookie);
	memcpy(c.secret[0], "new", 4);
	assert_int_equal(cookie_check(&c, &client, 20, cookie), COOKIE_OLD);
	assert_int_equal(cookie_check(&c, &client, 101, cookie), COOKIE_BAD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_the_cookies_of_rfc_9018),
		cmocka_unit_test(judges_cookies),
		cmocka_unit_test(outlives_the_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

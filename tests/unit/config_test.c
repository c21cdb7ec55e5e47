/* The configuration file: what is accepted, and the exact words of each refusal. */
// link: appliance/supervisor/config.c
// link: appliance/supervisor/config_value.c
// link: appliance/supervisor/config_cross.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "appliance/supervisor/config.h"

#define HEAD           "[appliance]\nname = fra1-a\n[dns]\nlisten = 127.0.0.1@5300\n"
#define LONG50         "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"
#define LABEL_EXPECTED "expected 1 to 63 of a-z, 0-9 and -, not beginning or ending in -"

static const struct bad {
	const char *text, *error;
} bad[] = {
	{ "", "f:0: [appliance] name: missing, and it has no default" },
	{ "[dns]\nlisten = 127.0.0.1@53\n",
	    "f:2: [appliance] name: missing, and it has no default" },
	{ "\n[appliance]\nname = a\n[dns]\nrrl = 1\n",
	    "f:4: [dns] listen: missing, and it has no default" },
	{ "name = a\n", "f:1: a key before the first [section]" },
	{ "[appliance]\nnames = a\n", "f:2: [appliance] names: unknown key" },
	{ "[nosuch]\n", "f:1: [nosuch]: unknown section" },
	{ HEAD "[nosuch]\nx = 1\n", "f:5: [nosuch]: unknown section" },
	{ "[appliance\nname = a\n", "f:1: a section's name has no closing bracket" },
	{ HEAD "nonsense\n", "f:5: not of the form key = value" },
	{ HEAD "rrl =\n", "f:5: [dns] rrl: has no value" },
	{ HEAD "listen = ::1@5300\n", "f:5: [dns] listen: given twice, first in line 4" },
	{ "[appliance]\nname = -a\n", "f:2: [appliance] name: -a: " LABEL_EXPECTED },
	{ "[appliance]\nname = Fra\n", "f:2: [appliance] name: Fra: " LABEL_EXPECTED },
	{ "[appliance]\nname = " LONG50 "fffffffffffggg\n",
	    "f:2: [appliance] name: " LONG50 "fffffffffffggg: " LABEL_EXPECTED },
	{ "[appliance]\nname = a b\n", "f:2: [appliance] name: a b: " LABEL_EXPECTED },
	{ "[appliance]\nsite = a.b\n", "f:2: [appliance] site: a.b: " LABEL_EXPECTED },
	{ "[appliance]\nrole = master\n",
	    "f:2: [appliance] role: master: expected primary or replica" },
	{ "[appliance]\ndata = var\n", "f:2: [appliance] data: var: expected an absolute path" },
	{ HEAD "workers = 0\n", "f:5: [dns] workers: 0: expected a number from 1 to 128" },
	{ HEAD "workers = 129\n", "f:5: [dns] workers: 129: expected a number from 1 to 128" },
	{ HEAD "workers = -1\n", "f:5: [dns] workers: -1: expected a number from 1 to 128" },
	{ HEAD "workers = 2x\n", "f:5: [dns] workers: 2x: expected a number from 1 to 128" },
	{ HEAD "workers = 18446744073709551617\n",
	    "f:5: [dns] workers: 18446744073709551617: expected a number from 1 to 128" },
	{ HEAD "map_limit = 8T\n",
	    "f:5: [dns] map_limit: 8T: expected a size from 64M to 64G, such as 512M or 8G" },
	{ HEAD "map_limit = 65G\n",
	    "f:5: [dns] map_limit: 65G: expected a size from 64M to 64G, such as 512M or 8G" },
	{ HEAD "map_limit = 1M\n",
	    "f:5: [dns] map_limit: 1M: expected a size from 64M to 64G, such as 512M or 8G" },
	{ HEAD "map_limit = 99999999999999999G\n",
	    "f:5: [dns] map_limit: 99999999999999999G: expected a size from 64M to 64G, such as "
	    "512M or 8G" },
	{ "[dns]\nlisten = 127.0.0.1@0\n",
	    "f:2: [dns] listen: 127.0.0.1@0: the port is a number from 1 to 65535" },
	{ "[dns]\nlisten = 127.0.0.1@65536\n",
	    "f:2: [dns] listen: 127.0.0.1@65536: the port is a number from 1 to 65535" },
	{ "[dns]\nlisten = 127.0.0.1@\n",
	    "f:2: [dns] listen: 127.0.0.1@: the port is a number from 1 to 65535" },
	{ "[dns]\nlisten = localhost@53\n",
	    "f:2: [dns] listen: localhost@53: expected ADDRESS@PORT, IPv4 or IPv6, no names" },
	{ "[dns]\nlisten = 127.0.0.1:53\n",
	    "f:2: [dns] listen: 127.0.0.1:53: expected ADDRESS@PORT, IPv4 or IPv6, no names" },
	{ "[dns]\nlisten = 127.0.0.1@53,,::1@53\n",
	    "f:2: [dns] listen: an entry of the list is empty" },
	{ "[dns]\nlisten = ::1@53, 0:0::1@53\n", "f:2: [dns] listen: ::1@53 is there twice" },
	{ HEAD "tls = 127.0.0.1@853\n", "f:5: [dns] tls: needs cert and key" },
	{ HEAD "tls = 127.0.0.1@5300\ncert = /c\nkey = /k\n",
	    "f:5: [dns] tls: 127.0.0.1@5300 is in listen, too" },
	{ HEAD "[fleet]\nlisten = 127.0.0.1:7300\n",
	    "f:6: [fleet] listen: 127.0.0.1:7300: expected tcp://HOST:PORT" },
	{ HEAD "[fleet]\nlisten = tcp://::1:7300\n",
	    "f:6: [fleet] listen: tcp://::1:7300: expected tcp://HOST:PORT, an IPv6 address in "
	    "brackets" },
	{ HEAD "[fleet]\nlisten = tcp://127.0.0.1:1\nadvertise = tcp://pop1.example:1\n",
	    "f:7: [fleet] advertise: tcp://pop1.example:1: expected tcp://ADDRESS:PORT with an "
	    "IPv4 "
	    "address or an IPv6 address in brackets (no name: a fleet that needs DNS to mend DNS "
	    "cannot)" },
	{ HEAD "[fleet]\nlisten = tcp://[::]:7300\n",
	    "f:6: [fleet] advertise: missing: listen is a wildcard, so others must be told what to "
	    "connect to" },
	{ HEAD "[fleet]\nlisten = tcp://1.2.3.4:1\nadvertise = tcp://0.0.0.0:1\n",
	    "f:7: [fleet] advertise: others cannot connect to a wildcard; name an address" },
	{ HEAD "[api]\nlisten = http://192.0.2.1:8053\n",
	    "f:6: [api] listen: http://192.0.2.1:8053: http:// would carry tokens in clear: only "
	    "on 127.0.0.0/8 or [::1], "
	    "else https://" },
	{ HEAD "[api]\nlisten = ftp://192.0.2.1:8053\n",
	    "f:6: [api] listen: ftp://192.0.2.1:8053: expected https://HOST:PORT, or http:// on a "
	    "loopback address" },
	{ HEAD "[ssh]\naccount = root\n",
	    "f:6: [ssh] account: root: root speaks for itself: name an account that has no other "
	    "rights" },
	{ HEAD "[ssh]\naccount = a/b\n", "f:6: [ssh] account: a/b: expected the name of an "
					 "account: 1 to 32 of a-z, 0-9, _ and -" },
	{ HEAD "[keys]\nkek = /var/lib/nameserve/kek\n",
	    "f:6: [keys] kek: is below data (/var/lib/nameserve): a backup of the data would carry "
	    "the key that protects it" },
	{ HEAD "[keys]\nkek = /etc/../var//lib/./nameserve/x/kek\n",
	    "f:6: [keys] kek: is below data (/var/lib/nameserve): a backup of the data would carry "
	    "the key that protects it" },
	{ "[appliance]\nname = a\ndata = /d\nrun = /d/run\n[dns]\nlisten = ::1@53\n",
	    "f:4: [appliance] run: is below data (/d), which other users may not enter: they would "
	    "not reach the control socket" },
	{ "[appliance]\nname = a\nrun = /" LONG50 LONG50 "\n[dns]\nlisten = ::1@53\n",
	    "f:3: [appliance] run: longer than 98 octets, the name of a socket below it would not "
	    "fit" },
	{ HEAD "[probe]\nallow = 10.0.0.0/33\n",
	    "f:6: [probe] allow: 10.0.0.0/33: the length is a number from 0 to 32" },
	{ HEAD "[resolver]\naddress = dns.example@53\n",
	    "f:6: [resolver] address: dns.example@53: expected ADDRESS@PORT, IPv4 or IPv6, no "
	    "names" },
	{ HEAD "[geo]\ndatabase = a.mmdb\n", "f:6: [geo] database: expected an absolute path" },
};

static void
test_refusals(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ns_why why = { 0 };
		struct config c;

		if (config_parse("f", bad[i].text, &c, &why) != NS_USAGE ||
		    strcmp(why.text, bad[i].error) != 0)
			fail_msg("%zu: got \"%s\", not \"%s\"", i, why.text, bad[i].error);
	}
}

static void
test_defaults(void **state)
{
	struct ns_why why = { 0 };
	struct config c;

	(void)state;
	assert_int_equal(config_parse("f", HEAD, &c, &why), NS_OK);
	assert_string_equal(c.pb.name, "fra1-a");
	assert_string_equal(c.pb.role, "primary");
	assert_string_equal(c.pb.data, "/var/lib/nameserve");
	assert_string_equal(c.pb.run, "/run/nameserve");
	assert_true(c.pb.workers >= 1 && c.pb.workers <= 128);
	assert_true(c.pb.map_limit == 8ull << 30);
	assert_int_equal(c.pb.rrl, 200);
	assert_int_equal(c.pb.n_dns_listen, 1);
	assert_string_equal(c.pb.kek, "");
	config_free(&c);
}

/* Every key of the contract, with comments, blanks and DOS line ends. */
static void
test_everything(void **state)
{
	static const char text[] =
	    "; the whole of it\r\n[appliance]\r\nname = fra1-a   ; unique\r\nrole=primary\r\n"
	    "site = fra1\nrun = /r/\ndata = /d//\n\n[dns]\n"
	    "listen = 127.0.0.1@5300 , ::1@5300,192.0.2.1, 2001:DB8::0:1@53\n"
	    "tls = 127.0.0.1@8853\ncert = /c\nkey = /k\nworkers = 128\nmap_limit = 512M\nrrl = 0\n"
	    "[fleet]\nlisten = tcp://127.0.0.1:7300\nadvertise = tcp://192.0.2.1:7300\n"
	    "[api]\nlisten = http://127.0.0.1:8053\n[keys]\nkek = /etc/nameserve/kek\n"
	    "[probe]\nallow = 127.0.0.0/8, ::1\n[resolver]\naddress = 192.0.2.53@53\n"
	    "[geo]\ndatabase = /g/a.mmdb,/g/b.mmdb";
	struct ns_why why = { 0 };
	struct config c;
	char name[64];

	(void)state;
	if (config_parse("f", text, &c, &why) != NS_OK)
		fail_msg("%s", why.text);
	assert_string_equal(c.pb.run, "/r");
	assert_string_equal(c.pb.data, "/d");
	assert_int_equal(c.pb.n_dns_listen, 4);
	assert_string_equal(c.pb.dns_listen[2], "192.0.2.1@53");
	assert_string_equal(c.pb.dns_listen[3], "2001:db8::1@53");
	assert_int_equal(c.pb.workers, 128);
	assert_true(c.pb.map_limit == 512ull << 20);
	assert_int_equal(c.pb.rrl, 0);
	assert_string_equal(c.pb.fleet->advertise, "tcp://192.0.2.1:7300");
	assert_string_equal(c.pb.probe_allow[1], "::1/128");
	assert_int_equal(c.pb.n_geo_database, 2);
	assert_string_equal(config_key_name(0, name, sizeof name), "[appliance] name");
	assert_null(config_key_name(CONFIG_KEYS_MAX, name, sizeof name));
	config_free(&c);
}

static void
test_long_lines(void **state)
{
	static char text[4096];
	struct ns_why why = { 0 };
	struct config c;
	size_t used = (size_t)snprintf(text, sizeof text, "%s", HEAD "cert = /");

	(void)state;
	memset(text + used, 'a', 2000);
	assert_int_equal(config_parse("f", text, &c, &why), NS_USAGE);
	assert_string_equal(why.text, "f:5: the line is too long");
	assert_int_equal(why.line, 5);
	text[used + 1000] = '\0'; /* 1,008 characters: fits, and is not cut */
	if (config_parse("f", text, &c, &why) != NS_OK)
		fail_msg("%s", why.text);
	assert_int_equal(strlen(c.pb.dns_cert), 1001);
	config_free(&c);
}

static void
test_differences(void **state)
{
	struct config a, b;
	struct ns_why why;

	(void)state;
	assert_int_equal(config_parse("f", HEAD, &a, &why), NS_OK);
	assert_int_equal(config_parse("f", HEAD "rrl = 5\n", &b, &why), NS_OK);
	assert_true(config_key_same(&a, &b, 0));
	assert_false(config_key_same(&a, &b, 11));
	config_free(&a);
	config_free(&b);
}

static void
test_no_file(void **state)
{
	struct ns_why why = { 0 };
	struct config c;

	(void)state;
	assert_int_equal(config_load("/nonexistent/f", &c, &why), NS_USAGE);
	assert_string_equal(why.text, "/nonexistent/f: cannot be read: No such file or directory");
}

static void
test_below(void **state)
{
	(void)state;
	assert_true(config_path_below("/a/b/c", "/a/b"));
	assert_true(config_path_below("/a/b", "/a/b/"));
	assert_true(config_path_below("/a/../a/b/x", "/a/b"));
	assert_false(config_path_below("/a/bc", "/a/b"));
	assert_false(config_path_below("/a/b/../c", "/a/b"));
	assert_false(config_path_below("/a", "/a/b"));
	assert_true(config_path_below("/proc/self/root/a/b/c", "/a/b"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

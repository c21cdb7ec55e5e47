/* address.c - see address.h. */
#include "tests/lib/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

struct sockaddr_storage
sockaddr_of(const char *text)
{
	struct sockaddr_storage s = { .ss_family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET };
	void *at = s.ss_family == AF_INET ? (void *)&((struct sockaddr_in *)&s)->sin_addr
					  : (void *)&((struct sockaddr_in6 *)&s)->sin6_addr;

	assert_int_equal(inet_pton(s.ss_family, text, at), 1);
	return s;
}

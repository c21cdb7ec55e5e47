/* address - the address of a client, as text. */
#ifndef NS_TESTS_LIB_ADDRESS_H
#define NS_TESTS_LIB_ADDRESS_H

#include <sys/socket.h>

/* IPv4 or IPv6, port 0; asserts that it is one. */
struct sockaddr_storage	 sockaddr_of(const char *text);

#endif

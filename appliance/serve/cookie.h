/* cookie - the server cookie of RFC 9018, which every server of an anycast address makes alike.
 *
 *     client cookie 8 | version 1, reserved 3, time 4, hash 8
 *     hash = SipHash-2-4(secret; all before it | the client's address)
 *
 * Pure: secrets, address and time are arguments.  Worker's thread, once per query that has a cookie. */
#ifndef NS_SERVE_COOKIE_H
#define NS_SERVE_COOKIE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "appliance/zonemap/map.h"

#define COOKIE_CLIENT	8u
#define COOKIE_MIN	16u			/* with a server cookie, of whatever make (RFC 7873 4) */
#define COOKIE_MAX	40u
#define COOKIE_OURS	24u			/* with one of RFC 9018 */
/* RFC 9018 4.3 */
#define COOKIE_PAST_S	3600
#define COOKIE_FUTURE_S	300
#define COOKIE_RENEW_S	1800

enum cookie_state {
	COOKIE_BAD,
	COOKIE_OLD,				/* valid; the reply should bring a new one */
	COOKIE_GOOD,
};

/* A secret, and an address that the cookie can be bound to. */
static inline bool
cookie_can(const struct map_cookie *c, const struct sockaddr_storage *client)
{
	return c->count > 0 && (client->ss_family == AF_INET || client->ss_family == AF_INET6);
}

/* Is that a client cookie with a server cookie of ours behind it? */
enum cookie_state	 cookie_check(const struct map_cookie *,
			    const struct sockaddr_storage *client, uint32_t now_s,
			    const uint8_t cookie[COOKIE_OURS]);
/* Puts a new server cookie behind the client cookie. */
void	 cookie_make(const struct map_cookie *, const struct sockaddr_storage *client,
	    uint32_t now_s, uint8_t cookie[COOKIE_OURS]);

#endif

/* token - an invitation as one line of text: `nsj1-` and base64url of
 *   u8 length, endpoint   u8 length, name   32 octets: the primary's CURVE public key
 *   32 octets: a CURVE secret key made for this invitation   4 octets: SHA-256 of all before
 * Pure.  Whoever has the line may enrol as NAME, once, until it expires; nothing else. */
#ifndef NS_FLEET_TOKEN_H
#define NS_FLEET_TOKEN_H

#include "appliance/fleet/endpoint.h"
#include "appliance/fleet/key.h"

#define TOKEN_NAME 64u
#define TOKEN_TEXT 384u /* room for the longest one */

struct token {
	char endpoint[ENDPOINT_MAX], name[TOKEN_NAME];
	uint8_t primary[FLEET_KEY], secret[FLEET_KEY];
};

void token_write(const struct token *, char out[TOKEN_TEXT]);
/* White space around it is nothing.  NS_USAGE with a sentence that holds nothing of the token. */
enum ns_err token_read(const char *text, struct token *, struct ns_why *)
    __attribute__((warn_unused_result));

#endif

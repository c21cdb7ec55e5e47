/* ede.c - why the answer is what it is, for people: extended DNS errors, RFC 8914. */
#include <string.h>

#include "appliance/serve/work.h"
#include "ipc/base/wbuf.h"

#define OPTION_CODE_EDE 15u
#define EDE_HEAD        6u /* option's code and length, info code */

/* RFC 8914 4 */
enum info_code {
	INFO_OTHER = 0,
	INFO_STALE = 3,
	INFO_EXPIRED = 7,
	INFO_NOT_YET = 8,
	INFO_NO_DNSKEY = 9,
	INFO_NO_RRSIG = 10,
	INFO_PROHIBITED = 18,
	INFO_NOT_AUTHORITATIVE = 20,
	INFO_NOT_SUPPORTED = 21,
	INFO_NO_AUTHORITY = 22,
};

static const struct reason {
	uint16_t code;
	const char *text;
} reasons[] = {
	[EDE_NOT_OURS] = { INFO_NOT_AUTHORITATIVE, "no zone here holds this name" },
	[EDE_NO_APEX] = { INFO_NOT_AUTHORITATIVE, "no zone begins at this name" },
	[EDE_CLASS] = { INFO_NOT_SUPPORTED, "only classes IN and CH are served" },
	[EDE_CHAOS] = { INFO_NOT_AUTHORITATIVE,
	    "class CH: TXT of version.bind and id.server, where they are told" },
	[EDE_OPCODE] = { INFO_NOT_SUPPORTED, "only opcode QUERY is served" },
	[EDE_TRANSFER] = { INFO_PROHIBITED, "zone transfers are not open to you" },
	[EDE_TRANSFER_UDP] = { INFO_NOT_SUPPORTED, "AXFR needs TCP" },
	[EDE_IMAGE] = { INFO_OTHER, "zone image damaged" },
	[EDE_CHAIN] = { INFO_OTHER, "alias chain is a loop or too long" },
	[EDE_ALIAS] = { INFO_NO_AUTHORITY, "no address of the ALIAS target is known" },
	[EDE_ALIAS_STALE] = { INFO_STALE, "the ALIAS target's addresses could not be refreshed" },
	[EDE_DNAME] = { INFO_OTHER, "DNAME leads to a name over 255 octets" },
	[EDE_EXPIRED] = { INFO_EXPIRED, "the zone has signatures that have expired" },
	[EDE_NOT_YET] = { INFO_NOT_YET, "the zone has signatures that are not valid yet" },
	[EDE_KEYLESS] = { INFO_NO_DNSKEY, "the zone has signatures, and no DNSKEY" },
	[EDE_BARE] = { INFO_NO_RRSIG, "the zone arrived signed, and without a signature of this" },
	[EDE_LAST_SIGNED] = { INFO_STALE,
	    "what health asks for is not signed yet: the last signed answer" },
	[EDE_UNSIGNED] = { INFO_NO_RRSIG, "no answer of the policy is signed" },
	[EDE_OPTIONS] = { INFO_OTHER, "EDNS options do not fit their record" },
	[EDE_COOKIE] = { INFO_OTHER, "COOKIE: not 8 or 16 to 40 octets" },
	[EDE_ECS] = { INFO_OTHER, "ECS: family, prefix or address is malformed" },
	[EDE_KEEPALIVE] = { INFO_OTHER, "tcp-keepalive: not empty" },
	[EDE_ZONEVERSION] = { INFO_OTHER, "ZONEVERSION: not empty" },
};

uint8_t *
ede_write(enum ede why, uint8_t *p, size_t room)
{
	const struct reason *r = &reasons[why];
	size_t len = strlen(r->text);

	if (room < EDE_HEAD)
		return p;
	/* RFC 8914 2: a text that is cut is worse than none. */
	if (room < EDE_HEAD + len)
		len = 0;
	put_u16(p, OPTION_CODE_EDE);
	put_u16(p + 2, (uint16_t)(2 + len));
	put_u16(p + 4, r->code);
	memcpy(p + EDE_HEAD, r->text, len);
	return p + EDE_HEAD + len;
}

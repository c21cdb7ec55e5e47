/* importparse - a zone file's text to a checked zone.  Text threads; one parser per file, fed by one
 * thread at a time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/codes.h"
#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zonecheck.h"
#include "appliance/dns/zonetext.h"
#include "appliance/sync/diff.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/import.h"
#include "ipc/base/xalloc.h"

struct import_parser {
	uint8_t apex[255];
	enum ns_err err;
	struct ns_why why;
	uint64_t octets;
	struct rrpile *pile;
	struct zonetext *text;
};

struct import_parser *
import_parser_new(const char *zone)
{
	struct import_parser *p = xcalloc(1, sizeof *p);

	p->err = zone_name_read(zone, p->apex, &p->why);
	if (p->err != NS_OK)
		return p;
	p->pile = rrpile_new();
	p->text = zonetext_new(p->apex, p->pile);
	return p;
}

void
import_parser_destroy(struct import_parser **pp)
{
	struct import_parser *p = *pp;

	if (p == NULL)
		return;
	zonetext_destroy(&p->text);
	rrpile_destroy(&p->pile);
	free(p);
	*pp = NULL;
}

void
import_parser_feed(struct import_parser *p, const void *text, size_t len)
{
	if (p->err != NS_OK)
		return;
	p->octets += len;
	if (p->octets > IMPORT_FILE_MAX)
		p->err = ns_fail(&p->why, NS_INVALID, ES_FILE_SIZE,
		    "the file is larger than %llu MiB, the most that one zone may have",
		    IMPORT_FILE_MAX >> 20);
	else
		p->err = zonetext_feed(p->text, text, len, &p->why);
	if (p->err != NS_OK) { /* what is left of the file is not kept */
		zonetext_destroy(&p->text);
		rrpile_clear(p->pile);
	}
}

bool
import_parser_failed(const struct import_parser *p)
{
	return p->err != NS_OK;
}

/* The check knows owner and type; the pile knows the line they stand in. */
static void
add_line(struct import_parser *p)
{
	uint8_t owner[NAME_MAX_WIRE];
	size_t len;

	if (p->why.line != 0 || p->why.owner[0] == '\0' ||
	    name_from_text(p->why.owner, p->apex, owner, &len, NULL) != NS_OK)
		return;
	name_lower(owner, owner, len);
	p->why.line = rrpile_line(p->pile, owner, rrtype_from_text(p->why.type));
}

static enum ns_err
check(struct import_parser *p, struct import_zone *z)
{
	struct zwire_view *view;
	enum ns_err err = rrpile_to_zwire(p->pile, &z->zwire, &z->records, &p->why);

	if (err == NS_OK && !wbuf_ok(&z->zwire))
		err = ns_fail(&p->why, NS_INVALID, ES_FILE_SIZE, "the zone is too large");
	if (err == NS_OK && z->zwire.len == 0)
		err = ns_fail(&p->why, NS_INVALID, ES_EMPTY, "the file holds no record");
	if (err != NS_OK)
		return err;
	view = zwire_view_new(p->apex, z->zwire.base, z->zwire.len);
	err = zonecheck_all(zwire_view_get(view), NULL, NULL, &p->why);
	zwire_view_destroy(&view);
	if (err == NS_OK &&
	    !soa_serial_find(p->apex, z->zwire.base, z->zwire.len, NULL, &z->serial))
		err = ns_fail(&p->why, NS_INVALID, ES_EMPTY, "the zone has no SOA record");
	z->external = zwire_is_signed(z->zwire.base, z->zwire.len);
	if (err == NS_OK && z->external && zonetext_policies(p->text) > 0)
		err = ns_fail(&p->why, NS_INVALID, E_POLICY_PLACE,
		    "the file has signatures and a policy: what a policy answers nobody has "
		    "signed");
	if (err == NS_OK && z->external && zonetext_aliases(p->text) > 0)
		err = ns_fail(&p->why, NS_INVALID, E_ALIAS,
		    "the file has signatures and an ALIAS: what its target has nobody has signed");
	return err;
}

void
import_parser_end(struct import_parser *p, struct import_zone *z)
{
	z->zwire = wbuf_grow(IMPORT_ZONE_MAX);
	if (p->err == NS_OK)
		p->err = zonetext_end(p->text, &p->why);
	if (p->err == NS_OK && (p->err = check(p, z)) != NS_OK)
		add_line(p);
	if (p->err != NS_OK) {
		wbuf_free(&z->zwire);
		z->outcome = IMPORT_FAILED;
		z->why = p->why;
		return;
	}
	memcpy(z->name, p->apex, name_len(p->apex));
	z->policies = zonetext_policies(p->text) > 0;
}

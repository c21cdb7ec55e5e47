/* parent_take - what a server of the parent answered, as facts.  Pure.
 *
 * A delegation is a referral: NS of the zone in the authority section, addresses of those below it beside
 * (RFC 1034 4.3.2).  A server that has the zone itself answers with the zone's own NS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/probe/packet.h"
#include "appliance/probe/parent.h"
#include "ipc/base/xalloc.h"

#define NXDOMAIN 3

static void
set_fault(Ns__ParentReply__Server *s, char *text)
{
	if (s->fault != (const char *)protobuf_c_empty_string)
		free(s->fault);
	s->fault = text;
}

static ProtobufCBinaryData
copy_of(const uint8_t *data, size_t len)
{
	return (ProtobufCBinaryData){ .len = len, .data = xmemdup(data, len) };
}

static bool
has(const ProtobufCBinaryData *list, size_t n, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].len == len && memcmp(list[i].data, data, len) == 0)
			return true;
	return false;
}

static void
add(ProtobufCBinaryData **list, size_t *n, size_t most, const uint8_t *data, size_t len)
{
	if (*n == most || has(*list, *n, data, len))
		return;
	*list = xreallocarray(*list, *n + 1, sizeof **list);
	(*list)[(*n)++] = copy_of(data, len);
}

static void
add_name(Ns__ParentReply__Server *s, const struct packet_record *r)
{
	uint8_t name[NAME_MAX_WIRE];

	name_lower(name, r->rdata, r->len);
	add(&s->ns, &s->n_ns, PARENT_NS, name, r->len);
}

static void
add_glue(Ns__ParentReply__Server *s, const struct packet_record *r)
{
	Ns__ParentReply__Glue *g;

	if (s->n_glue == PARENT_GLUE || !has(s->ns, s->n_ns, r->owner, name_len(r->owner)))
		return;
	g = xmalloc(sizeof *g);
	ns__parent_reply__glue__init(g);
	g->name = copy_of(r->owner, name_len(r->owner));
	g->address = copy_of(r->rdata, r->len);
	s->glue = xreallocarray(s->glue, s->n_glue + 1, sizeof(Ns__ParentReply__Glue *));
	s->glue[s->n_glue++] = g;
}

/* A referral that does not name the zone: to something in between, or back up. */
static void
other_referral(Ns__ParentReply__Server *s, const uint8_t *parent, const uint8_t *owner)
{
	char text[NAME_MAX_TEXT];

	if (name_is_below(owner, parent))
		set_fault(s, xasprintf("it refers to %s", name_to_text(owner, text)));
	else
		set_fault(s, xasprintf("it does not serve %s", name_to_text(parent, text)));
}

void
parent_take_ns(
    Ns__ParentReply__Server *s, const uint8_t *zone, const uint8_t *parent, const struct packet *p)
{
	const uint8_t *other = NULL;
	bool soa = false;

	s->nxdomain = p->rcode == NXDOMAIN;
	for (size_t i = 0; i < p->n; i++) {
		const struct packet_record *r = &p->records[i];

		soa = soa || (r->type == RR_SOA && r->section == SECTION_AUTHORITY);
		if (r->type != RR_NS || r->section == SECTION_ADDITIONAL)
			continue;
		if (!name_equal(r->owner, zone)) {
			other = r->section == SECTION_AUTHORITY ? r->owner : other;
			continue;
		}
		add_name(s, r);
		s->authoritative = s->authoritative || (p->aa && r->section == SECTION_ANSWER);
	}
	for (size_t i = 0; i < p->n; i++)
		if (p->records[i].section == SECTION_ADDITIONAL &&
		    (p->records[i].type == RR_A || p->records[i].type == RR_AAAA))
			add_glue(s, &p->records[i]);
	if (s->n_ns == 0 && !s->nxdomain && !soa && !p->aa && other != NULL)
		other_referral(s, parent, other);
	else if (p->rcode != 0 && !s->nxdomain)
		set_fault(s, xasprintf("it answered rcode %u", p->rcode));
}

void
parent_take_ds(Ns__ParentReply__Server *s, const uint8_t *zone, const struct packet *p)
{
	bool referral = false;

	for (size_t i = 0; i < p->n; i++) {
		const struct packet_record *r = &p->records[i];

		if (r->type == RR_DS && r->section == SECTION_ANSWER && name_equal(r->owner, zone))
			add(&s->ds, &s->n_ds, PARENT_DS, r->rdata, r->len);
		referral = referral || (r->type == RR_NS && r->section == SECTION_AUTHORITY);
	}
	/* Without AA it is the word of somebody who has it from elsewhere, or of nobody. */
	s->ds_known =
	    p->aa && (p->rcode == 0 || p->rcode == NXDOMAIN) && (s->n_ds > 0 || !referral);
}

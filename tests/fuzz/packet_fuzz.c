/* packet_fuzz - any octets as a reply to the probe's questions: what is taken keeps its own rules, and what
 * is made of it does too. */
// link: appliance/probe/packet.c appliance/probe/parent_take.c
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/probe/packet.h"
#include "appliance/probe/parent.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(const struct packet *p)
{
	assert(p->n <= PACKET_RECORDS);
	for (size_t i = 0; i < p->n; i++) {
		const struct packet_record *r = &p->records[i];

		assert(r->section < SECTION_MAX);
		assert(name_check(r->owner, sizeof r->owner) == name_len(r->owner));
		assert(rdata_check(r->type, r->rdata, r->len, NULL) == NS_OK);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = { RR_NS, RR_DS };
	struct packet_question q = { .name = "\1z\2ex" };
	struct packet p;

	/* The first two octets are the id, whichever it is; the question is that of the seeds. */
	for (size_t i = 0; size >= 2 && i < 2; i++) {
		Ns__ParentReply__Server *s = malloc(sizeof *s);

		assert(s != NULL);
		ns__parent_reply__server__init(s);
		q.type = types[i];
		if (packet_read(data, size, get_u16(data), &q, &p) == PACKET_GOOD) {
			check(&p);
			if (q.type == RR_NS)
				parent_take_ns(s, q.name, q.name + 2, &p);
			else
				parent_take_ds(s, q.name, &p);
			assert(s->n_ns <= PARENT_NS && s->n_glue <= PARENT_GLUE &&
			       s->n_ds <= PARENT_DS);
		}
		packet_free(&p);
		protobuf_c_message_free_unpacked(&s->base, NULL);
	}
	return 0;
}

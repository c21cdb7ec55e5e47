/* reply.c - beginning and ending a reply: header, question, counts; see work.h. */
#include <string.h>

#include "appliance/serve/work.h"
#include "ipc/base/copy.h"
#include "ipc/base/wbuf.h"

#define FLAG_QR 0x80u /* octet 2 */
#define FLAG_AA 0x04u
#define FLAG_TC 0x02u
#define COPIED  0x79u /* opcode and RD (RFC 1035 4.1.1) */

static void
copy_question(uint8_t *out, const struct query *q, size_t n)
{
	/* One size for nearly all: the OPT record behind the question makes the packet long enough,
	 * and is overwritten. */
	if (n <= 32 && q->len >= DNS_HEADER + 32)
		memcpy(out + DNS_HEADER, q->pkt + DNS_HEADER, 32);
	else
		copy_octets(out + DNS_HEADER, q->pkt + DNS_HEADER, n);
}

void
reply_begin(
    struct reply *r, const struct serve_conf *conf, const struct map_view *view, struct query *q)
{
	struct work *w = work_of(q);
	size_t question = w->has_question ? w->qlen + 4u : 0;
	size_t cap = w->limit < q->out_cap ? w->limit : q->out_cap;

	r->conf = conf;
	r->view = view;
	r->q = q;
	r->w = w;
	r->out = q->out;
	r->rcode = 0;
	r->aa = r->tc = r->silent = false;
	r->class = SERVE_CLASS_POSITIVE;
	r->nsent = r->nwaiting = 0;
	r->denial = NULL;
	memset(r->count, 0, sizeof r->count);
	/* The question goes back byte for byte: its case is what some askers check. */
	memcpy(r->out, q->pkt, 4);
	if (question > 0)
		copy_question(r->out, q, question);
	r->len = DNS_HEADER + question;
	r->limit = cap - (w->edns ? w->opt_len : 0);
	if (r->limit < r->len)
		r->limit = r->len;
}

static enum serve_class
class_of(const struct reply *r)
{
	if (r->rcode == RCODE_NXDOMAIN)
		return SERVE_CLASS_NXDOMAIN;
	return r->rcode == RCODE_NOERROR || r->rcode == RCODE_YXDOMAIN ? r->class
								       : SERVE_CLASS_ERROR;
}

void
reply_end(struct reply *r)
{
	struct query *q = r->q;
	uint8_t *h = r->out;

#ifdef NS_BREAK_aa
	r->aa = false;
#endif
#ifdef NS_BREAK_tc
	r->tc = false;
#endif
	edns_write(r);
	h[2] = (uint8_t)(FLAG_QR | (q->pkt[2] & COPIED) | (r->aa ? FLAG_AA : 0) |
			 (r->tc ? FLAG_TC : 0));
	h[3] = r->rcode & 0x0fu; /* RA, Z, AD and CD: 0, as we neither recurse nor validate */
	put_u16(h + 4, r->w->has_question ? 1 : 0);
	for (unsigned i = 0; i < 3; i++)
		put_u16(h + 6 + 2 * i, r->count[i]);
	q->out_len = r->len;
	q->rcode = r->rcode;
	q->truncated = r->tc;
	q->class = class_of(r);
	q->verdict = r->silent ? SERVE_DROP : SERVE_REPLY;
	r->w->done = true;
}

void
reply_error(const struct serve_conf *conf, struct query *q, uint8_t rcode)
{
	struct reply r;

	reply_begin(&r, conf, NULL, q);
	r.rcode = rcode;
	r.class = SERVE_CLASS_ERROR;
	reply_end(&r);
}

void
serve_truncate(const struct serve_conf *conf, struct query *q)
{
	struct reply r;

	/* Never longer than the question needs: this goes to whom a forger names. */
	work_of(q)->ede = EDE_NONE;
	reply_begin(&r, conf, NULL, q);
	r.class = q->class;
	r.tc = true;
	reply_end(&r);
}

/* explain - see explain.h.
 *
 * This process has no page that would hold blocks for it, so what it reads may be reused meanwhile: an
 * answer counts only when the map's root is the same after as before. */
#include "appliance/answer/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/answer/explainsign.h"
#include "appliance/dns/name.h"
#include "appliance/zonemap/image_read.h"
#include "ipc/base/clock.h"

#define TRIES        16
#define CODE_NOTHING 1302
#define CODE_DRAFT   1303

static void
on_step(void *arg, const char *step, const char *text)
{
	struct explain *x = arg;
	size_t i = x->n;

	if (i == EXPLAIN_STEPS)
		return;
	snprintf(x->step[i], sizeof x->step[i], "%s", step);
	snprintf(x->text[i], sizeof x->text[i], "%s", text);
	ns__test_reply__step__init(&x->steps[i]);
	x->steps[i].step = x->step[i];
	x->steps[i].text = x->text[i];
	x->list[i] = &x->steps[i];
	x->n++;
}

static void
say_zone(struct explain *x, const struct map_view *view, const struct query *q)
{
	uint8_t name[NAME_MAX_WIRE];
	char text[NAME_MAX_TEXT], line[256];
	const uint8_t *apex;
	size_t len = 0;

	if (q->zone == 0) {
		on_step(x, "zone", "no zone of ours holds the name");
		return;
	}
	apex = map_image_apex(view, q->zone, &len);
	if (apex == NULL || len > sizeof name)
		return;
	memcpy(name, apex, len);
	if (name_check(name, len) != len)
		return;
	snprintf(line, sizeof line, "%.250s", name_to_text(name, text));
	on_step(x, "zone", line);
}

static void
say_answer(struct explain *x, const struct query *q, bool by_policy)
{
	static const char *const classes[SERVE_CLASSES] = {
		[SERVE_CLASS_ERROR] = "an error",
		[SERVE_CLASS_POSITIVE] = "records",
		[SERVE_CLASS_WILDCARD] = "records, made from a wildcard or a DNAME",
		[SERVE_CLASS_NODATA] = "the name exists, and has nothing of that type to give",
		[SERVE_CLASS_NXDOMAIN] = "there is no such name",
		[SERVE_CLASS_REFERRAL] = "a referral to another zone's name servers",
	};
	char line[128];

	if (q->verdict == SERVE_DROP) {
		on_step(x, "answer", "none is sent");
		return;
	}
	snprintf(line, sizeof line, "%s%s", classes[q->class],
	    by_policy || q->class == SERVE_CLASS_ERROR ? "" : ", as the zone has them: no policy");
	on_step(x, "answer", line);
}

static void
set_client(struct query *q, const ProtobufCBinaryData *client)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&q->client;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&q->client;

	if (client->len == 4) {
		v4->sin_family = AF_INET;
		memcpy(&v4->sin_addr, client->data, 4);
	} else if (client->len == 16) {
		v6->sin6_family = AF_INET6;
		memcpy(&v6->sin6_addr, client->data, 16);
	}
}

/* ---- with drafts ---- */

static enum ns_err
draw(struct explain *x, const Ns__FeedZone *in, struct ns_why *why)
{
	struct sketch_edit edit = { .apex = in->name.data,
		.base_version = in->base_version,
		.zwire = in->zwire.data,
		.len = in->zwire.len,
		.gone = in->gone.data,
		.gone_len = in->gone.len };
	char text[NAME_MAX_TEXT], line[256];
	struct ns_why below = { 0 };
	enum ns_err err;

	if (in->name.len > NAME_MAX_WIRE || name_check(in->name.data, in->name.len) != in->name.len)
		return ns_fail(why, NS_CORRUPT, CODE_DRAFT, "a draft without a zone");
	name_to_text(in->name.data, text);
	if ((err = sketch_zone(x->sketch, &edit, &below)) != NS_OK)
		return ns_fail(why, err, CODE_DRAFT, "%.200s: %.280s", text, below.text);
	snprintf(line, sizeof line, "%.200s as the draft would make it", text);
	on_step(x, "draft", line);
	return NS_OK;
}

static enum ns_err
draw_all(struct explain *x, const Ns__Explain *ask, struct map_view *view, struct ns_why *why)
{
	enum ns_err err;

	if (x->sketch == NULL)
		return ns_fail(why, NS_FAILED, CODE_DRAFT, "there is no memory for drafts");
	err = sketch_begin(x->sketch, why);
	for (size_t i = 0; i < ask->n_drafts && err == NS_OK; i++)
		err = draw(x, ask->drafts[i], why);
	*view = *sketch_view(x->sketch);
	return err;
}

/* ---- asking ---- */

static bool
is_signed(const struct map_view *view, map_off zone)
{
	struct image_ref ref;

	return zone != 0 && image_open(view, zone, &ref) && (ref.image->flags & IMAGE_SIGNED) != 0;
}

/* Who did not ask for signatures is told all the same which ones there are: of the same choice, with DO. */
static void
say_signatures(
    struct explain *x, const struct map_view *view, const struct query *asked, uint64_t random)
{
	static uint8_t query[EXPLAIN_QUERY], reply[SERVE_TCP_MAX];
	static struct query q;
	struct serve_conf conf = x->conf;
	bool had = false;

	if (!is_signed(view, asked->zone))
		return;
	memset(&q, 0, sizeof q);
	q.pkt = query;
	q.len = explain_with_do(asked->pkt, asked->len, query, sizeof query, &had);
	if (q.len == 0 || asked->verdict != SERVE_REPLY)
		return;
	if (had) {
		q.out = asked->out;
		q.out_len = asked->out_len;
		q.policy_unsigned = asked->policy_unsigned;
	} else {
		conf.trace = NULL;
		conf.random = &random;
		q.out = reply;
		q.out_cap = sizeof reply;
		q.transport = SERVE_TCP;
		q.client = asked->client;
		serve_batch(&conf, view, &q, 1);
	}
	if (q.policy_unsigned)
		on_step(
		    x, "sign", "what this asks for is not signed yet: the nearest that is is sent");
	explain_sign(q.out, q.out_len, on_step, x);
}

static void
answer(struct explain *x, const struct map_view *view, const Ns__Explain *ask)
{
	static struct query q;
	uint64_t random = x->random;
	size_t before = x->n;
	bool by_policy;

	memset(&q, 0, sizeof q);
	q.pkt = ask->query.data;
	q.len = ask->query.len;
	q.out = x->reply;
	q.out_cap = ask->udp ? SERVE_UDP_MAX : sizeof x->reply;
	q.transport = ask->udp ? SERVE_UDP : SERVE_TCP;
	set_client(&q, &ask->client);
	serve_batch(&x->conf, view, &q, 1);
	x->reply_len = q.verdict == SERVE_REPLY ? q.out_len : 0;
	by_policy = x->n > before;
	say_zone(x, view, &q);
	say_signatures(x, view, &q, random);
	say_answer(x, &q, by_policy);
}

/* From what is served, or from a sketch of it; both are only right when nothing was published meanwhile. */
static enum ns_err
ask_once(struct explain *x, const struct map *map, const Ns__Explain *ask, struct ns_why *why)
{
	struct map_view view;
	struct map_root *root = NULL;
	enum ns_err err = NS_OK;

	x->n = 0;
	if (ask->n_drafts > 0)
		err = draw_all(x, ask, &view, why);
	else if ((root = map_glance(map, &view)) == NULL)
		err = ns_fail(why, NS_UNAVAILABLE, CODE_NOTHING, "nothing is loaded yet");
	if (err == NS_OK)
		answer(x, &view, ask);
	free(root);
	if (ask->n_drafts > 0 && x->sketch != NULL)
		sketch_end(x->sketch);
	return err;
}

enum ns_err
explain_ask(struct explain *x, const struct map *map, const Ns__Explain *ask, struct ns_why *why)
{
	uint64_t revision, before, after;
	enum ns_err err;

	x->conf.now_s = clock_wall_s();
	x->conf.random = &x->random;
	x->conf.trace = on_step;
	x->conf.trace_arg = x;
	for (unsigned i = 0; i < TRIES; i++) {
		if (!map_published(map, &revision, &before))
			break;
		err = ask_once(x, map, ask, why);
		if (map_published(map, &revision, &after) && after == before)
			return err;
	}
	return ns_fail(why, NS_UNAVAILABLE, CODE_NOTHING,
	    "nothing is loaded yet that could be asked, or it changes too fast");
}

/* prober_dns - one question to a name server: NOERROR with an answer is good. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/probe/lookup.h"
#include "appliance/probe/prober.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

struct probe_run {
	struct probe_end end;
	struct event *timer;
	struct lookup *lookup;
	uint64_t began_ns;
};

static void
cancel(struct probe_run *p)
{
	lookup_cancel(&p->lookup);
	event_free(p->timer);
	free(p);
}

static void
finish(struct probe_run *p, bool good, const char *reason)
{
	if (good)
		p->end.result.rtt_us = (uint32_t)((clock_mono_ns() - p->began_ns) / 1000);
	prober_finish(cancel, p, &p->end, good, reason);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish(arg, false, "no answer in time");
}

static void
on_answer(void *arg, const struct packet *packet, const char *fault)
{
	struct probe_run *p = arg;
	bool answer = false;

	p->lookup = NULL; /* it is gone after this call */
	for (size_t i = 0; packet != NULL && i < packet->n; i++)
		answer = answer || packet->records[i].section == SECTION_ANSWER;
	if (packet == NULL)
		finish(p, false, fault);
	else if (packet->rcode != 0)
		finish(
		    p, false, packet->rcode == 3 ? "it answered NXDOMAIN" : "it answered an error");
	else
		finish(p, answer, answer ? "answered" : "it answered without a record");
}

static uint16_t
type_number(const char *text)
{
	static const struct {
		const char *text;
		uint16_t number;
	} types[] = { { "A", 1 }, { "NS", 2 }, { "SOA", 6 }, { "MX", 15 }, { "TXT", 16 },
		{ "AAAA", 28 } };

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (strcmp(types[i].text, text) == 0)
			return types[i].number;
	return 6;
}

static bool
name_of(const char *text, uint8_t wire[255])
{
	size_t at = 0;

	while (*text != '\0' && strcmp(text, ".") != 0) {
		size_t len = strcspn(text, ".");

		if (len == 0 || len > 63 || at + 1 + len > 253)
			return false;
		wire[at++] = (uint8_t)len;
		for (size_t i = 0; i < len; i++, at++)
			wire[at] =
			    (uint8_t)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i]);
		text += len + (text[len] == '.');
	}
	wire[at] = 0;
	return true;
}

static struct probe_run *
start(const struct prober_conf *conf, const Ns__Check *check, const struct target *target,
    prober_fn *fn, void *arg)
{
	struct timeval late = prober_time(check->timeout);
	struct lookup_ask ask = { .nservers = 1 };
	struct probe_run *p;

	ask.servers[0] = *target;
	ask.question.type = type_number(check->query_type);
	if (!name_of(check->query, ask.question.name))
		return NULL;
	p = xcalloc(1, sizeof *p);
	p->end.fn = fn;
	p->end.arg = arg;
	p->began_ns = clock_mono_ns();
	p->lookup = lookup_start(conf->base, &ask, on_answer, p);
	p->timer = evtimer_new(conf->base, on_timer, p);
	if (p->timer == NULL)
		abort(); /* out of memory: we stop */
	if (p->lookup == NULL) {
		event_free(p->timer);
		free(p);
		return NULL;
	}
	(void)event_add(p->timer, &late);
	return p;
}

const struct prober prober_dns = { "dns", start, cancel };

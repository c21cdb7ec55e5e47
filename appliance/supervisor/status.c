/* status - what sync is told about the processes, and what is wrong with the host.
 *
 * A ProcessTable datagram at every change (gathered for a few milliseconds) and once a second, to
 * those who want it; one that does not fit in the pair is dropped, the next is on its way. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/event.h>

#include "appliance/supervisor/supervisor.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define GATHER_MS 5
#define USAGE_MS  10000 /* between two looks at the memory */

void
status_problem(struct supervisor *s, const char *code, const char *fmt, ...)
{
	struct problem *p = &s->problems[s->nproblems];
	va_list ap;
	size_t i;

	for (i = 0; i < s->nproblems; i++)
		if (strcmp(s->problems[i].code, code) == 0)
			return; /* said once is enough: it is the same of every socket */
	if (s->nproblems == PROBLEMS_MAX)
		return;
	snprintf(p->code, sizeof p->code, "%s", code);
	va_start(ap, fmt);
	vsnprintf(p->text, sizeof p->text, fmt, ap);
	va_end(ap);
	s->nproblems++;
	status_changed(s);
	log_warn("problem", "code=%s text=%s", code, log_quote(p->text));
}

void
status_problem_end(struct supervisor *s, const char *code)
{
	size_t i;

	for (i = 0; i < s->nproblems; i++) {
		if (strcmp(s->problems[i].code, code) != 0)
			continue;
		memmove(&s->problems[i], &s->problems[i + 1],
		    (s->nproblems - i - 1) * sizeof *s->problems);
		s->nproblems--;
		status_changed(s);
		return;
	}
}

/* n, or one more: several that say the same (a kernel's lack) say it once. */
static size_t
add_problem(Ns__StatusReply__Problem *out, size_t n, size_t max, const char *code, const char *text)
{
	size_t i;

	if (text[0] == '\0' || n == max)
		return n;
	for (i = 0; i < n; i++)
		if (strcmp(out[i].text, text) == 0)
			return n;
	ns__status_reply__problem__init(&out[n]);
	out[n].code = (char *)(uintptr_t)code;
	out[n].text = (char *)(uintptr_t)text;
	return n + 1;
}

static size_t
add_child_problems(const struct supervisor *s, Ns__StatusReply__Problem *out, size_t n, size_t max)
{
	size_t i;

	for (i = 0; i < s->nchildren; i++) {
		const struct child *c = &s->children[i];

		n = add_problem(out, n, max, role_name(c->spec->role), c->problem);
		n = add_problem(out, n, max, "late", c->late);
	}
	return n;
}

static void
fill_process(const struct child *c, uint64_t now_ms, Ns__StatusReply__Process *p)
{
	ns__status_reply__process__init(p);
	p->role = (char *)(uintptr_t)role_name(c->spec->role);
	p->index = c->index;
	p->pid = c->pid;
	p->state = (char *)(uintptr_t)child_state_name(c->state);
	p->restarts = c->restarts;
	p->uptime_s = c->pid != 0 ? (double)clock_since(now_ms, c->started_ms) / 1000.0 : 0;
}

size_t
status_pack(const struct supervisor *s, uint64_t now_ms, uint8_t **out)
{
	Ns__ProcessTable m = NS__PROCESS_TABLE__INIT;
	Ns__StatusReply__Process *procs = xcalloc(s->nchildren + 1, sizeof *procs);
	Ns__StatusReply__Process **plist = xcalloc(s->nchildren + 1, sizeof *plist);
	Ns__StatusReply__Problem probs[2 * PROBLEMS_MAX], *qlist[2 * PROBLEMS_MAX];
	size_t i, len;

	for (i = 0; i < s->nchildren; i++) {
		fill_process(&s->children[i], now_ms, &procs[i]);
		plist[i] = &procs[i];
	}
	for (i = 0; i < s->nproblems; i++) {
		ns__status_reply__problem__init(&probs[i]);
		probs[i].code = (char *)(uintptr_t)s->problems[i].code;
		probs[i].text = (char *)(uintptr_t)s->problems[i].text;
	}
	m.n_problems = add_child_problems(s, probs, s->nproblems, 2 * PROBLEMS_MAX);
	for (i = 0; i < m.n_problems; i++)
		qlist[i] = &probs[i];
	m.problems = qlist;
	m.memory_mib = s->memory_mib;
	m.n_processes = s->nchildren;
	m.processes = plist;
	len = ns__process_table__get_packed_size(&m);
	*out = xmalloc(len);
	ns__process_table__pack(&m, *out);
	free(plist);
	free(procs);
	return len;
}

void
status_send(struct supervisor *s)
{
	uint8_t *packed;
	size_t len, i;

	s->last_table_ms = clock_mono_ms();
	if (s->usage_ms == 0 || s->last_table_ms - s->usage_ms >= USAGE_MS) {
		s->usage_ms = s->last_table_ms;
		s->memory_mib = usage_mib(s);
	}
	len = status_pack(s, s->last_table_ms, &packed);
	for (i = 0; i < s->nchildren; i++)
		if (s->children[i].spec->wants_table && s->children[i].link >= 0)
			(void)send(s->children[i].link, packed, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	free(packed);
}

static void
on_gathered(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	status_send(arg);
}

void
status_changed(struct supervisor *s)
{
	const struct timeval soon = { .tv_sec = 0, .tv_usec = GATHER_MS * 1000 };

	if (s->base == NULL)
		return;
	if (s->table == NULL)
		s->table = evtimer_new(s->base, on_gathered, s);
	if (s->table != NULL && !evtimer_pending(s->table, NULL))
		(void)evtimer_add(s->table, &soon);
}

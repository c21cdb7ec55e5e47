/* pings.c - see pings.h. */
#include "console/screens/pings.h"

#include <stdlib.h>
#include <string.h>

#include "ipc/base/xalloc.h"

#define AGAIN_MS   5000u
#define TIMEOUT_MS 2000u

static struct ping *
find(struct pings *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->list[i].name, name) == 0)
			return &p->list[i];
	return NULL;
}

void
pings_open(struct pings *p, struct view *v)
{
	p->view = v;
}

static void
cancel(struct pings *p)
{
	if (p->request != 0)
		ns_client_cancel(p->view->ui->client, p->request);
	p->request = 0;
}

void
pings_close(struct pings *p)
{
	cancel(p);
	while (p->n > 0)
		free(p->list[--p->n].name);
}

void
pings_begin(struct pings *p)
{
	for (size_t i = 0; i < p->n; i++)
		p->list[i].wanted = false;
}

void
pings_want(struct pings *p, const char *name)
{
	struct ping *one = find(p, name);

	if (one == NULL && p->n < PINGS) {
		one = &p->list[p->n++];
		*one = (struct ping){ .name = xstrdup(name), .ms = PING_NONE };
	}
	if (one != NULL)
		one->wanted = true;
}

void
pings_end(struct pings *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		if (!p->list[i].wanted && p->request != 0 && p->at == i)
			cancel(p);
	for (size_t i = 0; i < p->n; i++) {
		if (!p->list[i].wanted) {
			free(p->list[i].name);
			continue;
		}
		if (p->at == i)
			p->at = n;
		p->list[n++] = p->list[i];
	}
	p->n = n;
}

/* Who was not asked for longest, if that is long enough. */
static struct ping *
next(struct pings *p)
{
	uint64_t now = p->view->ui->mono_ms;
	struct ping *least = NULL;

	for (size_t i = 0; i < p->n; i++)
		if (least == NULL || p->list[i].asked_ms < least->asked_ms)
			least = &p->list[i];
	return least != NULL && (least->asked_ms == 0 || now - least->asked_ms >= AGAIN_MS) ? least
											    : NULL;
}

static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct pings *p = arg;
	uint64_t now_ns = ui_clock_ns(p->view->ui);

	(void)why; /* a reply with a refusal is a round trip, but not of that appliance */
	p->request = 0;
	p->list[p->at].ms = env != NULL ? (double)(now_ns - p->sent_ns) / 1e6 : PING_LATE;
	ui_dirty(p->view->ui, false);
	pings_tick(p);
}

void
pings_tick(struct pings *p)
{
	Ns__StatusRequest body = NS__STATUS_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	struct ping *one = p->request == 0 ? next(p) : NULL;

	if (one == NULL || p->view->ui->lost)
		return;
	one->asked_ms = p->view->ui->mono_ms;
	p->at = (size_t)(one - p->list);
	p->sent_ns = ui_clock_ns(p->view->ui);
	request.body_case = NS__ENVELOPE__BODY_STATUS_REQUEST;
	request.status_request = &body;
	request.to = one->name;
	p->request = ns_client_request(p->view->ui->client, &request, TIMEOUT_MS, came, p);
}

double
pings_ms(const struct pings *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->list[i].name, name) == 0)
			return p->list[i].ms;
	return PING_NONE;
}

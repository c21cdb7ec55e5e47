/* busynames.c - see busynames.h. */
#include "console/screens/busynames.h"

#include <stdlib.h>
#include <strings.h>

#include "ipc/base/xalloc.h"

#define AGAIN_MS 5000u

static void
forget(struct busynames *b)
{
	while (b->n > 0)
		free(b->list[--b->n].name);
}

static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct busynames *b = arg;

	(void)why;
	b->request = 0;
	if (env == NULL)
		return;
	forget(b);
	for (size_t i = 0; i < env->stats_reply->n_top && b->n < BUSYNAMES; i++, b->n++) {
		b->list[b->n].name = xstrdup(env->stats_reply->top[i]->name);
		b->list[b->n].qps = env->stats_reply->top[i]->qps;
	}
	ui_dirty(b->view->ui, false);
}

void
busynames_tick(struct busynames *b, struct view *v)
{
	Ns__StatsRequest body = NS__STATS_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	if (b->request != 0 || (b->asked_ms != 0 && v->ui->mono_ms - b->asked_ms < AGAIN_MS))
		return;
	b->view = v;
	b->asked_ms = v->ui->mono_ms;
	body.top = (char *)(uintptr_t) "names";
	body.limit = BUSYNAMES;
	request.body_case = NS__ENVELOPE__BODY_STATS_REQUEST;
	request.stats_request = &body;
	b->request = ns_client_request(v->ui->client, &request, AGAIN_MS, came, b);
}

double
busynames_qps(const struct busynames *b, const char *name)
{
	for (size_t i = 0; i < b->n; i++)
		if (strcasecmp(b->list[i].name, name) == 0)
			return b->list[i].qps;
	return -1;
}

void
busynames_close(struct busynames *b)
{
	if (b->request != 0)
		ns_client_cancel(b->view->ui->client, b->request);
	forget(b);
}

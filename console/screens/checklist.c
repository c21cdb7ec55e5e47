/* checklist.c - see checklist.h. */
#include "console/screens/checklist.h"

#include <stdlib.h>
#include <string.h>

#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 5000u
#define CHECKS_MAX 10000u /* more to choose from are no choice */

static void ask_page(struct checklist *, const char *cursor);

static void
drop(struct checklist_row **rows, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		free((*rows)[i].name);
	free(*rows);
	*rows = NULL;
	*n = 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(
	    ((const struct checklist_row *)a)->name, ((const struct checklist_row *)b)->name);
}

static void
finish(struct checklist *c)
{
	drop(&c->rows, &c->n);
	c->rows = c->coming;
	c->n = c->n_coming;
	c->coming = NULL;
	c->n_coming = 0;
	c->loaded = true;
	if (c->n > 1)
		qsort(c->rows, c->n, sizeof *c->rows, by_name);
	c->choices = xreallocarray(c->choices, c->n + 2, sizeof *c->choices);
	c->choices[0] = "-";
	for (size_t i = 0; i < c->n; i++)
		c->choices[i + 1] = c->rows[i].name;
	c->choices[c->n + 1] = NULL;
	ui_dirty(c->view->ui, false);
}

static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct checklist *c = arg;
	const Ns__CheckListReply *r;

	c->request = 0;
	if (env == NULL) {
		ui_say_why(c->view->ui, why);
		drop(&c->coming, &c->n_coming);
		return;
	}
	r = env->check_list_reply;
	c->coming = xreallocarray(c->coming, c->n_coming + r->n_checks + 1, sizeof *c->coming);
	for (size_t i = 0; i < r->n_checks; i++) {
		const char *s = r->checks[i]->state;

		c->coming[c->n_coming++] =
		    (struct checklist_row){ .name = xstrdup(r->checks[i]->name),
			    .state = strcmp(s, "up") == 0     ? POL_UP
				     : strcmp(s, "down") == 0 ? POL_DOWN
							      : POL_UNKNOWN };
	}
	if (r->next[0] != '\0' && r->n_checks > 0 && c->n_coming < CHECKS_MAX)
		ask_page(c, r->next);
	else
		finish(c);
}

static void
ask_page(struct checklist *c, const char *cursor)
{
	Ns__CheckListRequest body = NS__CHECK_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.cursor = (char *)(uintptr_t)cursor;
	request.body_case = NS__ENVELOPE__BODY_CHECK_LIST_REQUEST;
	request.check_list_request = &body;
	c->request = ns_client_request(c->view->ui->client, &request, TIMEOUT_MS, came, c);
}

void
checklist_ask(struct checklist *c, struct view *v)
{
	if (c->request != 0)
		return;
	c->view = v;
	ask_page(c, "");
}

void
checklist_free(struct checklist *c)
{
	if (c->request != 0)
		ns_client_cancel(c->view->ui->client, c->request);
	drop(&c->rows, &c->n);
	drop(&c->coming, &c->n_coming);
	free(c->choices);
	*c = (struct checklist){ 0 };
}

const struct checklist_row *
checklist_find(const struct checklist *c, const char *name)
{
	const struct checklist_row key = { .name = (char *)(uintptr_t)name };

	return c->n > 0 ? bsearch(&key, c->rows, c->n, sizeof *c->rows, by_name) : NULL;
}

enum pol_state
checklist_state(void *list, const char *check)
{
	const struct checklist *c = list;
	const struct checklist_row *r = checklist_find(c, check);

	/* Before they have come nothing is called down. */
	return r != NULL ? (enum pol_state)r->state : c->loaded ? POL_UNKNOWN : POL_UP;
}

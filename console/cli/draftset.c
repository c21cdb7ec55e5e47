/* draftset.c - see draft.h. */
#include <stdio.h>
#include <stdlib.h>

#include "console/cli/draft.h"
#include "ipc/base/xalloc.h"

static void
set_add(struct draft_set *s, Ns__Draft *d)
{
	s->drafts = xreallocarray(s->drafts, s->n + 1, sizeof *s->drafts);
	s->drafts[s->n++] = d;
}

static bool
set_each(void *arg, const char *zone, const Ns__Draft *d, const struct ns_why *why)
{
	struct draft_set *s = arg;
	uint8_t *bytes;
	size_t len;

	(void)zone;
	if (d == NULL) {
		fputs("nameserve: ", stderr);
		print_safe(stderr, why->text);
		fputc('\n', stderr);
		s->damaged++;
		return true;
	}
	if ((bytes = draft_encode(d, &len)) != NULL)
		set_add(s, draft_decode(bytes, len, &(struct ns_why){ 0 }));
	free(bytes);
	return true;
}

void
draft_set_free(struct draft_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		ns__draft__free_unpacked(s->drafts[i], NULL);
	free(s->drafts);
	free(s->edits);
	free(s->list);
	*s = (struct draft_set){ 0 };
}

struct nearest {
	const char *name;
	char *zone; /* the longest that holds it; NULL: none */
	size_t len;
};

static bool
nearest_each(void *arg, const char *zone, const Ns__Draft *d, const struct ns_why *why)
{
	struct nearest *n = arg;
	size_t len = draft_holds(zone, n->name);

	(void)d, (void)why;
	if (len > n->len) {
		free(n->zone);
		n->zone = xstrdup(zone);
		n->len = len;
	}
	return true;
}

/* Others' may be damaged, or stale. */
static enum ns_err
load_nearest(struct ns_drafts *drafts, const char *name, struct draft_set *s, struct ns_why *why)
{
	struct nearest n = { .name = name };
	enum ns_err err = ns_drafts_each(drafts, nearest_each, &n, why);
	Ns__Draft *d;

	if (err == NS_OK && n.zone != NULL &&
	    (err = ns_draft_load(drafts, n.zone, &d, why)) == NS_OK)
		set_add(s, d);
	free(n.zone);
	return err;
}

bool
draft_set_load(struct cli *cli, struct ns_drafts *drafts, enum draft_which which,
    struct draft_set *s, int *code)
{
	struct ns_why why = { 0 };
	enum ns_err err = NS_OK;
	Ns__Draft *d;

	*s = (struct draft_set){ 0 };
	if (which == DRAFTS_ALL)
		err = ns_drafts_each(drafts, set_each, s, &why);
	else if (which == DRAFTS_OF_NAME)
		err = load_nearest(drafts, cli->words[0], s, &why);
	for (unsigned i = 0; which == DRAFTS_NAMED && i < cli->n_words && err == NS_OK; i++)
		if ((err = ns_draft_load(drafts, cli->words[i], &d, &why)) == NS_OK)
			set_add(s, d);
	if (err == NS_OK && s->damaged > 0)
		err = ns_fail(&why, NS_CORRUPT, CLI_NO_DRAFT,
		    "a draft is damaged: drop it, or name the zones to commit");
	else if (err == NS_OK && s->n == 0)
		err = ns_fail(&why, NS_NOTFOUND, CLI_NO_DRAFT,
		    which == DRAFTS_OF_NAME ? "there is no draft of its zone: --draft --all takes "
					      "those of other zones"
					    : "there is no draft");
	if (err != NS_OK) {
		*code = cli_error(cli, &why);
		draft_set_free(s);
		return false;
	}
	s->edits = xcalloc(s->n, sizeof *s->edits);
	s->list = xcalloc(s->n, sizeof *s->list);
	for (size_t i = 0; i < s->n; i++) {
		draft_edit(&s->edits[i], s->drafts[i]);
		s->list[i] = &s->edits[i];
	}
	return true;
}

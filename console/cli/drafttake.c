/* drafttake - whole drafts that the appliance made: of a file (import), of a change that is taken back (revert),
 * of a zone as it was (restore).  They become the user's as if he had typed them, all of them or none. */
#include <stdio.h>
#include <stdlib.h>

#include "console/cli/draft.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "ipc/json.h"

#define CODE_HAVE 1310u /* a draft of that zone is there already */

static enum ns_err
none_yet(struct ns_drafts *drafts, const char *zone, struct ns_why *why)
{
	Ns__Draft *d = NULL;
	enum ns_err err = ns_draft_load(drafts, zone, &d, why);

	if (err == NS_NOTFOUND) {
		*why = (struct ns_why){ 0 };
		return NS_OK;
	}
	if (err != NS_OK)
		return err;
	(void)ns_fail(why, NS_CONFLICT, CODE_HAVE,
	    "there is a draft of %s with %zu operations already: commit it, or nameserve draft "
	    "drop %s --yes",
	    d->zone, d->n_ops, d->zone);
	ns__draft__free_unpacked(d, NULL);
	return NS_CONFLICT;
}

static Ns__Draft *
draft_of(const struct cli *cli, const Ns__ZoneEdit *edit)
{
	Ns__Draft *d =
	    draft_new(edit->zone, edit->base_version, edit->base_serial, clock_wall_ms());

	draft_replace(d, edit, clock_wall_ms());
	draft_comment(d, cli_str(cli->opt[OPT_COMMENT]));
	return d;
}

/* n drafts, made of the edits; freed by the caller.  None is saved where one cannot be. */
static enum ns_err
save_all(struct ns_drafts *drafts, Ns__Draft **list, size_t n, struct ns_why *why)
{
	enum ns_err err = NS_OK;
	size_t saved = 0;

	for (size_t i = 0; i < n && err == NS_OK; i++)
		err = none_yet(drafts, list[i]->zone, why);
	while (saved < n && err == NS_OK)
		if ((err = ns_draft_save(drafts, list[saved], why)) == NS_OK)
			saved++;
	while (err != NS_OK && saved > 0)
		if (ns_draft_drop(drafts, list[--saved]->zone, &(struct ns_why){ 0 }) != NS_OK)
			fprintf(stderr, "nameserve: a draft of %s was left behind\n",
			    list[saved]->zone);
	return err;
}

static int
print_all(struct cli *cli, Ns__Draft *const *list, size_t n)
{
	json_t *rows;

	if (cli->format == CLI_TABLE) {
		for (size_t i = 0; i < n; i++)
			(void)cli_draft_print(cli, list[i]);
		if (n == 0)
			puts("no draft: it is so already");
		return CLI_OK;
	}
	rows = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(rows, cli_draft_json(list[i]));
	cli_print_json_value(cli, json_pack("{ss so}", "schema", "ns.drafts/1", "drafts", rows));
	return CLI_OK;
}

static int
take(struct cli *cli, Ns__ZoneEdit *const *edits, size_t n, bool one)
{
	int code = CLI_OK;
	struct ns_why why = { 0 };
	Ns__Draft **list;
	struct ns_drafts *drafts = cli_drafts_linked(cli, &code);

	if (drafts == NULL)
		return code;
	list = xcalloc(n + 1, sizeof *list);
	for (size_t i = 0; i < n; i++)
		list[i] = draft_of(cli, edits[i]);
	if (save_all(drafts, list, n, &why) != NS_OK)
		code = cli_error(cli, &why);
	else
		code = one ? cli_draft_print(cli, list[0]) : print_all(cli, list, n);
	for (size_t i = 0; i < n; i++)
		ns__draft__free_unpacked(list[i], NULL);
	free(list);
	ns_drafts_close(&drafts);
	return code;
}

int
cli_draft_take(struct cli *cli, Ns__ZoneEdit *edit)
{
	return take(cli, &edit, 1, true);
}

int
cli_drafts_take(struct cli *cli, Ns__ZoneEdit *const *edits, size_t n)
{
	return take(cli, edits, n, false);
}

/* history - who changed what, when and why. */
#include <stdio.h>
#include <string.h>

#include "console/cli/cli.h"
#include "ipc/json.h"

static void
changes_table(Ns__Change *const *changes, size_t n)
{
	static const char *const titles[] = { "CHANGE", "WHEN UTC", "WHO", "VIA", "FROM", "AT",
		"KIND", "SERIAL", "+", "-", "OF", "COMMENT" };
	struct table *t = table_new(titles, 12, "rllllllrrrll");

	for (size_t i = 0; i < n; i++) {
		const Ns__Change *c = changes[i];
		table_cell(t, "%llu", (unsigned long long)c->revision);
		table_cell(t, "%s", c->at);
		table_cell(t, "%s", c->author);
		table_cell(t, "%s", c->via);
		table_cell(t, "%s", c->source[0] != '\0' ? c->source : "-");
		table_cell(t, "%s", c->appliance[0] != '\0' ? c->appliance : "-");
		table_cell(t, "%s", c->kind);
		if (c->serial != 0)
			table_cell(t, "%u", c->serial);
		else
			table_cell(t, "-");
		table_cell(t, "%llu", (unsigned long long)c->added);
		table_cell(t, "%llu", (unsigned long long)c->removed);
		if (c->zone_count > 1 && c->n_zones > 0)
			table_cell(
			    t, "%s (+%llu)", c->zones[0], (unsigned long long)c->zone_count - 1);
		else
			table_cell(t, "%s",
			    c->n_zones > 0         ? c->zones[0]
			    : c->object[0] != '\0' ? c->object
						   : "-");
		table_cell(t, "%s", c->comment);
	}
	table_print(&t);
}

static void
list_table(const ProtobufCMessage *m)
{
	const Ns__HistoryListReply *r = (const Ns__HistoryListReply *)m;

	changes_table(r->changes, r->n_changes);
	if (r->next[0] == '\0' && r->begins > 0)
		printf("history begins at change %llu here: what was before is not kept\n",
		    (unsigned long long)r->begins);
	cli_more(r->next);
}

int
cmd_history_list(struct cli *cli)
{
	Ns__HistoryListRequest body = NS__HISTORY_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	int code;

	if ((code = cli_limit(cli, 1000, &body.limit)) != CLI_OK)
		return code;
	body.zone = cli_str(cli->n_words > 0 ? cli->words[0] : NULL);
	body.cursor = cli_str(cli->opt[OPT_CURSOR]);
	body.filter = cli_str(cli->opt[OPT_FILTER]);
	request.body_case = NS__ENVELOPE__BODY_HISTORY_LIST_REQUEST;
	request.history_list_request = &body;
	return cli_show(cli, &request,
	    &(const struct cli_view){ NS__ENVELOPE__BODY_HISTORY_LIST_REPLY, "ns.history.list/1",
		"changes", list_table });
}

static void
diff_lines(char sign, char *const *lines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		printf(" %c ", sign);
		print_safe(stdout, lines[i]);
		putchar('\n');
	}
}

static void
zone_diff_print(const Ns__HistoryShowReply__ZoneDiff *d)
{
	printf("%s  serial %u -> %u\n", d->zone, d->serial_before, d->serial_after);
	diff_lines('-', d->removed, d->n_removed);
	diff_lines('+', d->added, d->n_added);
	if (d->truncated)
		puts(" ... longer than is shown");
}

void
cli_change_print(const ProtobufCMessage *m)
{
	const Ns__HistoryShowReply *r = (const Ns__HistoryShowReply *)m;
	if (r->change != NULL)
		changes_table((Ns__Change *const *)&r->change, 1);
	if (r->change != NULL && r->change->hash[0] != '\0')
		printf("hash %s\n", r->change->hash);
	if (r->change->withheld > 0)
		printf("%u of its zones not held at this site\n", r->change->withheld);
	for (size_t i = 0; i < r->n_diffs; i++)
		zone_diff_print(r->diffs[i]);
}

/* CLI_OK: the request for the change that the first word names; body is borrowed. */
static int
ask_change(const struct cli *cli, Ns__Envelope *request, Ns__HistoryShowRequest *body)
{
	ns__envelope__init(request);
	ns__history_show_request__init(body);
	if (!cli_number(cli->words[0], UINT64_MAX - 1, &body->revision))
		return cli_usage(NULL, "%s: not a change's number", cli->words[0]);
	request->body_case = NS__ENVELOPE__BODY_HISTORY_SHOW_REQUEST;
	request->history_show_request = body;
	return CLI_OK;
}

int
cmd_history_show(struct cli *cli)
{
	Ns__HistoryShowRequest body;
	Ns__Envelope request;
	int code = ask_change(cli, &request, &body);

	if (code != CLI_OK)
		return code;
	return cli_show(cli, &request,
	    &(const struct cli_view){ NS__ENVELOPE__BODY_HISTORY_SHOW_REPLY, "ns.history.show/1",
		NULL, cli_change_print });
}

int
cmd_history_diff(struct cli *cli)
{
	Ns__HistoryShowRequest body;
	Ns__Envelope request, *reply;
	bool differs = false;
	int code = ask_change(cli, &request, &body);

	if (code != CLI_OK)
		return code;
	reply = cli_call(cli, &request, NS__ENVELOPE__BODY_HISTORY_SHOW_REPLY, &code);
	if (reply == NULL)
		return code;
	for (size_t i = 0; i < reply->history_show_reply->n_diffs; i++) {
		const Ns__HistoryShowReply__ZoneDiff *d = reply->history_show_reply->diffs[i];

		differs |= d->n_removed > 0 || d->n_added > 0;
		if (cli->format == CLI_TABLE)
			zone_diff_print(d);
	}
	if (cli->format != CLI_TABLE)
		(void)cli_print_json(cli, &reply->history_show_reply->base, "ns.history.show/1");
	ns__envelope__free_unpacked(reply, NULL);
	return differs && cli->opt[OPT_EXIT_CODE] != NULL ? CLI_DIFFERS : CLI_OK;
}

/* alias - alias list: what ALIAS records give, and which targets cannot be resolved. */
#include <stdio.h>
#include <string.h>

#include "console/cli/cli.h"
#include "ipc/json.h"

static void
print_list(const Ns__AliasListReply *m)
{
	static const char *const titles[] = { "NAME", "TARGET", "STATE", "TTL", "KEPT",
		"ADDRESSES" };
	struct table *t = table_new(titles, 6, "lllrrl");

	for (size_t i = 0; i < m->n_items; i++) {
		const Ns__AliasListReply__Item *it = m->items[i];
		char addresses[200] = "";

		for (size_t a = 0; a < it->n_addresses; a++) {
			size_t n = strlen(addresses);

			snprintf(addresses + n, sizeof addresses - n, "%s%s", a > 0 ? " " : "",
			    it->addresses[a]);
		}
		table_cell(t, "%s", it->name);
		table_cell(t, "%s", it->target);
		table_cell(t, "%s", it->state);
		table_cell(t, it->n_addresses > 0 ? "%u" : "", it->ttl_s);
		table_cell(t, it->n_addresses > 0 ? "%us" : "", it->keep_s);
		table_cell(t, "%s%s%s", addresses,
		    addresses[0] != '\0' && it->reason[0] != '\0' ? "; " : "", it->reason);
	}
	table_print(&t);
}

int
cmd_alias_list(struct cli *cli)
{
	Ns__AliasListRequest body = NS__ALIAS_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT, *reply;
	Ns__AliasListReply *m;
	uint64_t limit = 0;
	int code = CLI_OK;

	if (cli->opt[OPT_LIMIT] != NULL && !cli_number(cli->opt[OPT_LIMIT], 1000, &limit))
		return cli_usage(NULL, "--limit %s: a number up to 1000", cli->opt[OPT_LIMIT]);
	body.zone = cli_str(cli->n_words > 0 ? cli->words[0] : NULL);
	body.cursor = cli_str(cli->opt[OPT_CURSOR]);
	body.limit = (uint32_t)limit;
	request.body_case = NS__ENVELOPE__BODY_ALIAS_LIST_REQUEST;
	request.alias_list_request = &body;
	reply = cli_call(cli, &request, &code);
	if (reply == NULL)
		return code;
	m = CLI_REPLY(reply, ALIAS_LIST_REPLY, alias_list_reply);
	if (m == NULL) {
		code = cli_unexpected(cli);
	} else if (cli->format == CLI_JSONL) {
		cli_print_rows(ns_json_from(&m->base, NULL), "items");
	} else if (cli->format != CLI_TABLE) {
		code = cli_print_json(cli, &m->base, "ns.alias.list/1");
	} else {
		print_list(m);
		if (m->next[0] != '\0')
			fprintf(stderr, "nameserve: more: --cursor %s\n", m->next);
	}
	ns__envelope__free_unpacked(reply, NULL);
	return code;
}

/* alias - alias list: what ALIAS records give, and which targets cannot be resolved. */
#include <stdio.h>
#include <string.h>

#include "console/cli/cli.h"

static void
print_list(const ProtobufCMessage *reply)
{
	const Ns__AliasListReply *m = (const Ns__AliasListReply *)reply;
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
	cli_more(m->next);
}

int
cmd_alias_list(struct cli *cli)
{
	Ns__AliasListRequest body = NS__ALIAS_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	int code;

	if ((code = cli_limit(cli, 1000, &body.limit)) != CLI_OK)
		return code;
	body.zone = cli_str(cli->n_words > 0 ? cli->words[0] : NULL);
	body.cursor = cli_str(cli->opt[OPT_CURSOR]);
	request.body_case = NS__ENVELOPE__BODY_ALIAS_LIST_REQUEST;
	request.alias_list_request = &body;
	return cli_show(cli, &request,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_ALIAS_LIST_REPLY, "ns.alias.list/1", "items", print_list });
}

/* checkhealth - all checks at a glance, and a look at one of them now. */
#include <stdio.h>

#include "console/cli/cli.h"

static void
health_table(const ProtobufCMessage *m)
{
	static const char *const titles[] = { "NAME", "TYPE", "TARGET", "LEVEL", "UP", "RTT",
		"SINCE", "NOTE", "WHY" };
	const Ns__HealthListReply *r = (const Ns__HealthListReply *)m;
	struct table *t = table_new(titles, 9, "llllrrlll");

	for (size_t i = 0; i < r->n_rows; i++) {
		const Ns__HealthListReply__Row *c = r->rows[i];

		table_cell(t, "%s", c->name);
		table_cell(t, "%s", c->type);
		table_cell(t, "%s", c->target);
		table_cell(t, "%s", c->level);
		table_cell(t, "%u/%u", c->up, c->assigned);
		table_cell(t, "%.1f ms", c->rtt_us / 1000.0);
		table_cell(t, "%s", c->since);
		table_cell(t, "%s", c->note);
		table_cell(t, "%s", c->reason);
	}
	table_print(&t);
	cli_more(r->next);
	if (r->frozen)
		fputs("This appliance sees too little of the fleet: states are frozen.\n", stderr);
}

int
cmd_check_health(struct cli *cli)
{
	Ns__HealthListRequest body = NS__HEALTH_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	int code;

	if ((code = cli_limit(cli, 1000, &body.limit)) != CLI_OK)
		return code;
	body.filter = cli_str(cli->opt[OPT_FILTER]);
	body.cursor = cli_str(cli->opt[OPT_CURSOR]);
	request.body_case = NS__ENVELOPE__BODY_HEALTH_LIST_REQUEST;
	request.health_list_request = &body;
	return cli_show(cli, &request,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_HEALTH_LIST_REPLY, "ns.check.health/1", "rows", health_table });
}

static void
probe_table(const ProtobufCMessage *m)
{
	const Ns__CheckProbeReply *r = (const Ns__CheckProbeReply *)m;

	print_safe(stdout, r->name[0] != '\0' ? r->name : "what the file says");
	printf(" from %s: %s, %.1f ms, ", r->appliance,
	    r->abstain ? "could not look"
	    : r->good  ? "good"
		       : "bad",
	    r->rtt_ms);
	print_safe(stdout, r->reason);
	fputs(r->assigned || r->name[0] == '\0' ? "" : " (it does not vote on it)", stdout);
	if (r->others > 0)
		printf("; %u others were asked, too: check show", r->others);
	putchar('\n');
}

int
cmd_check_probe(struct cli *cli)
{
	Ns__CheckProbeRequest body = NS__CHECK_PROBE_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	int code;

	if (cli->n_words == 1)
		body.name = cli_str(cli->words[0]);
	else if ((body.check = cli_check_file(cli->words[1], &code)) == NULL)
		return code;
	request.body_case = NS__ENVELOPE__BODY_CHECK_PROBE_REQUEST;
	request.check_probe_request = &body;
	code = cli_show(cli, &request,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_CHECK_PROBE_REPLY, "ns.check.probe/1", NULL, probe_table });
	if (body.check != NULL)
		ns__check__free_unpacked(body.check, NULL);
	return code;
}

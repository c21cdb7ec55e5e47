/* zonecheck - what the parent says of a zone, and what to do at the registrar. */
#include <stdio.h>
#include <string.h>

#include "console/cli/cli.h"

#define WAIT_MS 20000u /* servers far away, some of them silent */

static void
print_lines(const char *title, char *const *lines, size_t n)
{
	if (n > 0)
		printf("%s\n", title);
	for (size_t i = 0; i < n; i++) {
		fputs(" - ", stdout);
		print_safe(stdout, lines[i]);
		putchar('\n');
	}
}

static void
print_check(const ProtobufCMessage *m)
{
	const Ns__ZoneCheckReply *c = (const Ns__ZoneCheckReply *)m;
	static const char *const titles[] = { "ASKED", "ADDRESS", "ANSWER" };
	struct table *t = table_new(titles, 3, "lll");

	print_safe(stdout, c->zone);
	printf("  delegated %s by ", c->delegated);
	print_safe(stdout, c->parent);
	printf("  ds %s\n", c->ds);
	for (size_t i = 0; i < c->n_asked; i++) {
		table_cell(t, "%s", c->asked[i]->name);
		table_cell(t, "%s", c->asked[i]->address);
		table_cell(t, "%s", c->asked[i]->text[0] != '\0' ? c->asked[i]->text : "ok");
	}
	table_print(&t);
	print_lines("not named by the parent:", c->missing, c->n_missing);
	print_lines("named by the parent, not by the zone:", c->extra, c->n_extra);
	print_lines("glue:", c->glue, c->n_glue);
	print_lines("to do:", c->todo, c->n_todo);
	if (c->n_todo == 0)
		puts("nothing to do");
}

int
cmd_zone_check(struct cli *cli)
{
	Ns__ZoneCheckRequest body = NS__ZONE_CHECK_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	if (cli->opt[OPT_TIMEOUT] == NULL)
		cli->timeout_ms = WAIT_MS;
	body.zone = cli_str(cli->words[0]);
	request.body_case = NS__ENVELOPE__BODY_ZONE_CHECK_REQUEST;
	request.zone_check_request = &body;
	return cli_show(cli, &request,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_ZONE_CHECK_REPLY, "ns.zone.check/1", NULL, print_check });
}

/* test - one question to the code that answers, with its reasons. */
#include <stdio.h>

#include "console/cli/cli.h"

static void
print_reply(const ProtobufCMessage *m)
{
	const Ns__TestReply *t = (const Ns__TestReply *)m;
	static const char *const titles[] = { "STEP", "WHAT" };
	struct table *table = table_new(titles, 2, "ll");

	for (size_t i = 0; i < t->n_steps; i++) {
		table_cell(table, "%s", t->steps[i]->step);
		table_cell(table, "%s", t->steps[i]->text);
	}
	table_print(&table);
	printf("\n%s, %zu record%s\n", t->rcode, t->n_answers, t->n_answers == 1 ? "" : "s");
	for (size_t i = 0; i < t->n_answers; i++) {
		print_safe(stdout, t->answers[i]);
		putchar('\n');
	}
}

int
cmd_test(struct cli *cli)
{
	Ns__TestRequest body = NS__TEST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.name = cli_str(cli->words[0]);
	body.type = cli_str(cli->words[1]);
	body.client = cli_str(cli->opt[OPT_CLIENT]);
	body.ecs = cli_str(cli->opt[OPT_ECS]);
	body.at = cli_str(cli->opt[OPT_AT]);
	body.draft = cli->opt[OPT_DRAFT] != NULL;
	request.body_case = NS__ENVELOPE__BODY_TEST_REQUEST;
	request.test_request = &body;
	return cli_show(cli, &request,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_TEST_REPLY, "ns.test/1", NULL, print_reply });
}

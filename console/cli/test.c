/* test - one question to the code that answers, with its reasons. */
#include <stdio.h>

#include "console/cli/draft.h"

static void
print_steps(Ns__TestReply__Step *const *steps, size_t n)
{
	static const char *const titles[] = { "STEP", "WHAT" };
	struct table *table = table_new(titles, 2, "ll");

	for (size_t i = 0; i < n; i++) {
		table_cell(table, "%s", steps[i]->step);
		table_cell(table, "%s", steps[i]->text);
	}
	table_print(&table);
	putchar('\n');
}

static void
print_answers(const char *rcode, char *const *answers, size_t n)
{
	print_safe(stdout, rcode);
	printf(", %zu record%s\n", n, n == 1 ? "" : "s");
	for (size_t i = 0; i < n; i++) {
		print_safe(stdout, answers[i]);
		putchar('\n');
	}
}

static void
print_other(const Ns__TestElsewhere *o)
{
	printf("\nat %s:\n", o->appliance);
	if (o->fault[0] == '\0') {
		print_steps(o->steps, o->n_steps);
		print_answers(o->rcode, o->answers, o->n_answers);
	} else {
		print_safe(stdout, o->fault);
		putchar('\n');
	}
}

static void
print_reply(const ProtobufCMessage *m)
{
	const Ns__TestReply *t = (const Ns__TestReply *)m;

	if (t->n_others > 0)
		printf("at %s:\n", t->appliance);
	print_steps(t->steps, t->n_steps);
	print_answers(t->rcode, t->answers, t->n_answers);
	if (t->truncated)
		puts("truncated: it does not fit into a datagram");
	for (size_t i = 0; i < t->n_others; i++)
		print_other(t->others[i]);
}

static int
ask(struct cli *cli, Ns__ZoneEdit **edits, size_t n)
{
	Ns__TestRequest body = NS__TEST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.name = cli_str(cli->words[0]);
	body.type = cli_str(cli->words[1]);
	body.client = cli_str(cli->opt[OPT_CLIENT]);
	body.ecs = cli_str(cli->opt[OPT_ECS]);
	body.at = cli_str(cli->opt[OPT_AT]);
	body.dnssec = cli->opt[OPT_DO] != NULL;
	body.via = cli_str(cli->opt[OPT_VIA]);
	body.draft = n > 0;
	body.zones = edits;
	body.n_zones = n;
	request.body_case = NS__ENVELOPE__BODY_TEST_REQUEST;
	request.test_request = &body;
	return cli_show(cli, &request,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_TEST_REPLY, "ns.test/1", NULL, print_reply });
}

/* With the draft of the zone that is asked, or with all of this user: a name may lead from one zone into another. */
int
cmd_test(struct cli *cli)
{
	int code = CLI_OK;
	struct ns_drafts *drafts;
	struct draft_set set;

	if (cli->opt[OPT_DRAFT] == NULL && cli->opt[OPT_ALL] != NULL)
		return cli_usage(NULL, "test --all goes with --draft");
	if (cli->opt[OPT_DRAFT] == NULL)
		return ask(cli, NULL, 0);
	if ((drafts = cli_drafts_linked(cli, &code)) == NULL)
		return code;
	if (draft_set_load(cli, drafts, cli->opt[OPT_ALL] != NULL ? DRAFTS_ALL : DRAFTS_OF_NAME,
		&set, &code)) {
		code = ask(cli, set.list, set.n);
		draft_set_free(&set);
	}
	ns_drafts_close(&drafts);
	return code;
}

/* tail - some of the queries that are answered, as they come. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "console/cli/cli.h"
#include "ipc/base/xalloc.h"
#include "ipc/json.h"

#define ROWS_MAX  200u
#define PAUSE_NS  250000000l
#define LIMIT_MAX 1000000u
#define NO_LIMIT  UINT64_MAX

/* What goes on from one request to the next. */
struct tail {
	struct cli *cli;
	Ns__TailMark **marks;
	size_t n_marks;
	uint64_t left, dropped;
	json_t *document; /* --json: the rows so far */
};

static void
take_marks(struct tail *t, Ns__TailReply *m)
{
	for (size_t i = 0; i < t->n_marks; i++)
		protobuf_c_message_free_unpacked(&t->marks[i]->base, NULL);
	free(t->marks);
	t->marks = m->next;
	t->n_marks = m->n_next;
	m->next = NULL;
	m->n_next = 0;
}

static void
cell(const char *text, int width)
{
	print_safe(stdout, text);
	for (int n = (int)strlen(text); n < width; n++)
		putchar(' ');
	fputs("  ", stdout);
}

static void
print_line(const Ns__TailRow *r)
{
	printf("%.12s  ", strlen(r->at) > 11 ? r->at + 11 : r->at);
	cell(r->appliance, 10);
	cell(r->client, 18);
	cell(r->name, 32);
	cell(r->type, 6);
	cell(r->rcode, 8);
	printf("%.0f us\n", r->us);
}

static void
print_rows(struct tail *t, const Ns__TailReply *m)
{
	size_t i = m->n_rows > t->left ? m->n_rows - (size_t)t->left : 0;

	t->dropped += m->dropped;
	if (t->left != NO_LIMIT)
		t->left -= m->n_rows - i;
	for (; i < m->n_rows; i++) {
		json_t *row =
		    t->cli->format != CLI_TABLE ? ns_json_from(&m->rows[i]->base, NULL) : NULL;

		if (row == NULL)
			print_line(m->rows[i]);
		else if (t->document != NULL)
			json_array_append_new(json_object_get(t->document, "rows"), row);
		else
			cli_print_json_value(t->cli, row);
	}
	if (fflush(stdout) != 0)
		t->left = 0; /* nobody reads any more */
}

static int
ask(struct tail *t, uint64_t sample)
{
	Ns__TailRequest body = NS__TAIL_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT, *reply;
	int code = CLI_OK;

	body.filter = cli_str(t->cli->opt[OPT_FILTER]);
	body.scope = cli_str(t->cli->opt[OPT_SCOPE]);
	body.sample = (uint32_t)sample;
	body.limit = ROWS_MAX;
	body.after = t->marks;
	body.n_after = t->n_marks;
	request.body_case = NS__ENVELOPE__BODY_TAIL_REQUEST;
	request.tail_request = &body;
	reply = cli_call(t->cli, &request, NS__ENVELOPE__BODY_TAIL_REPLY, &code);
	if (reply == NULL)
		return code;
	take_marks(t, reply->tail_reply);
	print_rows(t, reply->tail_reply);
	ns__envelope__free_unpacked(reply, NULL);
	return CLI_OK;
}

static int
run(struct tail *t, uint64_t sample)
{
	const struct timespec pause = { 0, PAUSE_NS };
	int code = ask(t, sample);

	while (code == CLI_OK && t->left > 0) {
		nanosleep(&pause, NULL);
		code = ask(t, sample);
	}
	if (t->document != NULL && code == CLI_OK) {
		json_object_set_new(t->document, "dropped", json_integer((json_int_t)t->dropped));
		cli_print_json_value(t->cli, json_incref(t->document));
	} else if (t->dropped > 0) {
		fprintf(stderr, "nameserve: %llu more matched than could be shown\n",
		    (unsigned long long)t->dropped);
	}
	return code;
}

int
cmd_tail(struct cli *cli)
{
	struct tail t = { .cli = cli, .left = NO_LIMIT };
	uint64_t sample = 1;
	int code;

	if (cli->opt[OPT_SAMPLE] != NULL &&
	    (!cli_number(cli->opt[OPT_SAMPLE], LIMIT_MAX, &sample) || sample == 0))
		return cli_usage(
		    NULL, "--sample %s: one query in 1 to 1000000", cli->opt[OPT_SAMPLE]);
	if (cli->opt[OPT_LIMIT] != NULL &&
	    (!cli_number(cli->opt[OPT_LIMIT], LIMIT_MAX, &t.left) || t.left == 0))
		return cli_usage(NULL, "--limit %s: 1 to 1000000 rows", cli->opt[OPT_LIMIT]);
	if (cli->format == CLI_JSON && t.left == NO_LIMIT)
		return cli_usage(
		    NULL, "tail --json needs --limit: a document has an end; --jsonl has none");
	if (cli->format == CLI_JSON)
		t.document = json_pack("{sss[]}", "schema", "ns.tail/1", "rows");
	code = run(&t, sample);
	json_decref(t.document);
	for (size_t i = 0; i < t.n_marks; i++)
		protobuf_c_message_free_unpacked(&t.marks[i]->base, NULL);
	free(t.marks);
	return code;
}

/* record - list, set, add, del: single edits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/cli/cli.h"
#include "ipc/base/xalloc.h"
#include "ipc/json.h"

/* The operation from the words after NAME; CLI_OK or a usage error's exit code. */
static int
op_fill(struct cli *cli, Ns__RecordOp *op, Ns__RecordOp__Kind kind)
{
	unsigned at = 2;
	uint64_t ttl;

	op->kind = kind;
	op->name = cli_str(cli->words[1]);
	if (kind != NS__RECORD_OP__KIND__DEL) {
		if (!cli_number(cli->words[2], UINT32_MAX, &ttl))
			return cli_usage(NULL, "TTL %s: not a number of seconds", cli->words[2]);
		op->ttl = (uint32_t)ttl;
		op->ttl_given = true;
		at = 3;
	}
	if (at < cli->n_words)
		op->type = cli_str(cli->words[at++]);
	op->n_rdata = cli->n_words - at;
	op->rdata = (char **)(uintptr_t)(cli->words + at);
	return CLI_OK;
}

int
cli_edit_op(struct cli *cli, Ns__RecordOp *op)
{
	Ns__RecordOp *ops[] = { op };
	Ns__ZoneEdit zone = NS__ZONE_EDIT__INIT, *zones[] = { &zone };
	Ns__CommitRequest commit = NS__COMMIT_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	uint64_t serial;
	int code;

	if (cli->opt[OPT_COMMIT] == NULL)
		return cli_draft_op(cli, op);
	if (cli->opt[OPT_BASE] != NULL) {
		if (!cli_number(cli->opt[OPT_BASE], UINT32_MAX, &serial))
			return cli_usage(NULL, "--base %s: not a serial", cli->opt[OPT_BASE]);
		zone.base_serial = (uint32_t)serial;
		zone.base_serial_given = true;
	}
	zone.zone = cli_str(cli->words[0]);
	zone.ops = ops;
	zone.n_ops = 1;
	commit.zones = zones;
	commit.n_zones = 1;
	if (!cli_commit_fill(cli, &commit))
		return CLI_USAGE;
	request.body_case = NS__ENVELOPE__BODY_COMMIT_REQUEST;
	request.commit_request = &commit;
	code = cli_commit(cli, &request, NULL);
	cli_commit_free(&commit);
	return code;
}

static int
edit(struct cli *cli, Ns__RecordOp__Kind kind)
{
	Ns__RecordOp op = NS__RECORD_OP__INIT;
	int code = op_fill(cli, &op, kind);

	return code == CLI_OK ? cli_edit_op(cli, &op) : code;
}

int
cmd_record_set(struct cli *cli)
{
	return edit(cli, NS__RECORD_OP__KIND__SET);
}

int
cmd_record_add(struct cli *cli)
{
	return edit(cli, NS__RECORD_OP__KIND__ADD);
}

int
cmd_record_del(struct cli *cli)
{
	return edit(cli, NS__RECORD_OP__KIND__DEL);
}

static void
records_table(const ProtobufCMessage *m)
{
	const Ns__RecordListReply *r = (const Ns__RecordListReply *)m;
	static const char *const titles[] = { "NAME", "TTL", "TYPE", "DATA" };
	struct table *t = table_new(titles, 4, "lrll");

	for (size_t i = 0; i < r->n_rrsets; i++)
		for (size_t d = 0; d < r->rrsets[i]->n_rdata; d++) {
			table_cell(t, "%s", r->rrsets[i]->name);
			table_cell(t, "%u", r->rrsets[i]->ttl);
			table_cell(t, "%s", r->rrsets[i]->type);
			table_cell(t, "%s", r->rrsets[i]->rdata[d]);
		}
	table_print(&t);
	cli_more(r->next);
}

int
cmd_record_list(struct cli *cli)
{
	Ns__RecordListRequest body = NS__RECORD_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	int code;

	if ((code = cli_limit(cli, 10000, &body.limit)) != CLI_OK)
		return code;
	body.zone = cli_str(cli->words[0]);
	body.name = cli_str(cli->opt[OPT_NAME]);
	body.type = cli_str(cli->opt[OPT_TYPE]);
	body.cursor = cli_str(cli->opt[OPT_CURSOR]);
	body.filter = cli_str(cli->opt[OPT_FILTER]);
	if (strstr(body.filter, "draft:") != NULL)
		return cli_usage(
		    NULL, "--filter: draft diff %s tells what the draft changes", cli->words[0]);
	request.body_case = NS__ENVELOPE__BODY_RECORD_LIST_REQUEST;
	request.record_list_request = &body;
	return cli_show(cli, &request,
	    &(const struct cli_view){ NS__ENVELOPE__BODY_RECORD_LIST_REPLY, "ns.record.list/1",
		"rrsets", records_table });
}

/* policy - set, show, list, del, drain: the routing of a name's answers.
 *
 * A policy is a record of the pseudo type NSPOLICY whose text is "TYPE {JSON}", so that drafts, plans and
 * commits treat it as they treat records.  Here its JSON is read only to say where it breaks, and put on
 * one line; the appliance judges what it means. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/cli/draft.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "ipc/json.h"

#define NSPOLICY "NSPOLICY"

/* "TYPE {JSON}" of what FILE says; NULL after a message. */
static char *
read_file(struct cli *cli, const char *path, const char *type)
{
	bool in = strcmp(path, "-") == 0;
	json_error_t error;
	json_t *doc = in ? json_loadf(stdin, JSON_REJECT_DUPLICATES, &error)
			 : json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	char *json, *text;
	size_t size;

	(void)cli;
	if (doc == NULL) {
		(void)cli_usage(NULL, "%s: line %d, column %d: %s", in ? "standard input" : path,
		    error.line, error.column, error.text);
		return NULL;
	}
	json = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	size = strlen(type) + strlen(json) + 2;
	text = xmalloc(size);
	snprintf(text, size, "%s %s", type, json);
	free(json);
	return text;
}

static Ns__RecordOp
operation(struct cli *cli, Ns__RecordOp__Kind kind, char **text)
{
	Ns__RecordOp op = NS__RECORD_OP__INIT;

	op.kind = kind;
	op.name = cli_str(cli->words[1]);
	op.type = cli_str(NSPOLICY);
	op.rdata = text;
	op.n_rdata = 1;
	return op;
}

static int
edit(struct cli *cli, Ns__RecordOp__Kind kind, char *text)
{
	Ns__RecordOp op = operation(cli, kind, &text);

	return cli_edit_op(cli, &op);
}

int
cmd_policy_set(struct cli *cli)
{
	char *text = read_file(cli, cli->words[3], cli->words[2]);
	int code;

	if (text == NULL)
		return CLI_USAGE;
	/* Add: the policies for other types stay. */
	code = edit(cli, NS__RECORD_OP__KIND__ADD, text);
	free(text);
	return code;
}

int
cmd_policy_del(struct cli *cli)
{
	return edit(cli, NS__RECORD_OP__KIND__DEL, cli_str(cli->words[2]));
}

/* The policies at a name, or of the zone; NULL after a message. */
static Ns__Envelope *
ask(struct cli *cli, const char *name, uint32_t limit, int *code)
{
	Ns__RecordListRequest body = NS__RECORD_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.zone = cli_str(cli->words[0]);
	body.name = cli_str(name);
	body.type = cli_str(NSPOLICY);
	body.cursor = cli_str(cli->opt[OPT_CURSOR]);
	body.limit = limit;
	request.body_case = NS__ENVELOPE__BODY_RECORD_LIST_REQUEST;
	request.record_list_request = &body;
	return cli_call(cli, &request, NS__ENVELOPE__BODY_RECORD_LIST_REPLY, code);
}

/* 0: an older appliance says nothing of it. */
static unsigned
closure_of(const Ns__RecordListReply__RRset *set, size_t i)
{
	return set->closure != NULL && i < set->closure->n_rrsets ? set->closure->rrsets[i] : 0;
}

/* {"name","type","policy","closure"} of one line "TYPE {JSON}"; NULL: not one. */
static json_t *
policy_object(const char *name, const char *text, unsigned closure)
{
	size_t n = strcspn(text, " ");
	json_t *policy = text[n] == ' ' ? json_loads(text + n, 0, NULL) : NULL;

	if (policy == NULL)
		return NULL;
	return json_pack("{ssss%sosi}", "name", name, "type", text, n, "policy", policy, "closure",
	    (int)closure);
}

/* The policy of words ZONE NAME TYPE, the zone's serial and its closure; NULL after a message. */
static json_t *
fetch(struct cli *cli, uint32_t *serial, unsigned *closure, int *code)
{
	Ns__Envelope *reply = ask(cli, cli->words[1], 0, code);
	json_t *found = NULL;

	if (reply == NULL)
		return NULL;
	for (size_t i = 0; i < reply->record_list_reply->n_rrsets; i++) {
		const Ns__RecordListReply__RRset *set = reply->record_list_reply->rrsets[i];

		for (size_t d = 0; d < set->n_rdata && found == NULL; d++) {
			size_t n = strlen(cli->words[2]);

			if (strncasecmp(set->rdata[d], cli->words[2], n) != 0 ||
			    set->rdata[d][n] != ' ')
				continue;
			found = json_loads(set->rdata[d] + n, 0, NULL);
			*closure = closure_of(set, d);
		}
	}
	*serial = reply->record_list_reply->serial;
	ns__envelope__free_unpacked(reply, NULL);
	if (found == NULL) {
		struct ns_why why = { 0 };

		ns_fail(
		    &why, NS_NOTFOUND, 0, "%s has no policy for %s", cli->words[1], cli->words[2]);
		*code = cli_error(cli, &why);
	}
	return found;
}

int
cmd_policy_show(struct cli *cli)
{
	int code = CLI_OK;
	unsigned closure = 0;
	uint32_t serial;
	json_t *found = fetch(cli, &serial, &closure, &code);
	char *text, number[32];

	if (found == NULL)
		return code;
	if (cli->format != CLI_TABLE) {
		cli_print_json_value(cli, found);
		return CLI_OK;
	}
	text = json_dumps(found, JSON_INDENT(2));
	puts(text);
	if (closure > 0)
		fprintf(stderr,
		    "nameserve: %s different answer%s while at most one check is down\n",
		    cli_closure(closure, number, sizeof number), closure == 1 ? "" : "s");
	free(text);
	json_decref(found);
	return CLI_OK;
}

static const char *
pool_list(json_t *policy, char *out, size_t size)
{
	const char *name;
	json_t *pool;

	out[0] = '\0';
	json_object_foreach(json_object_get(policy, "pools"), name, pool)
	{
		size_t n = strlen(out);

		(void)pool;
		snprintf(out + n, size - n, "%s%s", n > 0 ? " " : "", name);
	}
	return out;
}

static void
list_table(json_t *rows)
{
	static const char *const titles[] = { "NAME", "TYPE", "TTL", "ROOT", "ANSWERS", "POOLS" };
	struct table *t = table_new(titles, 6, "llrlrl");
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		json_t *policy = json_object_get(row, "policy");
		json_t *use = json_object_get(json_object_get(policy, "root"), "use");
		char pools[80], number[32];

		table_cell(t, "%s", json_string_value(json_object_get(row, "name")));
		table_cell(t, "%s", json_string_value(json_object_get(row, "type")));
		table_cell(t, "%lld", json_integer_value(json_object_get(policy, "ttl")));
		table_cell(t, "%s", use != NULL ? json_string_value(use) : "pool");
		table_cell(t, "%s",
		    cli_closure((unsigned)json_integer_value(json_object_get(row, "closure")),
			number, sizeof number));
		table_cell(t, "%s", pool_list(policy, pools, sizeof pools));
	}
	table_print(&t);
}

int
cmd_policy_list(struct cli *cli)
{
	int code;
	uint32_t limit;
	Ns__Envelope *reply;
	json_t *rows, *doc;

	if ((code = cli_limit(cli, 10000, &limit)) != CLI_OK)
		return code;
	reply = ask(cli, NULL, limit, &code);
	if (reply == NULL)
		return code;
	rows = json_array();
	for (size_t i = 0; i < reply->record_list_reply->n_rrsets; i++) {
		const Ns__RecordListReply__RRset *set = reply->record_list_reply->rrsets[i];

		for (size_t d = 0; d < set->n_rdata; d++)
			json_array_append_new(
			    rows, policy_object(set->name, set->rdata[d], closure_of(set, d)));
	}
	doc = json_pack("{sssoss}", "schema", "ns.policy.list/1", "policies", rows, "next",
	    reply->record_list_reply->next);
	if (cli->format == CLI_TABLE) {
		list_table(rows);
		cli_more(reply->record_list_reply->next);
		json_decref(doc);
	} else if (cli->format == CLI_JSONL) {
		cli_print_rows(doc, "policies");
	} else {
		cli_print_json_value(cli, doc);
	}
	ns__envelope__free_unpacked(reply, NULL);
	return CLI_OK;
}

/* ---- drain ---- */
/* Marks every answer with that value; how many there are. */
static unsigned
mark(json_t *policy, const char *value, bool drain)
{
	const char *name;
	json_t *pool, *answer;
	unsigned n = 0;
	size_t i;

	json_object_foreach(json_object_get(policy, "pools"), name, pool)
	{
		json_array_foreach(json_object_get(pool, "answers"), i, answer)
		{
			const char *its = json_string_value(json_object_get(answer, "value"));

			if (its == NULL || strcasecmp(its, value) != 0)
				continue;
			n++;
			if (drain)
				json_object_set_new(answer, "drain", json_true());
			else
				json_object_del(answer, "drain");
		}
	}
	return n;
}

/* Nobody else's change of the policy may be lost in between. */
static void
pin_base(struct cli *cli, uint32_t serial, char text[16])
{
	snprintf(text, 16, "%u", serial);
	if (cli->opt[OPT_COMMIT] != NULL && cli->opt[OPT_BASE] == NULL)
		cli->opt[OPT_BASE] = text;
}

/* How long caches keep what the policy answered until now, as the plan says: a longer TTL that it had lately counts. */
static bool
old_ttl(struct cli *cli, char *text, uint32_t *ttl, int *code)
{
	Ns__RecordOp op = operation(cli, NS__RECORD_OP__KIND__ADD, &text), *ops = &op;
	Ns__ZoneEdit zone = NS__ZONE_EDIT__INIT, *zones = &zone;
	Ns__Envelope *reply;

	zone.zone = cli_str(cli->words[0]);
	zone.ops = &ops;
	zone.n_ops = 1;
	if ((reply = cli_plan(cli, &zones, 1, code)) == NULL)
		return false;
	*ttl = reply->plan_reply->n_zones > 0 ? reply->plan_reply->zones[0]->old_ttl : 0;
	ns__envelope__free_unpacked(reply, NULL);
	return true;
}

/* When caches have forgotten the answer: counted from when all serve the change. */
static void
say_when(const struct cli *cli, uint32_t ttl)
{
	char at[CLOCK_RFC3339_LEN];

	if (cli->opt[OPT_COMMIT] == NULL)
		fprintf(stderr,
		    "From the commit on it takes %u s until caches have forgotten it.\n", ttl);
	else
		fprintf(stderr,
		    "%s is given no more where another answer is up; caches have forgotten it at "
		    "%s, in %u s.\n",
		    cli->words[3], clock_rfc3339(clock_wall_ms() + ttl * 1000ll, at), ttl);
}

static int
drain(struct cli *cli, bool on)
{
	int code = CLI_OK;
	unsigned closure = 0;
	uint32_t serial = 0;
	json_t *policy = fetch(cli, &serial, &closure, &code);
	uint32_t ttl = 0;
	char *json, *text, base[16];
	struct ns_why why = { 0 };

	if (policy == NULL)
		return code;
	if (mark(policy, cli->words[3], on) == 0) {
		json_decref(policy);
		ns_fail(&why, NS_NOTFOUND, 0, "the policy of %s has no answer %s", cli->words[1],
		    cli->words[3]);
		return cli_error(cli, &why);
	}
	json = json_dumps(policy, JSON_COMPACT);
	json_decref(policy);
	text = xasprintf("%s %s", cli->words[2], json);
	free(json);
	pin_base(cli, serial, base);
	if (!on || old_ttl(cli, text, &ttl, &code))
		code = edit(cli, NS__RECORD_OP__KIND__ADD, text);
	free(text);
	if (code == CLI_OK && on)
		say_when(cli, ttl);
	return code;
}

int
cmd_policy_drain(struct cli *cli)
{
	return drain(cli, true);
}

int
cmd_policy_undrain(struct cli *cli)
{
	return drain(cli, false);
}

/* check - health checks: defined by a JSON file, shown with who says what. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/cli/cli.h"
#include "ipc/json.h"

#define FILE_MAX (64u << 10)

/* ---- JSON to message ---- */
/* What a string may not hold on its way is written as the appliance reads it again: \r \n \t \xHH. */
static char *
escaped(const char *s)
{
	char *out = malloc(strlen(s) * 4 + 1), *p = out;

	for (; out != NULL && *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c >= 0x20 && c != 0x7f)
			*p++ = *s;
		else
			p += snprintf(p, 5, "\\x%02x", c);
	}
	if (p != NULL)
		*p = '\0';
	return out;
}

static bool
fill_list(void *member, void *count, const json_t *v)
{
	size_t n = json_array_size(v), i;
	char **list = calloc(n + 1, sizeof *list);
	json_t *one;

	json_array_foreach(v, i, one)
	{
		if (list == NULL || !json_is_string(one))
			return false;
		list[i] = escaped(json_string_value(one));
	}
	*(char ***)member = list;
	*(size_t *)count = n;
	return json_is_array(v);
}

/* NULL, or what it should be. */
static const char *
fill_field(Ns__Check *c, const ProtobufCFieldDescriptor *f, const json_t *v)
{
	void *member = (uint8_t *)c + f->offset;

	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		return f->type == PROTOBUF_C_TYPE_STRING &&
			       fill_list(member, (uint8_t *)c + f->quantifier_offset, v)
			   ? NULL
			   : "a list of strings";
	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		/* "probers": 3 is as good as "3". */
		if (json_is_integer(v) && strcmp(f->name, "probers") == 0) {
			char text[32];

			snprintf(text, sizeof text, "%lld", (long long)json_integer_value(v));
			*(char **)member = strdup(text);
		} else if (json_is_string(v)) {
			*(char **)member = escaped(json_string_value(v));
		} else {
			return "a string";
		}
		return NULL;
	case PROTOBUF_C_TYPE_UINT32:
		if (!json_is_integer(v) || json_integer_value(v) < 0 ||
		    json_integer_value(v) > 1000000)
			return "a number";
		*(uint32_t *)member = (uint32_t)json_integer_value(v);
		return NULL;
	case PROTOBUF_C_TYPE_DOUBLE:
		if (!json_is_number(v))
			return "a number";
		*(double *)member = json_number_value(v);
		return NULL;
	case PROTOBUF_C_TYPE_BOOL:
		if (!json_is_boolean(v))
			return "true or false";
		*(protobuf_c_boolean *)member = json_is_true(v);
		return NULL;
	default:
		return NULL; /* override and push: shown, never defined */
	}
}

static int
fill(const char *name, json_t *doc, Ns__Check *c)
{
	const char *key, *wants;
	json_t *value;

	if (!json_is_object(doc))
		return cli_usage(NULL, "%s: not a JSON object", name);
	c->verify_tls = true;
	json_object_foreach(doc, key, value)
	{
		const ProtobufCFieldDescriptor *f =
		    protobuf_c_message_descriptor_get_field_by_name(&ns__check__descriptor, key);

		if (f == NULL)
			return cli_usage(NULL, "%s: a check has no field \"%s\"", name, key);
		if ((wants = fill_field(c, f, value)) != NULL)
			return cli_usage(NULL, "%s: %s is %s", name, key, wants);
	}
	return CLI_OK;
}

static json_t *
read_json(const char *path)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char *text = malloc(FILE_MAX + 1);
	json_error_t error;
	json_t *doc = NULL;
	size_t n;

	if (f == NULL || text == NULL) {
		cli_usage(NULL, "%s: %s", path, strerror(errno));
		free(text);
		return NULL;
	}
	n = fread(text, 1, FILE_MAX + 1, f);
	if (n > FILE_MAX)
		cli_usage(NULL, "%s: longer than a check can be", path);
	else if ((doc = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error)) == NULL)
		cli_usage(NULL, "%s:%d: %s", path, error.line, error.text);
	free(text);
	if (f != stdin)
		fclose(f);
	return doc;
}

/* ---- changes ---- */
static int
call_object(struct cli *cli, Ns__Envelope *request)
{
	return cli_show(cli, request,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_OBJECT_REPLY, "ns.check/1", NULL, cli_object_table });
}

static int
set(struct cli *cli, Ns__Check *check)
{
	Ns__CheckSetRequest body = NS__CHECK_SET_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.name = cli_str(cli->words[0]);
	body.check = check;
	body.remove = check == NULL;
	body.comment = cli_str(cli->opt[OPT_COMMENT]);
	body.idempotency_key = cli_str(cli->opt[OPT_KEY]);
	request.body_case = NS__ENVELOPE__BODY_CHECK_SET_REQUEST;
	request.check_set_request = &body;
	return call_object(cli, &request);
}

Ns__Check *
cli_check_file(const char *path, int *code)
{
	Ns__Check *check = malloc(sizeof *check);
	json_t *doc = read_json(path);

	*code = CLI_USAGE;
	if (doc != NULL && check != NULL) {
		ns__check__init(check);
		*code = fill(path, doc, check);
		if (*code != CLI_OK) {
			ns__check__free_unpacked(check, NULL);
			check = NULL;
		}
	} else {
		free(check);
		check = NULL;
	}
	json_decref(doc);
	return check;
}

int
cmd_check_set(struct cli *cli)
{
	int code;
	Ns__Check *check = cli_check_file(cli->words[1], &code);

	if (check == NULL)
		return code;
	code = set(cli, check);
	ns__check__free_unpacked(check, NULL);
	return code;
}

int
cmd_check_del(struct cli *cli)
{
	return set(cli, NULL);
}

static void
state_table(const ProtobufCMessage *m)
{
	const Ns__Caches *c = ((const Ns__ObjectReply *)m)->caches;

	cli_object_table(m);
	if (c != NULL)
		printf("answers of the former state are in caches until %s%s, %u s from now\n",
		    c->partial ? "at least " : "", c->until, c->seconds);
	else
		puts("no policy looks at it");
}

static int
state(struct cli *cli, bool push)
{
	Ns__CheckStateRequest body = NS__CHECK_STATE_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	unsigned ms = 0;

	if (cli->opt[OPT_FOR] != NULL && (!cli_duration_ms(cli->opt[OPT_FOR], &ms) || ms == 0))
		return cli_usage(NULL, "--for takes a time: 90s, 2h");
	body.name = cli_str(cli->words[0]);
	body.state = cli_str(cli->words[1]);
	body.push = push;
	body.for_ms = ms;
	body.comment = cli_str(cli->opt[OPT_COMMENT]);
	body.idempotency_key = cli_str(cli->opt[OPT_KEY]);
	request.body_case = NS__ENVELOPE__BODY_CHECK_STATE_REQUEST;
	request.check_state_request = &body;
	return cli_show(cli, &request,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_OBJECT_REPLY, "ns.check/1", NULL, state_table });
}

int
cmd_check_override(struct cli *cli)
{
	return state(cli, false);
}

int
cmd_check_push(struct cli *cli)
{
	return state(cli, true);
}

/* ---- list and show ---- */
static const char *
note(const Ns__CheckInfo *c)
{
	return c->override != NULL ? "override"
	       : c->frozen         ? "frozen"
	       : c->stale          ? "stale"
	       : c->initial        ? "no verdict yet"
				   : "";
}

static void
list_table(const Ns__CheckListReply *r)
{
	static const char *const titles[] = { "NAME", "TYPE", "TARGET", "STATE", "SINCE", "NOTE",
		"WHY" };
	struct table *t = table_new(titles, 7, "lllllll");

	for (size_t i = 0; i < r->n_checks; i++) {
		const Ns__CheckInfo *c = r->checks[i];

		table_cell(t, "%s", c->name);
		table_cell(t, "%s", c->type);
		table_cell(t, "%s", c->target);
		table_cell(t, "%s", c->state);
		table_cell(t, "%s", c->since);
		table_cell(t, "%s", note(c));
		table_cell(t, "%s", c->reason);
	}
	table_print(&t);
	cli_more(r->next);
	if (r->frozen)
		fputs("This appliance sees too little of the fleet: states are frozen.\n", stderr);
}

static void
flips_table(Ns__CheckInfo__Flip *const *flips, size_t n)
{
	static const char *const titles[] = { "AT", "CHECK", "STATE", "REASON" };
	struct table *t = table_new(titles, 4, "llll");

	for (size_t i = 0; i < n; i++) {
		table_cell(t, "%s", flips[i]->at);
		table_cell(t, "%s", flips[i]->check);
		table_cell(t, "%s", flips[i]->state);
		table_cell(t, "%s", flips[i]->reason);
	}
	table_print(&t);
}

static void
show_table(const Ns__CheckInfo *c)
{
	static const char *const votes[] = { "APPLIANCE", "STATE", "RTT", "AGE", "REASON" };
	struct table *t;

	printf("%s  %s %s  %s since %s  %s\n", c->name, c->type, c->target, c->state, c->since,
	    note(c));
	print_safe(stdout, c->reason);
	putchar('\n');
	if (c->override != NULL)
		printf("override %s by %s until %s: %s\n", c->override->state, c->override->author,
		    c->override->until[0] != '\0' ? c->override->until : "taken back",
		    c->override->reason);
	t = table_new(votes, 5, "llrrl");
	for (size_t i = 0; i < c->n_votes; i++) {
		table_cell(t, "%s", c->votes[i]->appliance);
		table_cell(t, "%s", c->votes[i]->state);
		table_cell(t, "%.1f ms", c->votes[i]->rtt_ms);
		table_cell(t, "%.0f s", c->votes[i]->age_s);
		table_cell(t, "%s", c->votes[i]->reason);
	}
	table_print(&t);
	if (c->n_flips > 0)
		flips_table(c->flips, c->n_flips);
}

static Ns__Envelope *
ask(struct cli *cli, const char *name, bool history, int *code)
{
	Ns__CheckListRequest body = NS__CHECK_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	if ((*code = cli_limit(cli, 1000, &body.limit)) != CLI_OK)
		return NULL;
	body.name = cli_str(name);
	body.history = history;
	body.filter = cli_str(cli->opt[OPT_FILTER]);
	body.cursor = cli_str(cli->opt[OPT_CURSOR]);
	request.body_case = NS__ENVELOPE__BODY_CHECK_LIST_REQUEST;
	request.check_list_request = &body;
	return cli_call(cli, &request, NS__ENVELOPE__BODY_CHECK_LIST_REPLY, code);
}

int
cmd_check_list(struct cli *cli)
{
	int code = CLI_OK;
	Ns__Envelope *reply = ask(cli, "", false, &code);

	if (reply == NULL)
		return code;
	if (cli->format == CLI_TABLE)
		list_table(reply->check_list_reply);
	else if (cli->format == CLI_JSONL)
		cli_print_rows(ns_json_from(&reply->check_list_reply->base, NULL), "checks");
	else
		code = cli_print_json(cli, &reply->check_list_reply->base, "ns.check.list/1");
	ns__envelope__free_unpacked(reply, NULL);
	return code;
}

int
cmd_check_show(struct cli *cli)
{
	int code = CLI_OK;
	Ns__Envelope *reply = ask(cli, cli->words[0], false, &code);

	if (reply == NULL)
		return code;
	if (reply->check_list_reply->n_checks != 1)
		code = cli_unexpected(cli);
	else if (cli->format == CLI_TABLE)
		show_table(reply->check_list_reply->checks[0]);
	else
		code = cli_print_json(
		    cli, &reply->check_list_reply->checks[0]->base, "ns.check.show/1");
	ns__envelope__free_unpacked(reply, NULL);
	return code;
}

int
cmd_check_history(struct cli *cli)
{
	int code = CLI_OK;
	Ns__Envelope *reply = ask(cli, cli->n_words > 0 ? cli->words[0] : "", true, &code);

	if (reply == NULL)
		return code;
	if (cli->format == CLI_TABLE)
		flips_table(reply->check_list_reply->flips, reply->check_list_reply->n_flips);
	else if (cli->format == CLI_JSONL)
		cli_print_rows(ns_json_from(&reply->check_list_reply->base, NULL), "flips");
	else
		code = cli_print_json(cli, &reply->check_list_reply->base, "ns.check.history/1");
	ns__envelope__free_unpacked(reply, NULL);
	return code;
}

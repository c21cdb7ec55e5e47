/* call - one request to the appliance and what became of it: reply, refusal, exit code. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console/cli/cli.h"
#include "ipc/json.h"

const char *
cli_ssh_target(const struct cli *cli)
{
	const char *to = cli->opt[OPT_APPLIANCE];

	return to != NULL && strncmp(to, "ssh:", 4) == 0 ? to : NULL;
}

struct ns_client *
cli_client(struct cli *cli, int *code)
{
	struct ns_why why = { 0 };

	const char *ssh = cli_ssh_target(cli);
	const char *path = ssh != NULL ? ssh : cli->opt[OPT_SOCKET];
	char absolute[PATH_MAX], here[PATH_MAX];

	if (cli->client == NULL && ssh == NULL && path != NULL && path[0] != '/' &&
	    getcwd(here, sizeof here) != NULL &&
	    snprintf(absolute, sizeof absolute, "%s/%s", here, path) < (int)sizeof absolute)
		path = absolute;
	if (cli->client == NULL)
		cli->client = ns_client_open(&(struct ns_client_options){ .socket = path,
						 .person = cli->person,
						 .software = cli->software,
						 .read_only = cli->opt[OPT_READ_ONLY] != NULL },
		    &why);
	if (cli->client == NULL)
		*code = cli_error(cli, &why);
	else if (ssh == NULL)
		ns_client_to(cli->client, cli->opt[OPT_APPLIANCE]);
	return cli->client;
}

Ns__Envelope *
cli_call(struct cli *cli, Ns__Envelope *request, Ns__Envelope__BodyCase expected, int *code)
{
	struct ns_why why = { 0 };

	if (cli_client(cli, code) == NULL)
		return NULL;
	Ns__Envelope *reply = ns_client_call(cli->client, request, cli->timeout_ms, &why);
	if (reply == NULL)
		*code = cli_error(cli, &why);
	if (reply == NULL || reply->body_case == expected)
		return reply;
	ns__envelope__free_unpacked(reply, NULL);
	*code = cli_unexpected(cli);
	return NULL;
}

static void
error_text(const struct ns_why *why)
{
	fputs("nameserve: ", stderr);
	if (why->code != 0)
		fprintf(stderr, "E%04u ", why->code);
	if (why->line != 0)
		fprintf(stderr, "line %u: ", why->line);
	const char *where = why->owner[0] != '\0' ? why->owner : why->zone;
	if (where[0] != '\0' && strstr(why->text, where) == NULL) {
		print_safe(stderr, where);
		fprintf(stderr, "%s%s: ", why->type[0] != '\0' ? " " : "", why->type);
	}
	print_safe(stderr, why->text[0] != '\0' ? why->text : ns_err_text(why->err));
	fputc('\n', stderr);
}

static void
set_text(json_t *o, const char *key, const char *value)
{
	if (value[0] != '\0')
		json_object_set_new(o, key, json_string(value));
}

/* What stands against what, when the appliance said so with this refusal; NULL: it did not. */
static const Ns__Conflict *
conflict_of(const struct cli *cli, const struct ns_why *why)
{
	const Ns__Error *e = cli->client != NULL ? ns_client_error(cli->client) : NULL;

	return e != NULL && why->err == NS_CONFLICT && e->code == why->code ? e->conflict : NULL;
}

int
cli_error(struct cli *cli, const struct ns_why *why)
{
	const Ns__Conflict *conflict = conflict_of(cli, why);
	char code[16];

	error_text(why);
	if (conflict != NULL)
		cli_print_conflict(conflict);
	if (cli->format != CLI_TABLE) {
		json_t *e = json_object();
		snprintf(code, sizeof code, "E%04u", why->code);
		json_object_set_new(e, "code", json_string(code));
		json_object_set_new(e, "exit", json_integer(ns_err_exit(why->err)));
		set_text(e, "text", why->text[0] != '\0' ? why->text : ns_err_text(why->err));
		set_text(e, "zone", why->zone);
		set_text(e, "owner", why->owner);
		set_text(e, "type", why->type);
		set_text(e, "field", why->field);
		if (why->line != 0)
			json_object_set_new(e, "line", json_integer(why->line));
		if (conflict != NULL)
			json_object_set_new(e, "conflict", ns_json_from(&conflict->base, NULL));
		cli_print_json_value(cli, json_pack("{ssso}", "schema", "ns.error/1", "error", e));
	}
	return ns_err_exit(why->err);
}

int
cli_unexpected(struct cli *cli)
{
	struct ns_why why = { 0 };

	(void)ns_fail(
	    &why, NS_FAILED, 9001, "the appliance answered something else than was asked");
	return cli_error(cli, &why);
}

void
cli_print_json_value(struct cli *cli, json_t *value)
{
	json_dumpf(value, stdout, cli->format == CLI_JSONL ? JSON_COMPACT : JSON_INDENT(2));
	putchar('\n');
	json_decref(value);
}

int
cli_print_json(struct cli *cli, const ProtobufCMessage *message, const char *schema)
{
	cli_print_json_value(cli, ns_json_from(message, schema));
	return CLI_OK;
}

void
cli_print_rows(json_t *document, const char *key)
{
	size_t i;
	json_t *row;

	json_array_foreach(json_object_get(document, key), i, row)
	{
		json_dumpf(row, stdout, JSON_COMPACT);
		putchar('\n');
	}
	json_decref(document);
}

/* Every body of the envelope is a message, and where it is its descriptor says. */
static const ProtobufCMessage *
body_of(const Ns__Envelope *env)
{
	const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(
	    &ns__envelope__descriptor, (unsigned)env->body_case);

	return *(const ProtobufCMessage *const *)(const void *)((const char *)env + f->offset);
}

int
cli_show(struct cli *cli, Ns__Envelope *request, const struct cli_view *view)
{
	int code = CLI_OK;
	Ns__Envelope *reply = cli_call(cli, request, view->body, &code);

	if (reply == NULL)
		return code;
	if (cli->format == CLI_TABLE)
		view->table(body_of(reply));
	else if (cli->format == CLI_JSONL && view->rows != NULL)
		cli_print_rows(ns_json_from(body_of(reply), NULL), view->rows);
	else
		code = cli_print_json(cli, body_of(reply), view->schema);
	ns__envelope__free_unpacked(reply, NULL);
	return code;
}

void
cli_object_table(const ProtobufCMessage *m)
{
	const Ns__ObjectReply *r = (const Ns__ObjectReply *)m;

	printf("%s %s  change %llu\n", r->kind, r->name, (unsigned long long)r->revision);
}

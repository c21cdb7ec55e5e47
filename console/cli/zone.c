/* zone - list, show, create, export, delete. Import has a file of its own. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/cli/draft.h"
#include "ipc/base/xalloc.h"
#include "ipc/json.h"

static void
zones_table(const ProtobufCMessage *m)
{
	const Ns__ZoneListReply *r = (const Ns__ZoneListReply *)m;
	static const char *const titles[] = { "NAME", "SERIAL", "RECORDS", "QPS", "DNSSEC",
		"HEALTH", "CHANGED", "BY" };
	struct table *t = table_new(titles, 8, "lrrrllll");

	for (size_t i = 0; i < r->n_zones; i++) {
		const Ns__ZoneInfo *z = r->zones[i];

		table_cell(t, "%s", z->name);
		table_cell(t, "%u", z->serial);
		table_cell(t, "%llu", (unsigned long long)z->records);
		if (isnan(z->qps))
			table_cell(t, "-");
		else
			table_cell(t, "%.1f", z->qps);
		table_cell(t, "%s%s%s", z->dnssec, z->dnssec_trouble[0] != '\0' ? ", " : "",
		    z->dnssec_trouble);
		table_cell(t, "%s", z->health);
		table_cell(t, "%s", z->changed);
		table_cell(t, "%s", z->changed_by);
	}
	table_print(&t);
	if (r->next[0] != '\0')
		fprintf(stderr, "nameserve: %zu of %llu zones; more: --cursor %s\n", r->n_zones,
		    (unsigned long long)r->total, r->next);
}

int
cmd_zone_list(struct cli *cli)
{
	Ns__ZoneListRequest body = NS__ZONE_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	int code;

	if ((code = cli_limit(cli, 1000, &body.limit)) != CLI_OK)
		return code;
	body.filter = cli_str(cli->opt[OPT_FILTER]);
	body.cursor = cli_str(cli->opt[OPT_CURSOR]);
	body.sort = cli_str(cli->opt[OPT_SORT]);
	body.qps = true;
	/* What has a draft only its owner knows. */
	if (strstr(body.filter, "draft:") != NULL) {
		struct ns_drafts *d = cli_drafts_linked(cli, &code);

		if (d == NULL)
			return code;
		body.n_drafts = ns_drafts_zones(d, &body.drafts);
		ns_drafts_close(&d);
	}
	request.body_case = NS__ENVELOPE__BODY_ZONE_LIST_REQUEST;
	request.zone_list_request = &body;
	code = cli_show(cli, &request,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_ZONE_LIST_REPLY, "ns.zone.list/1", "zones", zones_table });
	for (size_t i = 0; i < body.n_drafts; i++)
		free(body.drafts[i]);
	if (body.n_drafts > 0)
		free(body.drafts);
	return code;
}

static void
print_signatures(const Ns__ZoneInfo *z)
{
	if (strcmp(z->dnssec, "off") != 0)
		printf("signatures %s, %s%s\n",
		    strcmp(z->dnssec, "external") == 0 ? "external" : "made here",
		    z->signatures_until[0] == '\0' ? "none is served yet"
		    : z->signatures_expired        ? "expired since "
						   : "the first one ends ",
		    z->signatures_until);
	if (z->next_key_event[0] != '\0')
		printf("next key event %s\n", z->next_key_event);
}

static void
zone_table(const ProtobufCMessage *m)
{
	const Ns__ZoneInfo *z = (const Ns__ZoneInfo *)m;
	char sites[256] = "";

	cli_sites(z->sites, z->n_sites, sites, sizeof sites);
	printf("%s  serial %u  records %llu  rrsets %llu  dnssec %s  version %llu  served %llu  "
	       "changed %s  sites %s\n",
	    z->name, z->serial, (unsigned long long)z->records, (unsigned long long)z->rrsets,
	    z->dnssec, (unsigned long long)z->version, (unsigned long long)z->served_version,
	    z->changed, sites);
	print_signatures(z);
}

int
cmd_zone_show(struct cli *cli)
{
	Ns__ZoneShowRequest body = NS__ZONE_SHOW_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.zone = cli_str(cli->words[0]);
	body.signatures = true;
	request.body_case = NS__ENVELOPE__BODY_ZONE_SHOW_REQUEST;
	request.zone_show_request = &body;
	return cli_show(cli, &request,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_ZONE_INFO, "ns.zone/1", NULL, zone_table });
}

int
cmd_zone_create(struct cli *cli)
{
	Ns__ZoneCreateRequest body = NS__ZONE_CREATE_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	char **ns = NULL;

	body.zone = cli_str(cli->words[0]);
	body.comment = cli_str(cli->opt[OPT_COMMENT]);
	body.idempotency_key = cli_str(cli->opt[OPT_KEY]);
	body.hostmaster = cli_str(cli->opt[OPT_HOSTMASTER]);
	body.account = cli_str(cli->opt[OPT_ACCOUNT]);
	if (cli->opt[OPT_NS] != NULL)
		body.ns = ns = cli_commas(cli->opt[OPT_NS], &body.n_ns);
	request.body_case = NS__ENVELOPE__BODY_ZONE_CREATE_REQUEST;
	request.zone_create_request = &body;
	int code = cli_commit(cli, &request, NULL);
	free(ns);
	return code;
}

int
cmd_zone_delete(struct cli *cli)
{
	Ns__ZoneDeleteRequest body = NS__ZONE_DELETE_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.zone = cli_str(cli->words[0]);
	body.confirm = cli_str(cli->opt[OPT_CONFIRM]);
	body.comment = cli_str(cli->opt[OPT_COMMENT]);
	body.idempotency_key = cli_str(cli->opt[OPT_KEY]);
	request.body_case = NS__ENVELOPE__BODY_ZONE_DELETE_REQUEST;
	request.zone_delete_request = &body;
	return cli_commit(cli, &request, NULL);
}

/* ---- the trash ---- */
int
cmd_zone_restore(struct cli *cli)
{
	Ns__ZoneRestoreRequest body = NS__ZONE_RESTORE_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.zone = cli_str(cli->words[0]);
	body.comment = cli_str(cli->opt[OPT_COMMENT]);
	body.idempotency_key = cli_str(cli->opt[OPT_KEY]);
	request.body_case = NS__ENVELOPE__BODY_ZONE_RESTORE_REQUEST;
	request.zone_restore_request = &body;
	return cli_commit(cli, &request, NULL);
}

static void
trash_table(const ProtobufCMessage *m)
{
	const Ns__TrashListReply *r = (const Ns__TrashListReply *)m;
	static const char *const titles[] = { "ZONE", "DELETED", "BY", "CHANGE", "UNTIL" };
	struct table *t = table_new(titles, 5, "lllrl");

	for (size_t i = 0; i < r->n_items; i++) {
		table_cell(t, "%s", r->items[i]->zone);
		table_cell(t, "%s", r->items[i]->deleted);
		table_cell(t, "%s", r->items[i]->author);
		table_cell(t, "%llu", (unsigned long long)r->items[i]->revision);
		table_cell(t, "%s", r->items[i]->until);
	}
	table_print(&t);
	if (r->truncated)
		fprintf(stderr, "nameserve: there are more: --limit\n");
}

int
cmd_zone_trash(struct cli *cli)
{
	Ns__TrashListRequest body = NS__TRASH_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	int code;

	if ((code = cli_limit(cli, 1000, &body.limit)) != CLI_OK)
		return code;
	request.body_case = NS__ENVELOPE__BODY_TRASH_LIST_REQUEST;
	request.trash_list_request = &body;
	return cli_show(cli, &request,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_TRASH_LIST_REPLY, "ns.zone.trash/1", "items", trash_table });
}

/* ---- export: a stream ---- */
struct export_state {
	struct cli *cli;
	bool over;
	int code;
	bool draft; /* the user's is to be in it */
};

static void
export_chunk(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct export_state *e = arg;

	if (env == NULL) {
		e->code = cli_error(e->cli, why);
		e->over = true;
		return;
	}
	if (e->draft && env->body_case == NS__ENVELOPE__BODY_TEXT_CHUNK &&
	    !env->text_chunk->drafted) {
		fputs("nameserve: this appliance is too old to show a draft as text\n", stderr);
		e->code = CLI_FAILED;
		e->over = true;
		return;
	}
	if (env->body_case == NS__ENVELOPE__BODY_TEXT_CHUNK)
		fwrite(env->text_chunk->text.data, 1, env->text_chunk->text.len, stdout);
	e->over = !env->more;
}

/* With this user's draft in it; false after a message. */
static bool
export_draft(struct export_state *e, struct draft_set *set)
{
	struct ns_drafts *drafts = cli_drafts_linked(e->cli, &e->code);
	bool loaded = drafts != NULL && draft_set_load(e->cli, drafts, DRAFTS_NAMED, set, &e->code);

	ns_drafts_close(&drafts);
	return loaded;
}

int
cmd_zone_export(struct cli *cli)
{
	Ns__ZoneExportRequest body = NS__ZONE_EXPORT_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	struct export_state e = { .cli = cli };
	struct draft_set set = { 0 };

	if (cli->opt[OPT_DRAFT] != NULL && !export_draft(&e, &set))
		return e.code;
	body.zone = cli_str(cli->words[0]);
	body.draft = set.n > 0 ? set.list[0] : NULL;
	request.body_case = NS__ENVELOPE__BODY_ZONE_EXPORT_REQUEST;
	request.zone_export_request = &body;
	e.draft = set.n > 0;
	if (cli_client(cli, &e.code) != NULL) {
		ns_client_request(cli->client, &request, cli->timeout_ms, export_chunk, &e);
		ns_client_wait(cli->client, &e.over);
	}
	draft_set_free(&set);
	return e.code;
}

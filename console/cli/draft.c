/* draft - edits that are not committed yet: made by record and import, shown, taken back, committed.
 *
 * The files are the client library's (ipc/client/draft.h); this is their command line.  A new operation is
 * kept only when the appliance finds the whole draft sound, so what is refused is refused at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/cli/draft.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "ipc/json.h"

#define LOCK_MS 5000u

/* ---- which drafts ---- */
/* The appliance that answers here names the drafts; *code when it does not. */
struct ns_drafts *
cli_drafts_linked(struct cli *cli, int *code)
{
	Ns__StatusRequest body = NS__STATUS_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT, *reply;
	struct ns_drafts *d = NULL;
	struct ns_why why = { 0 };

	request.body_case = NS__ENVELOPE__BODY_STATUS_REQUEST;
	request.status_request = &body;
	reply = cli_call(cli, &request, NS__ENVELOPE__BODY_STATUS_REPLY, code);
	if (reply == NULL)
		return NULL;
	d = ns_drafts_open(NULL, reply->status_reply->name, &why);
	ns__envelope__free_unpacked(reply, NULL);
	if (d != NULL && ns_drafts_lock(d, LOCK_MS, &why) != NS_OK)
		ns_drafts_close(&d);
	if (d == NULL && why.err != NS_OK)
		*code = cli_error(cli, &why);
	return d;
}

static int
fail(struct cli *cli, struct ns_drafts **d, const struct ns_why *why)
{
	ns_drafts_close(d);
	return cli_error(cli, why);
}

/* ---- requests ---- */
Ns__Envelope *
cli_plan(struct cli *cli, Ns__ZoneEdit **edits, size_t n, int *code)
{
	Ns__PlanRequest body = NS__PLAN_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.zones = edits;
	body.n_zones = n;
	request.body_case = NS__ENVELOPE__BODY_PLAN_REQUEST;
	request.plan_request = &body;
	return cli_call(cli, &request, NS__ENVELOPE__BODY_PLAN_REPLY, code);
}

const Ns__ZoneInfo *
cli_zone(struct cli *cli, const char *zone, Ns__Envelope **reply, int *code)
{
	Ns__ZoneShowRequest body = NS__ZONE_SHOW_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.zone = cli_str(zone);
	request.body_case = NS__ENVELOPE__BODY_ZONE_SHOW_REQUEST;
	request.zone_show_request = &body;
	*reply = cli_call(cli, &request, NS__ENVELOPE__BODY_ZONE_INFO, code);
	return *reply != NULL ? (*reply)->zone_info : NULL;
}

/* ---- one operation more ---- */
json_t *
cli_draft_json(const Ns__Draft *d)
{
	return json_pack("{ss ss sI sI si}", "schema", "ns.draft/1", "zone", d->zone, "base_serial",
	    (json_int_t)d->base_serial, "base_version", (json_int_t)d->base_version, "ops",
	    (int)d->n_ops);
}

int
cli_draft_print(struct cli *cli, const Ns__Draft *d)
{
	if (cli->format != CLI_TABLE) {
		cli_print_json_value(cli, cli_draft_json(d));
		return CLI_OK;
	}
	printf("draft %s  %zu operation%s on serial %u\n", d->zone, d->n_ops,
	    d->n_ops == 1 ? "" : "s", d->base_serial);
	fprintf(stderr,
	    "nameserve: not served yet: nameserve plan %s, then nameserve commit %s -m TEXT\n",
	    d->zone, d->zone);
	return CLI_OK;
}

/* Is what the draft has become sound?  A conflict with others' changes is told, but no reason to lose it. */
static int
check_draft(struct cli *cli, const Ns__Draft *d)
{
	Ns__ZoneEdit edit, *edits[] = { &edit };
	Ns__Envelope *reply;
	int code = CLI_OK;

	draft_edit(&edit, d);
	reply = cli_plan(cli, edits, 1, &code);
	if (reply != NULL)
		ns__envelope__free_unpacked(reply, NULL);
	return code;
}

static int
op_into(struct cli *cli, struct ns_drafts *drafts, const Ns__ZoneInfo *z, Ns__RecordOp *op)
{
	struct ns_why why = { 0 };
	Ns__Draft *d = NULL;
	enum ns_err err = ns_draft_load(drafts, z->name, &d, &why);
	uint64_t base;
	int code;

	if (err == NS_NOTFOUND)
		d = draft_new(z->name, z->version, z->serial, clock_wall_ms());
	else if (err != NS_OK)
		return cli_error(cli, &why);
	if (cli->opt[OPT_BASE] != NULL &&
	    (!cli_number(cli->opt[OPT_BASE], UINT32_MAX, &base) || base != d->base_serial)) {
		(void)ns_fail(&why, NS_CONFLICT, 2104, "the draft would be on serial %u, not on %s",
		    d->base_serial, cli->opt[OPT_BASE]);
		ns__draft__free_unpacked(d, NULL);
		return cli_error(cli, &why);
	}
	draft_add(d, op, clock_wall_ms());
	if (cli->opt[OPT_COMMENT] != NULL)
		draft_comment(d, cli->opt[OPT_COMMENT]);
	code = check_draft(cli, d);
	if ((code == CLI_OK || code == ns_err_exit(NS_CONFLICT)) &&
	    ns_draft_save(drafts, d, &why) != NS_OK)
		code = cli_error(cli, &why);
	else if (code == CLI_OK)
		code = cli_draft_print(cli, d);
	else if (code == ns_err_exit(NS_CONFLICT))
		fputs("nameserve: the operation is in the draft all the same\n", stderr);
	ns__draft__free_unpacked(d, NULL);
	return code;
}

int
cli_draft_op(struct cli *cli, Ns__RecordOp *op)
{
	int code = CLI_OK;
	Ns__Envelope *reply = NULL;
	const Ns__ZoneInfo *z = cli_zone(cli, cli->words[0], &reply, &code);
	struct ns_drafts *drafts = z != NULL ? cli_drafts_linked(cli, &code) : NULL;

	if (drafts != NULL)
		code = op_into(cli, drafts, z, op);
	ns_drafts_close(&drafts);
	if (reply != NULL)
		ns__envelope__free_unpacked(reply, NULL);
	return code;
}

/* ---- showing ---- */
struct listing {
	struct table *table;
	json_t *rows;
	const char *fleet;
};

static const char *
time_text(int64_t ms, char out[CLOCK_RFC3339_LEN])
{
	return ms > 0 ? clock_rfc3339(ms, out) : "-";
}

static bool
list_one(void *arg, const char *zone, const Ns__Draft *d, const struct ns_why *why)
{
	struct listing *l = arg;
	char created[CLOCK_RFC3339_LEN], updated[CLOCK_RFC3339_LEN];

	if (d == NULL) {
		fputs("nameserve: ", stderr);
		print_safe(stderr, why->text);
		fputc('\n', stderr);
	}
	json_array_append_new(
	    l->rows, json_pack("{ss ss sI sI si ss ss sb}", "zone", zone, "appliance", l->fleet,
			 "base_serial", (json_int_t)(d != NULL ? d->base_serial : 0),
			 "base_version", (json_int_t)(d != NULL ? d->base_version : 0), "ops",
			 (int)(d != NULL ? d->n_ops : 0), "created",
			 time_text(d != NULL ? d->created_ms : 0, created), "updated",
			 time_text(d != NULL ? d->updated_ms : 0, updated), "damaged", d == NULL));
	if (l->table == NULL)
		return true;
	table_cell(l->table, "%s", zone);
	table_cell(l->table, "%s", l->fleet);
	table_cell(l->table, "%zu", d != NULL ? d->n_ops : 0);
	table_cell(l->table, "%u", d != NULL ? d->base_serial : 0);
	table_cell(l->table, "%s", d != NULL ? time_text(d->updated_ms, updated) : "damaged");
	return true;
}

int
cmd_draft_list(struct cli *cli)
{
	static const char *const titles[] = { "ZONE", "APPLIANCE", "OPS", "BASE", "CHANGED" };
	struct listing l = { .rows = json_array() };
	struct ns_why why = { 0 };
	char **fleets;
	size_t n = ns_drafts_fleets(NULL, &fleets);
	int code = CLI_OK;

	if (cli->format == CLI_TABLE)
		l.table = table_new(titles, 5, "llrrl");

	for (size_t i = 0; i < n; i++) {
		struct ns_drafts *d = ns_drafts_open(NULL, fleets[i], &why);

		l.fleet = fleets[i];
		if (d == NULL || ns_drafts_each(d, list_one, &l, &why) != NS_OK)
			code = cli_error(cli, &why);
		ns_drafts_close(&d);
		free(fleets[i]);
	}
	free(fleets);
	if (cli->format == CLI_TABLE) {
		table_print(&l.table);
		json_decref(l.rows);
		return code;
	}
	json_t *doc = json_pack("{ss so}", "schema", "ns.draft.list/1", "drafts", l.rows);
	if (cli->format == CLI_JSONL)
		cli_print_rows(doc, "drafts");
	else
		cli_print_json_value(cli, doc);
	return code;
}

static void
print_op(const Ns__RecordOp *op)
{
	static const char *const verbs[] = { "set", "add", "del" };

	printf(" %s ", verbs[op->kind]);
	print_safe(stdout, op->name);
	if (op->ttl_given)
		printf(" %u", op->ttl);
	putchar(op->type[0] != '\0' ? ' ' : '\n');
	print_safe(stdout, op->type);
	for (size_t i = 0; i < op->n_rdata; i++) {
		fputs(i > 0 ? " | " : " ", stdout);
		print_safe(stdout, op->rdata[i]);
	}
	if (op->type[0] != '\0')
		putchar('\n');
}

/* The draft of the zone named first, locked; NULL after a message. */
static Ns__Draft *
draft_named(struct cli *cli, struct ns_drafts **drafts, int *code)
{
	struct ns_why why = { 0 };
	Ns__Draft *d = NULL;

	*drafts = cli_drafts_linked(cli, code);
	if (*drafts == NULL)
		return NULL;
	if (ns_draft_load(*drafts, cli->words[0], &d, &why) != NS_OK)
		*code = fail(cli, drafts, &why);
	return d;
}

int
cmd_draft_show(struct cli *cli)
{
	int code = CLI_OK;
	struct ns_drafts *drafts;
	Ns__Draft *d = draft_named(cli, &drafts, &code);

	if (d == NULL)
		return code;
	if (cli->format != CLI_TABLE) {
		cli_print_json(cli, &d->base, "ns.draft.show/1");
	} else {
		printf("%s on serial %u\n", d->zone, d->base_serial);
		if (d->comment[0] != '\0') {
			fputs("; ", stdout);
			print_safe(stdout, d->comment);
			putchar('\n');
		}
		for (size_t i = 0; i < d->n_ops; i++)
			print_op(d->ops[i]);
	}
	ns__draft__free_unpacked(d, NULL);
	ns_drafts_close(&drafts);
	return code;
}

int
cmd_draft_undo(struct cli *cli)
{
	int code = CLI_OK;
	struct ns_why why = { 0 };
	struct ns_drafts *drafts;
	Ns__Draft *d = draft_named(cli, &drafts, &code);
	struct draft_undone undone;

	if (d == NULL)
		return code;
	if (draft_undo(d, &undone, clock_wall_ms()))
		draft_undone_free(&undone);
	if ((d->n_ops > 0 ? ns_draft_save(drafts, d, &why)
			  : ns_draft_drop(drafts, d->zone, &why)) != NS_OK)
		code = cli_error(cli, &why);
	else
		code = cli_draft_print(cli, d);
	ns__draft__free_unpacked(d, NULL);
	ns_drafts_close(&drafts);
	return code;
}

int
cmd_draft_drop(struct cli *cli)
{
	int code = CLI_OK;
	struct ns_why why = { 0 };
	struct ns_drafts *drafts;

	if (cli->opt[OPT_YES] == NULL) {
		(void)ns_fail(&why, NS_CONFIRM, CLI_NO_DRAFT,
		    "what is in the draft would be lost: --yes when that is meant");
		return cli_error(cli, &why);
	}
	if ((drafts = cli_drafts_linked(cli, &code)) == NULL)
		return code;
	if (ns_draft_drop(drafts, cli->words[0], &why) != NS_OK)
		code = cli_error(cli, &why);
	ns_drafts_close(&drafts);
	return code;
}

/* The zone as it is now becomes the base: for who has seen the conflict and wants his operations all the same. */
int
cmd_draft_rebase(struct cli *cli)
{
	int code = CLI_OK;
	struct ns_why why = { 0 };
	struct ns_drafts *drafts;
	Ns__Envelope *reply = NULL;
	Ns__Draft *d = draft_named(cli, &drafts, &code);
	const Ns__ZoneInfo *z = d != NULL ? cli_zone(cli, d->zone, &reply, &code) : NULL;

	if (z != NULL) {
		draft_rebase(d, z->version, z->serial, clock_wall_ms());
		code = check_draft(cli, d);
		if (code == CLI_OK && ns_draft_save(drafts, d, &why) != NS_OK)
			code = cli_error(cli, &why);
		else if (code == CLI_OK)
			code = cli_draft_print(cli, d);
	}
	if (reply != NULL)
		ns__envelope__free_unpacked(reply, NULL);
	if (d != NULL)
		ns__draft__free_unpacked(d, NULL);
	ns_drafts_close(&drafts);
	return code;
}

/* ---- plan ---- */
static void
print_effects(const Ns__PlanReply__Zone *z)
{
	if (z->old_ttl > 0)
		printf("   old answers may live up to %u s in caches\n", z->old_ttl);
	if (z->negative_ttl > 0)
		printf("   \"there is none\" may live up to %u s for %llu new RRset%s\n",
		    z->negative_ttl, (unsigned long long)z->new_rrsets,
		    z->new_rrsets == 1 ? "" : "s");
	if (z->confirm)
		printf("   so much takes --confirm=%s\n", z->zone);
}

static void
print_lines(char sign, char *const *lines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		printf(" %c ", sign);
		print_safe(stdout, lines[i]);
		putchar('\n');
	}
}

void
cli_plan_print(const Ns__PlanReply *r)
{
	for (size_t i = 0; i < r->n_zones; i++) {
		const Ns__PlanReply__Zone *z = r->zones[i];

		printf("%s  serial %u -> %u  +%llu -%llu  %llu of %llu records touched (%.1f %%)\n",
		    z->zone, z->serial_before, z->serial_after,
		    (unsigned long long)z->records_added, (unsigned long long)z->records_removed,
		    (unsigned long long)z->records_touched, (unsigned long long)z->records,
		    z->touched_percent);
		print_lines('-', z->removed, z->n_removed);
		print_lines('+', z->added, z->n_added);
		if (z->truncated)
			puts("   ... longer than is shown");
		print_effects(z);
	}
	for (size_t i = 0; i < r->n_warnings; i++)
		cli_print_warning(stdout, r->warnings[i]);
	cli_print_closures(r->policies, r->n_policies);
	printf("plan %s\n", r->plan_hash);
}

/* A mere new serial is none. */
static bool
differs(const Ns__PlanReply *r)
{
	bool some = false;

	for (size_t i = 0; i < r->n_zones; i++)
		some |= r->zones[i]->n_rrsets > 0 || r->zones[i]->rrsets_truncated;
	return some;
}

static enum draft_which
all_or_named(const struct cli *cli)
{
	return cli->opt[OPT_ALL] != NULL ? DRAFTS_ALL : DRAFTS_NAMED;
}

static int
plan_drafts(struct cli *cli)
{
	int code = CLI_OK;
	struct ns_drafts *drafts = cli_drafts_linked(cli, &code);
	Ns__Envelope *reply = NULL;
	struct draft_set s;

	if (drafts == NULL)
		return code;
	if (draft_set_load(cli, drafts, all_or_named(cli), &s, &code)) {
		reply = cli_plan(cli, s.list, s.n, &code);
		if (reply != NULL && cli->format == CLI_TABLE)
			cli_plan_print(reply->plan_reply);
		else if (reply != NULL)
			cli_print_json(cli, &reply->plan_reply->base, "ns.plan/1");
		if (reply != NULL && cli->opt[OPT_EXIT_CODE] != NULL && differs(reply->plan_reply))
			code = CLI_DIFFERS;
		if (reply != NULL)
			ns__envelope__free_unpacked(reply, NULL);
		draft_set_free(&s);
	}
	ns_drafts_close(&drafts);
	return code;
}

int
cmd_draft_diff(struct cli *cli)
{
	return plan_drafts(cli);
}

static int
names_or_all(struct cli *cli, const char *verb)
{
	if ((cli->n_words > 0) != (cli->opt[OPT_ALL] != NULL))
		return CLI_OK;
	return cli_usage(NULL, "%s takes zones that have drafts, or --all", verb);
}

int
cmd_plan(struct cli *cli)
{
	int code = names_or_all(cli, "plan");

	return code == CLI_OK ? plan_drafts(cli) : code;
}

/* ---- commit ---- */
static int
drop_committed(struct cli *cli, struct ns_drafts *drafts, const struct draft_set *s, int code)
{
	struct ns_why why = { 0 };

	for (size_t i = 0; i < s->n; i++)
		if (ns_draft_drop(drafts, s->drafts[i]->zone, &why) != NS_OK)
			code = cli_error(cli, &why);
	return code;
}

static int
commit_set(struct cli *cli, struct ns_drafts *drafts, struct draft_set *s)
{
	Ns__CommitRequest commit = NS__COMMIT_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	bool made = false;
	uint64_t base;
	char *key;
	int code;

	if (cli->opt[OPT_BASE] != NULL &&
	    (s->n != 1 || !cli_number(cli->opt[OPT_BASE], UINT32_MAX, &base) ||
		base != s->drafts[0]->base_serial))
		return cli_usage(NULL, "--base %s: the draft's base is serial %u",
		    cli->opt[OPT_BASE], s->drafts[0]->base_serial);
	commit.zones = s->list;
	commit.n_zones = s->n;
	if (!cli_commit_fill(cli, &commit))
		return CLI_USAGE;
	for (size_t i = 0; i < s->n && commit.comment[0] == '\0'; i++)
		commit.comment = s->drafts[i]->comment;
	key = draft_key(&commit);
	if (commit.idempotency_key[0] == '\0')
		commit.idempotency_key = key;
	request.body_case = NS__ENVELOPE__BODY_COMMIT_REQUEST;
	request.commit_request = &commit;
	code = cli_commit(cli, &request, &made);
	if (made)
		code = drop_committed(cli, drafts, s, code);
	else if (code == ns_err_exit(NS_CONFLICT))
		fputs("nameserve: the draft is kept; `nameserve draft rebase ZONE` puts it on the "
		      "newest "
		      "serial, `draft undo` and `draft drop` take it back\n",
		    stderr);
	cli_commit_free(&commit);
	free(key);
	return code;
}

int
cmd_commit(struct cli *cli)
{
	int code = names_or_all(cli, "commit");
	struct ns_drafts *drafts;
	struct draft_set s;

	if (code != CLI_OK || (drafts = cli_drafts_linked(cli, &code)) == NULL)
		return code;
	if (draft_set_load(cli, drafts, all_or_named(cli), &s, &code)) {
		code = commit_set(cli, drafts, &s);
		draft_set_free(&s);
	}
	ns_drafts_close(&drafts);
	return code;
}

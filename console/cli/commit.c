/* commit - what all commands that change something share: the reply, the options, conflicts; and the changes
 * that are made of other changes (confirm, revert, restore). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/cli/cli.h"
#include "ipc/base/xalloc.h"
#include "ipc/client/draftop.h"
#include "ipc/envelope.h"

#define CLOSURE_MAX 4096u /* what an appliance counts to */

void
cli_print_warning(FILE *f, const Ns__Error *w)
{
	fprintf(f, "warning W%04u ", w->code);
	print_safe(f, w->owner);
	fputc(' ', f);
	print_safe(f, w->type);
	fputs(": ", f);
	print_safe(f, w->text);
	fputc('\n', f);
}

char *
cli_closure(unsigned rrsets, char *out, size_t size)
{
	snprintf(out, size, rrsets > CLOSURE_MAX ? "more than %u" : "%u",
	    rrsets > CLOSURE_MAX ? CLOSURE_MAX : rrsets);
	return out;
}

void
cli_print_closures(Ns__PolicyClosure *const *list, size_t n)
{
	char text[32];

	for (size_t i = 0; i < n; i++) {
		fputs("policy for ", stdout);
		print_safe(stdout, list[i]->type);
		fputs(" at ", stdout);
		print_safe(stdout, list[i]->name);
		printf(": %s different answer%s while at most one check is down\n",
		    cli_closure(list[i]->rrsets, text, sizeof text),
		    list[i]->rrsets == 1 ? "" : "s");
	}
}

static int
print_commit(struct cli *cli, const Ns__CommitReply *r)
{
	for (size_t i = 0; i < r->n_warnings; i++) {
		fputs("nameserve: ", stderr);
		cli_print_warning(stderr, r->warnings[i]);
	}
	if (cli->format != CLI_TABLE) {
		cli_print_json(cli, &r->base, "ns.commit/1");
	} else {
		printf("change %llu", (unsigned long long)r->revision);
		if (r->serial != 0)
			printf("  serial %u", r->serial);
		if (r->replayed)
			printf("  (made before with this key)");
		for (size_t i = 0; i < r->n_served; i++)
			printf(
			    "  served by %s in %.1f ms", r->served[i]->appliance, r->served[i]->ms);
		putchar('\n');
		cli_print_closures(r->policies, r->n_policies);
	}
	if (r->confirm_within_ms > 0)
		fprintf(stderr,
		    "nameserve: it is taken back in %llu s unless you say: nameserve confirm "
		    "%llu\n",
		    (unsigned long long)r->confirm_within_ms / 1000,
		    (unsigned long long)r->revision);
	for (size_t i = 0; i < r->n_late; i++)
		fprintf(stderr, "nameserve: committed, but %s does not serve it yet\n",
		    r->late[i]->name);
	for (size_t i = 0; i < r->n_missing; i++)
		fprintf(stderr,
		    "nameserve: committed, but %s does not serve it: silent for %.0f s\n",
		    r->missing[i]->name, r->missing[i]->silent_s);
	/* Who is not living is not waited for; who should serve it here and does not is late. */
	return r->n_late > 0 || (r->n_missing > 0 && r->n_served == 0) ? CLI_LATE : CLI_OK;
}

/* Every request that is answered with receipts may ask for those of all appliances. */
static void
wait_for_all(Ns__Envelope *request, bool wait)
{
	protobuf_c_boolean *all = ns_body_field(request, "wait_served", PROTOBUF_C_TYPE_BOOL);

	if (all != NULL)
		*all = wait;
}

int
cli_commit(struct cli *cli, Ns__Envelope *request, bool *made)
{
	int code = CLI_OK;
	Ns__Envelope *reply;

	wait_for_all(request, cli->opt[OPT_WAIT] != NULL);
	reply = cli_call(cli, request, NS__ENVELOPE__BODY_COMMIT_REPLY, &code);
	if (made != NULL)
		*made = reply != NULL;
	if (reply == NULL)
		return code;
	code = print_commit(cli, reply->commit_reply);
	ns__envelope__free_unpacked(reply, NULL);
	return code;
}

char **
cli_commas(const char *text, size_t *n)
{
	size_t count = 1, len = strlen(text) + 1;
	char **list, *copy, *piece;

	for (const char *p = text; *p != '\0'; p++)
		count += *p == ',';
	list = xmalloc(count * sizeof *list + len);
	copy = (char *)(list + count);
	memcpy(copy, text, len);
	for (*n = 0; (piece = strsep(&copy, ",")) != NULL;)
		if (*piece != '\0')
			list[(*n)++] = piece;
	return list;
}

bool
cli_commit_fill(struct cli *cli, Ns__CommitRequest *commit)
{
	unsigned ms = 0;

	if (cli->opt[OPT_WITHIN] != NULL && !cli_duration_ms(cli->opt[OPT_WITHIN], &ms)) {
		cli_usage(
		    NULL, "--confirm-within %s: a time like 90s or 10m", cli->opt[OPT_WITHIN]);
		return false;
	}
	commit->comment = cli_str(cli->opt[OPT_COMMENT]);
	commit->idempotency_key = cli_str(cli->opt[OPT_KEY]);
	commit->plan_hash = cli_str(cli->opt[OPT_PLAN]);
	commit->confirm_within_ms = ms;
	if (cli->opt[OPT_CONFIRM] != NULL)
		commit->confirm = cli_commas(cli->opt[OPT_CONFIRM], &commit->n_confirm);
	return true;
}

void
cli_commit_free(Ns__CommitRequest *commit)
{
	free(commit->confirm);
	commit->confirm = NULL;
	commit->n_confirm = 0;
}

/* ---- conflicts ---- */
static void
print_state(const char *whose, const Ns__Conflict__State *s)
{
	fprintf(stderr, "    %-7s ", whose);
	if (s == NULL)
		fputs("(too long to be shown)", stderr);
	else if (!s->there)
		fputs("-", stderr);
	else
		fprintf(stderr, "%u", s->ttl);
	for (size_t i = 0; s != NULL && i < s->n_rdata; i++) {
		fputs(i > 0 ? ", " : "  ", stderr);
		print_safe(stderr, s->rdata[i]);
	}
	fputc('\n', stderr);
}

static void
print_rrset(const Ns__Conflict__RRset *s)
{
	const char *who = s->overlaps                     ? "to decide"
			  : state_same(s->was, s->theirs) ? "yours alone"
			  : state_same(s->was, s->mine)   ? "theirs alone"
							  : "the same";

	fputs("  ", stderr);
	print_safe(stderr, s->name);
	fprintf(stderr, " %s: %s\n", s->type, who);
	print_state("base", s->was);
	print_state("theirs", s->theirs);
	print_state("mine", s->mine);
}

void
cli_print_conflict(const Ns__Conflict *c)
{
	for (size_t i = 0; i < c->n_zones; i++) {
		const Ns__Conflict__Zone *z = c->zones[i];

		print_safe(stderr, z->zone);
		fprintf(stderr, " is at serial %u, change %llu by ", z->serial,
		    (unsigned long long)z->version);
		print_safe(stderr, z->author);
		fprintf(stderr, " at %s: ", z->at);
		print_safe(stderr, z->comment);
		fputc('\n', stderr);
	}
	for (size_t i = 0; i < c->n_rrsets; i++)
		print_rrset(c->rrsets[i]);
	if (c->truncated)
		fputs("  ... and more\n", stderr);
}

/* ---- changes made of changes ---- */
int
cmd_confirm(struct cli *cli)
{
	Ns__ConfirmRequest body = NS__CONFIRM_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	if (!cli_number(cli->words[0], UINT64_MAX - 1, &body.revision))
		return cli_usage(NULL, "%s: not a change's number", cli->words[0]);
	body.comment = cli_str(cli->opt[OPT_COMMENT]);
	body.idempotency_key = cli_str(cli->opt[OPT_KEY]);
	request.body_case = NS__ENVELOPE__BODY_CONFIRM_REQUEST;
	request.confirm_request = &body;
	return cli_commit(cli, &request, NULL);
}

/* The change is not made: what it would be goes into drafts. */
static int
drafts_asked(struct cli *cli, Ns__Envelope *request)
{
	int code = CLI_OK;
	Ns__Envelope *reply = cli_call(cli, request, NS__ENVELOPE__BODY_COMMIT_REPLY, &code);

	if (reply == NULL)
		return code;
	code = cli_drafts_take(cli, reply->commit_reply->drafts, reply->commit_reply->n_drafts);
	ns__envelope__free_unpacked(reply, NULL);
	return code;
}

/* What nobody says why of says what it is. */
static void
comment_or(struct cli *cli, const char *what, uint64_t number)
{
	static char text[64];

	snprintf(text, sizeof text, "%s %llu", what, (unsigned long long)number);
	if (cli->opt[OPT_COMMENT] == NULL)
		cli->opt[OPT_COMMENT] = text;
}

int
cmd_revert(struct cli *cli)
{
	Ns__RevertRequest body = NS__REVERT_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	if (!cli_number(cli->words[0], UINT64_MAX - 1, &body.revision))
		return cli_usage(NULL, "%s: not a change's number", cli->words[0]);
	comment_or(cli, "revert of change", body.revision);
	body.comment = cli_str(cli->opt[OPT_COMMENT]);
	body.idempotency_key = cli_str(cli->opt[OPT_KEY]);
	body.draft = cli->opt[OPT_COMMIT] == NULL;
	if (cli->opt[OPT_CONFIRM] != NULL)
		body.confirm = cli_commas(cli->opt[OPT_CONFIRM], &body.n_confirm);
	request.body_case = NS__ENVELOPE__BODY_REVERT_REQUEST;
	request.revert_request = &body;
	int code = body.draft ? drafts_asked(cli, &request) : cli_commit(cli, &request, NULL);
	free(body.confirm);
	return code;
}

int
cmd_restore(struct cli *cli)
{
	Ns__RewindRequest body = NS__REWIND_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	uint64_t serial;

	if (!cli_number(cli->opt[OPT_TO], UINT32_MAX, &serial))
		return cli_usage(NULL, "restore needs --to SERIAL: `history list ZONE` names them");
	body.zone = cli_str(cli->words[0]);
	body.serial = (uint32_t)serial;
	comment_or(cli, "back to serial", serial);
	body.comment = cli_str(cli->opt[OPT_COMMENT]);
	body.idempotency_key = cli_str(cli->opt[OPT_KEY]);
	if (cli->opt[OPT_CONFIRM] != NULL)
		body.confirm = cli_commas(cli->opt[OPT_CONFIRM], &body.n_confirm);
	body.draft = cli->opt[OPT_COMMIT] == NULL;
	request.body_case = NS__ENVELOPE__BODY_REWIND_REQUEST;
	request.rewind_request = &body;
	int code = body.draft ? drafts_asked(cli, &request) : cli_commit(cli, &request, NULL);
	free(body.confirm);
	return code;
}

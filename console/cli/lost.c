/* lost - changes that another appliance's history won over: shown, made drafts of, forgotten.  The appliance that
 * had them keeps them (appliance/sync/lost.h); ask it, not the primary. */
#include <stdio.h>
#include <string.h>

#include "console/cli/cli.h"
#include "ipc/base/xalloc.h"

#define CODE_YES 1313u

static Ns__Envelope *
lost_call(struct cli *cli, const char *forget, int *code)
{
	Ns__LostRequest body = NS__LOST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.forget = cli_str(forget);
	request.body_case = NS__ENVELOPE__BODY_LOST_REQUEST;
	request.lost_request = &body;
	return cli_call(cli, &request, NS__ENVELOPE__BODY_LOST_REPLY, code);
}

static void
print_others(FILE *f, const Ns__LostReply *r)
{
	for (size_t i = 0; i < r->n_others; i++) {
		fputs("no draft: ", f);
		print_safe(f, r->others[i]);
		fputc('\n', f);
	}
	if (r->truncated)
		fputs("... and more\n", f);
}

static void
print_lost(const ProtobufCMessage *m)
{
	const Ns__LostReply *r = (const Ns__LostReply *)m;

	printf("not in the history of %s, kept in %s\n", r->primary, r->file);
	for (size_t i = 0; i < r->n_changes; i++)
		cli_change_print(&r->changes[i]->base);
	for (size_t i = 0; i < r->n_drafts; i++)
		printf("draft: %s, %zu operations\n", r->drafts[i]->zone, r->drafts[i]->n_ops);
	print_others(stdout, r);
}

int
cmd_draft_lost(struct cli *cli)
{
	Ns__LostRequest body = NS__LOST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	request.body_case = NS__ENVELOPE__BODY_LOST_REQUEST;
	request.lost_request = &body;
	return cli_show(cli, &request,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_LOST_REPLY, "ns.draft.lost/1", NULL, print_lost });
}

static int
forget(struct cli *cli, const char *file)
{
	int code = CLI_OK;
	Ns__Envelope *reply = lost_call(cli, file, &code);

	if (reply != NULL)
		ns__envelope__free_unpacked(reply, NULL);
	return code;
}

/* What is in drafts now need not be kept; all else is. */
int
cmd_draft_take(struct cli *cli)
{
	int code = CLI_OK;
	Ns__Envelope *reply = lost_call(cli, "", &code);
	const Ns__LostReply *r;

	if (reply == NULL)
		return code;
	r = reply->lost_reply;
	code = cli_drafts_take(cli, r->drafts, r->n_drafts);
	if (code == CLI_OK && r->n_others == 0 && !r->truncated) {
		code = forget(cli, r->file);
	} else if (code == CLI_OK) {
		print_others(stderr, r);
		fprintf(stderr,
		    "nameserve: %s is kept: nameserve draft lost shows it, draft forget --yes "
		    "removes it\n",
		    r->file);
	}
	ns__envelope__free_unpacked(reply, NULL);
	return code;
}

int
cmd_draft_forget(struct cli *cli)
{
	int code = CLI_OK;
	struct ns_why why = { 0 };
	Ns__Envelope *reply;

	if (cli->opt[OPT_YES] == NULL) {
		(void)ns_fail(&why, NS_CONFIRM, CODE_YES,
		    "what draft lost shows would be gone: --yes when that is meant");
		return cli_error(cli, &why);
	}
	reply = lost_call(cli, "", &code);
	if (reply == NULL)
		return code;
	code = forget(cli, reply->lost_reply->file);
	ns__envelope__free_unpacked(reply, NULL);
	return code;
}

/* fleet - who belongs to the installation, who comes in, who goes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/cli/cli.h"

void
drained_print(FILE *f, const char *name, const Ns__Drained *d)
{
	fprintf(f, "%s is drained since %s by ", name, d->since);
	print_safe(f, d->author);
	if (d->reason[0] != '\0') {
		fputs(": ", f);
		print_safe(f, d->reason);
	}
	fprintf(f,
	    "\n  it answers what still comes; the largest TTL is %s%u s: caches hold what it "
	    "answered "
	    "before until %s%s\n",
	    d->ttl_partial ? "at least " : "", d->ttl, d->until, d->ttl_partial ? " or later" : "");
}

static void
notes_print(const Ns__FleetListReply__Appliance *a)
{
	if (a->drained != NULL)
		drained_print(stdout, a->name, a->drained);
	if (a->key_roll != NULL && a->key_roll->until[0] == '\0')
		printf("%s is asked for a new key, which it has not told yet\n", a->name);
	else if (a->key_roll != NULL)
		printf("%s has two keys; the old one is refused from %s on\n", a->name,
		    a->key_roll->until);
}

static void
list_print(const ProtobufCMessage *m)
{
	const Ns__FleetListReply *r = (const Ns__FleetListReply *)m;
	static const char *const titles[] = { "NAME", "SITE", "ROLE", "STATE", "SERVES", "LAG",
		"BEHIND", "QPS", "VERSION", "ENDPOINT" };
	struct table *t;

	t = table_new(titles, 10, "llllrrrrll");
	for (size_t i = 0; i < r->n_appliances; i++) {
		const Ns__FleetListReply__Appliance *a = r->appliances[i];
		bool in = strcmp(a->state, "invited") != 0;

		table_cell(t, "%s", a->name);
		table_cell(t, "%s", a->site);
		table_cell(t, "%s", a->role);
		table_cell(t, "%s", a->state);
		table_cell(t, in ? "%llu" : "", (unsigned long long)a->revision);
		table_cell(t, in ? "%.1fs" : "", a->lag_s);
		table_cell(t, in ? "%llu" : "", (unsigned long long)a->lag_changes);
		table_cell(t, in ? "%.0f" : "", a->qps);
		table_cell(t, "%s", a->version);
		table_cell(t, "%s", a->endpoint);
	}
	table_print(&t);
	for (size_t i = 0; i < r->n_appliances; i++)
		notes_print(r->appliances[i]);
	if (r->age_s > 2)
		fprintf(stderr,
		    "nameserve: no word of the primary for %.0f s: this is what it said last\n",
		    r->age_s);
}

int
cmd_fleet_list(struct cli *cli)
{
	Ns__FleetListRequest body = NS__FLEET_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.past = true;
	request.body_case = NS__ENVELOPE__BODY_FLEET_LIST_REQUEST;
	request.fleet_list_request = &body;
	return cli_show(cli, &request,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_FLEET_LIST_REPLY, "ns.fleet.list/1", NULL, list_print });
}

/* ---- one of them ---- */
static void
point_print(const char *what, const Ns__FleetShowReply__Point *p)
{
	printf("%-10s change %llu%s%s\n", what, (unsigned long long)p->revision,
	    p->at[0] != '\0' ? " at " : "", p->at);
}

static void
field_print(const char *what, const char *text)
{
	if (text[0] == '\0')
		return;
	printf("%-10s ", what);
	print_safe(stdout, text);
	putchar('\n');
}

static void
lag_print(const Ns__FleetShowReply *r)
{
	printf("%-10s %.1f s, %llu changes   queries/s %.0f", "lag", r->lag_s,
	    (unsigned long long)r->lag_changes, r->qps);
	if (r->silent_s < 0)
		printf("   not heard of since the primary started");
	else if (r->silent_s > 2)
		printf("   silent for %.0f s", r->silent_s);
	putchar('\n');
}

static void
vitals_print(const Ns__FleetShowReply *r)
{
	if (r->memory_mib > 0)
		printf("%-10s %u MiB\n", "memory", r->memory_mib);
	field_print("geo", r->geo_built);
	if (!isnan(r->clock_ms))
		printf("%-10s %+.1f ms against the primary's\n", "clock", r->clock_ms);
}

static void
show_print(const ProtobufCMessage *m)
{
	const Ns__FleetShowReply *r = (const Ns__FleetShowReply *)m;
	const Ns__FleetListReply__Appliance notes = {
		.name = r->name, .drained = r->drained, .key_roll = r->key_roll
	};

	printf("%s  site %s  %s  %s", r->name, r->site, r->role, r->state);
	if (r->term != 0)
		printf("  term %llu", (unsigned long long)r->term);
	putchar('\n');
	field_print("version", r->version);
	field_print("endpoint", r->endpoint);
	field_print("trust", r->trust);
	field_print("nsid", r->nsid);
	field_print("primary", r->primary);
	field_print("standby", r->standby);
	point_print("stored", r->stored);
	point_print("served", r->served);
	lag_print(r);
	vitals_print(r);
	for (size_t i = 0; i < r->n_keys; i++)
		printf("%-10s %s %s\n", "key", r->keys[i]->id, r->keys[i]->use);
	processes_print(r->processes, r->n_processes);
	notes_print(&notes);
	if (r->age_s > 2)
		fprintf(stderr,
		    "nameserve: no word of the primary for %.0f s: this is what it said last\n",
		    r->age_s);
}

int
cmd_fleet_show(struct cli *cli)
{
	Ns__FleetShowRequest body = NS__FLEET_SHOW_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.name = cli_str(cli->words[0]);
	request.body_case = NS__ENVELOPE__BODY_FLEET_SHOW_REQUEST;
	request.fleet_show_request = &body;
	return cli_show(cli, &request,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_FLEET_SHOW_REPLY, "ns.fleet.show/1", NULL, show_print });
}

/* The token alone on one line: it goes into a file or an argument. */
static void
invite_print(const ProtobufCMessage *m)
{
	const Ns__FleetInviteReply *r = (const Ns__FleetInviteReply *)m;
	printf("%s\n", r->token);
	fprintf(stderr, "nameserve: good once, until %s: nameserved --config FILE --join TOKEN\n",
	    r->until);
}

int
cmd_fleet_invite(struct cli *cli)
{
	Ns__FleetInviteRequest body = NS__FLEET_INVITE_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.name = cli_str(cli->words[0]);
	body.site = cli_str(cli->opt[OPT_SITE]);
	body.trust = cli_str(cli->opt[OPT_TRUST]);
	body.comment = cli_str(cli->opt[OPT_COMMENT]);
	request.body_case = NS__ENVELOPE__BODY_FLEET_INVITE_REQUEST;
	request.fleet_invite_request = &body;
	return cli_show(cli, &request,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_FLEET_INVITE_REPLY, "ns.fleet.invite/1", NULL, invite_print });
}

int
cmd_fleet_remove(struct cli *cli)
{
	Ns__FleetRemoveRequest body = NS__FLEET_REMOVE_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.name = cli_str(cli->words[0]);
	body.confirm = cli_str(cli->opt[OPT_CONFIRM]);
	body.comment = cli_str(cli->opt[OPT_COMMENT]);
	request.body_case = NS__ENVELOPE__BODY_FLEET_REMOVE_REQUEST;
	request.fleet_remove_request = &body;
	return cli_commit(cli, &request, NULL);
}

static void
drain_print(const ProtobufCMessage *m)
{
	const Ns__FleetDrainReply *r = (const Ns__FleetDrainReply *)m;

	if (r->drained != NULL)
		drained_print(stdout, r->name, r->drained);
	else
		printf("change %llu  %s is in service\n", (unsigned long long)r->revision, r->name);
}

static int
drain(struct cli *cli, bool undrain)
{
	Ns__FleetDrainRequest body = NS__FLEET_DRAIN_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.name = cli_str(cli->words[0]);
	body.undrain = undrain;
	body.comment = cli_str(cli->opt[OPT_COMMENT]);
	request.body_case = NS__ENVELOPE__BODY_FLEET_DRAIN_REQUEST;
	request.fleet_drain_request = &body;
	return cli_show(cli, &request,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_FLEET_DRAIN_REPLY, "ns.fleet.drain/1", NULL, drain_print });
}

int
cmd_fleet_drain(struct cli *cli)
{
	return drain(cli, false);
}

int
cmd_fleet_undrain(struct cli *cli)
{
	return drain(cli, true);
}

static void
roll_print(const ProtobufCMessage *m)
{
	const Ns__FleetRollReply *r = (const Ns__FleetRollReply *)m;

	printf("change %llu  %s makes a new key; for %u s from then on both are good\n",
	    (unsigned long long)r->revision, r->name, r->overlap_s);
	for (size_t i = 0; i < r->n_silent; i++)
		fprintf(stderr, "nameserve: %s is silent: see nameserve(1), fleet roll-key\n",
		    r->silent[i]);
}

int
cmd_fleet_roll_key(struct cli *cli)
{
	Ns__FleetRollRequest body = NS__FLEET_ROLL_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	unsigned ms = 0;

	if (cli->opt[OPT_FOR] != NULL &&
	    (!cli_duration_ms(cli->opt[OPT_FOR], &ms) || ms < 1000 || ms % 1000 != 0))
		return cli_usage(
		    NULL, "--for %s: whole seconds, like 90s or 2h", cli->opt[OPT_FOR]);
	body.name = cli_str(cli->words[0]);
	body.overlap_s = ms / 1000;
	body.comment = cli_str(cli->opt[OPT_COMMENT]);
	request.body_case = NS__ENVELOPE__BODY_FLEET_ROLL_REQUEST;
	request.fleet_roll_request = &body;
	return cli_show(cli, &request,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_FLEET_ROLL_REPLY, "ns.fleet.roll/1", NULL, roll_print });
}

int
cmd_fleet_standby(struct cli *cli)
{
	Ns__FleetStandbyRequest body = NS__FLEET_STANDBY_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	if (strcmp(cli->words[0], "none") != 0)
		body.name = cli_str(cli->words[0]);
	body.comment = cli_str(cli->opt[OPT_COMMENT]);
	request.body_case = NS__ENVELOPE__BODY_FLEET_STANDBY_REQUEST;
	request.fleet_standby_request = &body;
	return cli_commit(cli, &request, NULL);
}

static void
promote_print(const ProtobufCMessage *m)
{
	const Ns__FleetPromoteReply *r = (const Ns__FleetPromoteReply *)m;
	printf("%s is the primary of term %llu, from change %llu on\n", r->primary,
	    (unsigned long long)r->term, (unsigned long long)r->revision);
	for (size_t i = 0; i < r->n_unreachable; i++)
		fprintf(stderr, "nameserve: %s could not be asked: what it alone has is lost\n",
		    r->unreachable[i]);
	if (r->keys[0] != '\0')
		fprintf(stderr, "nameserve: %s\n", r->keys);
}

int
cmd_fleet_promote(struct cli *cli)
{
	Ns__FleetPromoteRequest body = NS__FLEET_PROMOTE_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.name = cli_str(cli->words[0]);
	body.confirm = cli_str(cli->opt[OPT_CONFIRM]);
	body.comment = cli_str(cli->opt[OPT_COMMENT]);
	request.body_case = NS__ENVELOPE__BODY_FLEET_PROMOTE_REQUEST;
	request.fleet_promote_request = &body;
	return cli_show(cli, &request,
	    &(const struct cli_view){ NS__ENVELOPE__BODY_FLEET_PROMOTE_REPLY, "ns.fleet.promote/1",
		NULL, promote_print });
}

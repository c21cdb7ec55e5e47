/* status, stats, verify - what this appliance says of itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "console/cli/cli.h"
#include "ipc/base/clock.h"
#include "ipc/json.h"

#define WAIT_MS   50 /* between looks */
#define CODE_LATE 1315u

void
processes_print(Ns__StatusReply__Process *const *list, size_t n)
{
	static const char *const titles[] = { "PROCESS", "PID", "STATE", "RESTARTS", "UPTIME" };
	struct table *t;

	if (n == 0)
		return;
	t = table_new(titles, 5, "lrlrr");
	for (size_t i = 0; i < n; i++) {
		const Ns__StatusReply__Process *p = list[i];

		if (strcmp(p->role, "worker") == 0)
			table_cell(t, "%s %u", p->role, p->index);
		else
			table_cell(t, "%s", p->role);
		table_cell(t, "%d", p->pid);
		table_cell(t, "%s", p->state);
		table_cell(t, "%u", p->restarts);
		table_cell(t, "%.0f s", p->uptime_s);
	}
	table_print(&t);
}

static void
snapshot_print(const Ns__SnapshotState *m)
{
	if (m->octets == 0)
		puts("SNAPSHOT is being made by the primary");
	else
		printf("SNAPSHOT of change %llu: %s, %.1f of %.1f MiB\n",
		    (unsigned long long)m->revision, m->state, (double)m->received / 1048576.0,
		    (double)m->octets / 1048576.0);
}

static void
status_table(const ProtobufCMessage *m)
{
	const Ns__StatusReply *s = (const Ns__StatusReply *)m;

	printf("%s  site %s  %s  term %llu  revision %llu  served %llu  zones %llu%s\n", s->name,
	    s->site, s->role, (unsigned long long)s->term, (unsigned long long)s->revision,
	    (unsigned long long)s->served_revision, (unsigned long long)s->zones,
	    s->frozen ? "  FROZEN" : "");
	if (s->primary != NULL)
		printf("primary %s %s, lag %.1f s   zone map %.1f of %.0f MiB%s   version %s   "
		       "last backup %s\n",
		    s->primary->name, s->primary->reachable ? "reachable" : "NOT REACHABLE",
		    s->primary->lag_s, (double)s->map_bytes / 1048576.0,
		    (double)s->map_limit / 1048576.0, s->map_full ? " FULL" : "", s->version,
		    s->last_backup[0] != '\0' ? s->last_backup : "never");
	if (s->checks > 0)
		printf("checks %llu, down %llu, flips %llu\n", (unsigned long long)s->checks,
		    (unsigned long long)s->checks_down, (unsigned long long)s->flips);
	if (s->signatures != NULL && s->signatures->zones + s->signatures->external > 0) {
		printf("signed here %llu  first signature ends %s  arrived signed %llu, expired "
		       "%llu\n",
		    (unsigned long long)s->signatures->zones, s->signatures_until,
		    (unsigned long long)s->signatures->external,
		    (unsigned long long)s->signatures->external_expired);
	}
	if (s->signatures != NULL && s->signatures->loading_of > 0)
		printf("being loaded %llu of %llu signed zones\n",
		    (unsigned long long)s->signatures->loading,
		    (unsigned long long)s->signatures->loading_of);
	if (s->signatures != NULL && s->signatures->making[0] != '\0')
		printf("being signed %s %u %%, zones that wait %llu\n", s->signatures->making,
		    s->signatures->making_percent,
		    (unsigned long long)s->signatures->making_zones - 1);
	if (s->history_begins > 1)
		printf("history begins at change %llu\n", (unsigned long long)s->history_begins);
	if (s->snapshot != NULL)
		snapshot_print(s->snapshot);
	if (s->drained != NULL)
		drained_print(stdout, s->name, s->drained);
	processes_print(s->processes, s->n_processes);
	for (size_t i = 0; i < s->n_unconfirmed; i++)
		printf("UNCONFIRMED change %llu is taken back in %.0f s: nameserve confirm %llu\n",
		    (unsigned long long)s->unconfirmed[i]->revision, s->unconfirmed[i]->remaining_s,
		    (unsigned long long)s->unconfirmed[i]->revision);
	for (size_t i = 0; i < s->n_problems; i++) {
		printf("PROBLEM %s: ", s->problems[i]->code);
		print_safe(stdout, s->problems[i]->text);
		putchar('\n');
	}
}

/* Until all workers of this appliance answer from that change. */
static int
wait_served(struct cli *cli, Ns__Envelope *request, uint64_t revision)
{
	const struct timespec pause = { 0, WAIT_MS * 1000000L };
	uint64_t until = clock_mono_ms() + cli->timeout_ms, served;
	struct ns_why why = { 0 };
	int code = CLI_OK;

	for (;;) {
		Ns__Envelope *reply =
		    cli_call(cli, request, NS__ENVELOPE__BODY_STATUS_REPLY, &code);

		if (reply == NULL)
			return code;
		served = reply->status_reply->served_revision;
		ns__envelope__free_unpacked(reply, NULL);
		if (served >= revision)
			return CLI_OK;
		if (clock_mono_ms() >= until)
			break;
		nanosleep(&pause, NULL);
	}
	(void)ns_fail(&why, NS_LATE, CODE_LATE, "change %llu is not served here yet: %llu is",
	    (unsigned long long)revision, (unsigned long long)served);
	return cli_error(cli, &why);
}

int
cmd_status(struct cli *cli)
{
	Ns__StatusRequest body = NS__STATUS_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	int code;

	request.body_case = NS__ENVELOPE__BODY_STATUS_REQUEST;
	request.status_request = &body;
	if (cli->opt[OPT_WAIT] != NULL &&
	    (code = wait_served(cli, &request, strtoull(cli->opt[OPT_WAIT], NULL, 10))) != CLI_OK)
		return code;
	return cli_show(cli, &request,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_STATUS_REPLY, "ns.status/1", NULL, status_table });
}

/* ---- stats ---- */

static void
print_zone(const Ns__StatsReply *s)
{
	print_safe(stdout, s->scope + strlen("zone:"));
	printf("  queries/s %.1f  queries %llu  nxdomain %llu  errors %llu\n", s->qps,
	    (unsigned long long)s->queries, (unsigned long long)s->nxdomain,
	    (unsigned long long)s->errors);
}

static void
print_limits(const Ns__StatsReply *s)
{
	if (s->rrl_dropped + s->rrl_slipped + s->budget_dropped + s->budget_slipped > 0)
		printf("limited  rrl dropped %llu  truncated %llu   zone budget dropped %llu  "
		       "truncated %llu\n",
		    (unsigned long long)s->rrl_dropped, (unsigned long long)s->rrl_slipped,
		    (unsigned long long)s->budget_dropped, (unsigned long long)s->budget_slipped);
	if (s->routed > 0)
		printf("routed %llu  from pools that are down %llu  for the client's network %llu  "
		       "place not known %llu\n",
		    (unsigned long long)s->routed, (unsigned long long)s->routed_down,
		    (unsigned long long)s->routed_ecs, (unsigned long long)s->routed_nowhere);
	if (s->policy_unsigned_total > 0)
		printf("policies  answers sent as last signed %llu\n",
		    (unsigned long long)s->policy_unsigned_total);
	for (size_t i = 0; i < s->n_floods; i++) {
		fputs("flood  ", stdout);
		print_safe(stdout, s->floods[i]->zone);
		printf("  withheld %llu\n", (unsigned long long)s->floods[i]->limited);
	}
}

static void
print_signing(const Ns__StatsReply__Signing *m)
{
	if (m == NULL || m->zones + m->external == 0)
		return;
	printf("signing  zones %llu  due %llu  refused %llu", (unsigned long long)m->zones,
	    (unsigned long long)m->due, (unsigned long long)m->refused);
	if (m->until[0] != '\0')
		printf("  first signature ends %s (%s)", m->until, m->until_zone);
	if (m->next_event[0] != '\0')
		printf("  next key event %s", m->next_event);
	if (m->wait_for_parent > 0)
		printf("  wait for the parent %llu", (unsigned long long)m->wait_for_parent);
	if (m->external > 0)
		printf("  arrived signed %llu  of them expired %llu",
		    (unsigned long long)m->external, (unsigned long long)m->external_expired);
	putchar('\n');
	for (size_t i = 0; i < m->n_keys; i++)
		printf("%s  %s %u %s %llu", i == 0 ? "keys" : "", m->keys[i]->role,
		    m->keys[i]->algorithm, m->keys[i]->state, (unsigned long long)m->keys[i]->keys);
	if (m->n_keys > 0)
		putchar('\n');
}

/* What a list of them has; the first columns of the row, in this order. */
static const struct {
	const char *top, *titles[6];
	unsigned n;
} lists[] = { { "zones", { "ZONE", "QUERIES/S", "QUERIES", "NXDOMAIN", "ERRORS" }, 5 },
	{ "clients", { "CLIENT", "QUERIES/S", "QUERIES", "NXDOMAIN", "ERRORS", "ASKS MOST FOR" },
	    6 },
	{ "names", { "NAME", "QUERIES/S", "QUERIES" }, 3 },
	{ "qtypes", { "TYPE", "QUERIES" }, 2 } };
#define LISTS (sizeof lists / sizeof *lists)

static void
print_top(const Ns__StatsReply *s)
{
	struct table *t;
	size_t k = 0;
	unsigned columns;

	while (k < LISTS && strcmp(lists[k].top, s->top_of) != 0)
		k++;
	if (k == LISTS)
		return;
	columns = lists[k].n;
	t = table_new(lists[k].titles, columns, "lrrrrl");
	for (size_t i = 0; i < s->n_top; i++) {
		table_cell(t, "%s", s->top[i]->name);
		if (columns > 2)
			table_cell(t, "%.1f", s->top[i]->qps);
		table_cell(t, "%llu", (unsigned long long)s->top[i]->count);
		if (columns > 3) {
			table_cell(t, "%llu", (unsigned long long)s->top[i]->nxdomain);
			table_cell(t, "%llu", (unsigned long long)s->top[i]->errors);
		}
		if (columns > 5)
			table_cell(t, "%s", s->top[i]->most[0] != '\0' ? s->top[i]->most : "-");
	}
	table_print(&t);
}

static void
print_totals(const Ns__StatsReply *s)
{
	printf("queries/s %.1f  queries %llu  udp %llu  tcp %llu  tls %llu  truncated %llu  "
	       "dropped %llu\n",
	    s->qps, (unsigned long long)s->queries, (unsigned long long)s->udp,
	    (unsigned long long)(s->tcp - s->tls), (unsigned long long)s->tls,
	    (unsigned long long)s->truncated, (unsigned long long)s->dropped);
	if (s->latency_us != NULL)
		printf("latency p50 %.0f us  p99 %.0f us  p99.9 %.0f us\n", s->latency_us->p50,
		    s->latency_us->p99, s->latency_us->p999);
	printf(
	    "connections  open %llu  evicted %llu  tls accepted %llu  resumed %llu  failed %llu\n",
	    (unsigned long long)s->tcp_open, (unsigned long long)s->tcp_evicted,
	    (unsigned long long)s->tls_accepted, (unsigned long long)s->tls_resumed,
	    (unsigned long long)s->tls_handshake_failed);
	for (size_t i = 0; i < s->n_rcodes; i++)
		printf("%s%s %llu", i ? "  " : "rcodes  ", s->rcodes[i]->name,
		    (unsigned long long)s->rcodes[i]->count);
	if (s->n_rcodes > 0)
		putchar('\n');
	for (size_t i = 0; i < s->n_qtypes; i++)
		printf("%s%s %llu", i ? "  " : "qtypes  ", s->qtypes[i]->name,
		    (unsigned long long)s->qtypes[i]->count);
	if (s->n_qtypes > 0)
		putchar('\n');
	print_limits(s);
	print_signing(s->signing);
}

static void
stats_table(const Ns__StatsReply *s)
{
	if (strncmp(s->scope, "zone:", 5) == 0)
		print_zone(s);
	else
		print_totals(s);
	print_top(s);
}

/* [{"name","count"}] as {name: count}, which is how the contract has it. */
static void
counts_as_object(json_t *document, const char *key)
{
	json_t *list = json_object_get(document, key), *object = json_object(), *row;
	size_t i;

	json_array_foreach(list, i, row) json_object_set(
	    object, json_string_value(json_object_get(row, "name")), json_object_get(row, "count"));
	json_object_set_new(document, key, object);
}

static int
stats_once(struct cli *cli, uint32_t limit)
{
	Ns__StatsRequest body = NS__STATS_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	int code = CLI_OK;

	body.scope = cli_str(cli->opt[OPT_SCOPE]);
	body.top = cli_str(cli->opt[OPT_TOP]);
	body.limit = limit;
	request.body_case = NS__ENVELOPE__BODY_STATS_REQUEST;
	request.stats_request = &body;
	Ns__Envelope *reply = cli_call(cli, &request, NS__ENVELOPE__BODY_STATS_REPLY, &code);
	if (reply == NULL)
		return code;
	if (cli->format == CLI_TABLE) {
		stats_table(reply->stats_reply);
	} else {
		json_t *j = ns_json_from(&reply->stats_reply->base, "ns.stats/1");
		counts_as_object(j, "rcodes");
		counts_as_object(j, "qtypes");
		cli_print_json_value(cli, j);
	}
	ns__envelope__free_unpacked(reply, NULL);
	return code;
}

int
cmd_stats(struct cli *cli)
{
	unsigned every = 0;
	uint64_t limit = 0;
	int code = CLI_OK;

	if (cli->opt[OPT_LIMIT] != NULL && !cli_number(cli->opt[OPT_LIMIT], 100, &limit))
		return cli_usage(NULL, "--limit %s: a list has 1 to 100 rows", cli->opt[OPT_LIMIT]);
	if (cli->opt[OPT_WATCH] != NULL &&
	    (!cli_duration_ms(cli->opt[OPT_WATCH], &every) || every < 100))
		return cli_usage(
		    NULL, "--watch %s: not a time of at least 100ms", cli->opt[OPT_WATCH]);
	do {
		struct timespec pause = { every / 1000, (long)(every % 1000) * 1000000 };
		code = stats_once(cli, (uint32_t)limit);
		fflush(stdout);
		if (every > 0 && code == CLI_OK)
			nanosleep(&pause, NULL);
	} while (every > 0 && code == CLI_OK);
	return code;
}

/* ---- verify ---- */

static void
verify_table(const Ns__VerifyReply *v)
{
	printf("%s: %llu zones, %llu changes, %llu objects, %llu images; head %s\n",
	    v->ok ? "clean" : "NOT CLEAN", (unsigned long long)v->zones,
	    (unsigned long long)v->changes, (unsigned long long)v->objects,
	    (unsigned long long)v->images, v->head);
	if (v->signatures + v->signatures_skipped > 0)
		printf("signatures verified %llu  of other algorithms, not verified %llu\n",
		    (unsigned long long)v->signatures, (unsigned long long)v->signatures_skipped);
	for (size_t i = 0; i < v->n_findings; i++) {
		printf("%s %s: ", v->findings[i]->what, v->findings[i]->zone);
		print_safe(stdout, v->findings[i]->text);
		putchar('\n');
	}
}

int
cmd_verify(struct cli *cli)
{
	Ns__VerifyRequest body = NS__VERIFY_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	int code = CLI_OK;

	if (cli->opt[OPT_TIMEOUT] == NULL)
		cli->timeout_ms = 600000; /* reads the whole store */
	body.signatures = cli->opt[OPT_SIGNATURES] != NULL;
	request.body_case = NS__ENVELOPE__BODY_VERIFY_REQUEST;
	request.verify_request = &body;
	Ns__Envelope *reply = cli_call(cli, &request, NS__ENVELOPE__BODY_VERIFY_REPLY, &code);
	if (reply == NULL)
		return code;
	const Ns__VerifyReply *v = reply->verify_reply;
	if (cli->format == CLI_TABLE)
		verify_table(v);
	else
		cli_print_json(cli, &v->base, "ns.verify/1");
	code = v->ok ? CLI_OK : CLI_FAILED;
	ns__envelope__free_unpacked(reply, NULL);
	return code;
}

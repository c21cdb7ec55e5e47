/* edits - commit single edits over one connection, for tests and the bench.
 *
 *     edits SOCKET [served]      reads `ZONE NAME TTL TYPE RDATA` lines; one JSON reply a line;
 *                                with `served` each waits until all appliances serve it
 *     edits SOCKET time          reads `status` and `list` lines; the milliseconds each took
 *     edits SOCKET CLIENTS SECONDS ZONES [RATE]
 *                                CLIENTS connections set records of zones z000000.example … at once,
 *                                RATE a second together (else as fast as they are answered); at
 *                                the end {"edits","seconds","per_second","p50_ms","p99_ms"}
 *     edits SOCKET sign CLIENTS  zones, a name a line: each is signed from now on (dnssec enable); the same figures */
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "ipc/client/client.h"
#include "ipc/json.h"

#define LATENCY_MAX 2000000u

static void
edit_fill(Ns__ZoneEdit *zone, Ns__RecordOp *op, char *words[5])
{
	zone->zone = words[0];
	op->kind = NS__RECORD_OP__KIND__SET;
	op->name = words[1];
	op->ttl = (uint32_t)strtoul(words[2], NULL, 10);
	op->ttl_given = true;
	op->type = words[3];
	op->n_rdata = 1;
	op->rdata = &words[4];
}

struct edit {
	Ns__Envelope env;
	Ns__CommitRequest commit;
	Ns__ZoneEdit zone, *zones[1];
	Ns__RecordOp op, *ops[1];
};

static Ns__Envelope *
edit_request(struct edit *e, char *words[5])
{
	ns__envelope__init(&e->env);
	ns__commit_request__init(&e->commit);
	ns__zone_edit__init(&e->zone);
	ns__record_op__init(&e->op);
	edit_fill(&e->zone, &e->op, words);
	e->ops[0] = &e->op;
	e->zone.ops = e->ops;
	e->zone.n_ops = 1;
	e->zones[0] = &e->zone;
	e->commit.zones = e->zones;
	e->commit.n_zones = 1;
	e->env.body_case = NS__ENVELOPE__BODY_COMMIT_REQUEST;
	e->env.commit_request = &e->commit;
	return &e->env;
}

static int
edits_from_stdin(struct ns_client *client, bool all)
{
	char line[4096], *words[5], *rest;
	struct edit e;
	struct ns_why why;

	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		rest = line;
		for (int i = 0; i < 5; i++)
			words[i] = i < 4 ? strsep(&rest, " ") : rest;
		if (words[4] == NULL)
			return 2;
		edit_request(&e, words);
		e.commit.wait_served = all;
		Ns__Envelope *reply = ns_client_call(client, &e.env, 10000, &why);
		if (reply != NULL && reply->body_case == NS__ENVELOPE__BODY_COMMIT_REPLY) {
			json_t *j = ns_json_from(&reply->commit_reply->base, NULL);
			json_dumpf(j, stdout, JSON_COMPACT);
			json_decref(j);
		} else {
			printf("{\"error\":\"%d\",\"code\":%u}", why.err, why.code);
		}
		putchar('\n');
		fflush(stdout);
		if (reply != NULL)
			ns__envelope__free_unpacked(reply, NULL);
	}
	return 0;
}

/* ---- times of reads ---- */
static int
times_of_stdin(struct ns_client *client)
{
	Ns__StatusRequest status = NS__STATUS_REQUEST__INIT;
	Ns__ZoneListRequest list = NS__ZONE_LIST_REQUEST__INIT;
	char line[64];

	while (fgets(line, sizeof line, stdin) != NULL) {
		Ns__Envelope request = NS__ENVELOPE__INIT;
		struct ns_why why = { 0 };
		if (strcmp(line, "status\n") == 0) {
			request.body_case = NS__ENVELOPE__BODY_STATUS_REQUEST;
			request.status_request = &status;
		} else {
			request.body_case = NS__ENVELOPE__BODY_ZONE_LIST_REQUEST;
			request.zone_list_request = &list;
		}
		uint64_t start = clock_mono_ns();
		Ns__Envelope *reply = ns_client_call(client, &request, 10000, &why);
		if (reply == NULL)
			return 1;
		printf("%.3f\n", (double)(clock_mono_ns() - start) / 1e6);
		fflush(stdout);
		ns__envelope__free_unpacked(reply, NULL);
	}
	return 0;
}

/* ---- many clients ---- */
struct load {
	struct ns_client *client;
	unsigned number, count;
	uint64_t start_ns, end_ns;
	unsigned zones;
	bool over;
	Ns__Envelope *(*next)(struct load *); /* NULL: there is no more to do */
	struct edit edit;
	Ns__DnssecSetRequest sign;
	char text[5][64], *words[5];
};
static double latency[LATENCY_MAX];
static size_t latencies, failures, started;

static void
load_reply(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct load *l = arg;
	(void)why;

	if (env == NULL || env->body_case != NS__ENVELOPE__BODY_COMMIT_REPLY)
		failures++;
	else if (latencies < LATENCY_MAX)
		latency[latencies++] = (double)(clock_mono_ns() - l->start_ns) / 1e6;
	l->over = true;
}

static Ns__Envelope *
next_edit(struct load *l)
{
	for (int i = 0; i < 5; i++)
		l->words[i] = l->text[i];
	unsigned zone = (l->number * 7919u + l->count * 104729u) % l->zones;
	snprintf(l->text[0], sizeof l->text[0], "z%06u.example.", zone);
	snprintf(l->text[1], sizeof l->text[1], "e%u", l->number);
	snprintf(l->text[2], sizeof l->text[2], "60");
	snprintf(l->text[3], sizeof l->text[3], "A");
	snprintf(l->text[4], sizeof l->text[4], "10.%u.%u.%u", l->count >> 16 & 255,
	    l->count >> 8 & 255, l->count & 255);
	l->count++;
	return edit_request(&l->edit, l->words);
}

static Ns__Envelope *
next_sign(struct load *l)
{
	Ns__Envelope *env = &l->edit.env;

	if (fgets(l->text[0], sizeof l->text[0], stdin) == NULL)
		return NULL;
	l->text[0][strcspn(l->text[0], "\n")] = '\0';
	ns__envelope__init(env);
	ns__dnssec_set_request__init(&l->sign);
	l->sign.zone = l->text[0];
	l->sign.verb = NS__DNSSEC_SET_REQUEST__VERB__ENABLE;
	env->body_case = NS__ENVELOPE__BODY_DNSSEC_SET_REQUEST;
	env->dnssec_set_request = &l->sign;
	return env;
}

/* False: there is no more to do. */
static bool
load_next(struct load *l)
{
	Ns__Envelope *env = l->next(l);

	if (env == NULL)
		return false;
	started++;
	l->over = false;
	l->start_ns = clock_mono_ns();
	ns_client_request(l->client, env, 20000, load_reply, l);
	return true;
}

static int
double_cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Whether another edit may begin; rate 0: always. */
static bool
load_due(uint64_t start, double rate)
{
	double elapsed = (double)(clock_mono_ns() - start) / 1e9;

	return rate <= 0 || (double)started < elapsed * rate;
}

static void
load_print(uint64_t start)
{
	double took = (double)(clock_mono_ns() - start) / 1e9;

	qsort(latency, latencies, sizeof *latency, double_cmp);
	printf("{\"edits\":%zu,\"failures\":%zu,\"seconds\":%.3f,\"per_second\":%.1f,"
	       "\"p50_ms\":%.3f,\"p99_ms\":%.3f}\n",
	    latencies, failures, took, (double)latencies / took,
	    latencies ? latency[latencies / 2] : 0.0,
	    latencies ? latency[latencies * 99 / 100] : 0.0);
}

/* `each`: what all of them are like.  Until `end`, or there is no more to do. */
static int
load(const char *socket, unsigned clients, const struct load *each, uint64_t end, double rate)
{
	struct load *loads = xcalloc(clients, sizeof *loads);
	struct pollfd *fds = xcalloc(clients, sizeof *fds);
	uint64_t start = clock_mono_ns();
	bool more = true;

	for (unsigned i = 0; i < clients; i++) {
		struct ns_why why;
		loads[i] = *each;
		loads[i].number = i;
		loads[i].count = (unsigned)clock_mono_ms(); /* other values than the last time */
		loads[i].over = true;
		loads[i].client = ns_client_new(socket, &why);
		if (loads[i].client == NULL)
			return 1;
		fds[i] = (struct pollfd){ .fd = ns_client_fd(loads[i].client), .events = POLLIN };
		more = more && load_next(&loads[i]);
	}
	for (bool busy = true; busy;) {
		busy = false;
		for (unsigned i = 0; i < clients; i++) {
			ns_client_dispatch(loads[i].client, 16);
			if (more && loads[i].over && load_due(start, rate))
				more = load_next(&loads[i]);
			busy |= !loads[i].over;
		}
		more = more && clock_mono_ns() < end;
		busy |= more;
		poll(fds, clients, rate > 0 ? 1 : 5);
	}
	for (unsigned i = 0; i < clients; i++)
		ns_client_destroy(&loads[i].client);
	load_print(start);
	free(loads);
	free(fds);
	return failures > 0;
}

static int
edits_load(const char *socket, unsigned clients, double seconds, unsigned zones, double rate)
{
	const struct load each = { .zones = zones, .next = next_edit };

	return load(socket, clients, &each, clock_mono_ns() + (uint64_t)(seconds * 1e9), rate);
}

static int
sign_load(const char *socket, unsigned clients)
{
	const struct load each = { .next = next_sign };

	return load(socket, clients, &each, UINT64_MAX, 0);
}

int
main(int argc, char **argv)
{
	struct ns_why why;

	if (argc == 4 && strcmp(argv[2], "sign") == 0)
		return sign_load(argv[1], (unsigned)atoi(argv[3]));
	if (argc == 5 || argc == 6)
		return edits_load(argv[1], (unsigned)atoi(argv[2]), atof(argv[3]),
		    (unsigned)atoi(argv[4]), argc == 6 ? atof(argv[5]) : 0);
	bool times = argc == 3 && strcmp(argv[2], "time") == 0;
	bool all = argc == 3 && strcmp(argv[2], "served") == 0;
	if (argc != 2 && !times && !all) {
		fprintf(stderr, "usage: edits SOCKET [served | time | sign CLIENTS | CLIENTS "
				"SECONDS ZONES [RATE]]\n");
		return 2;
	}
	struct ns_client *client = ns_client_new(argv[1], &why);
	if (client == NULL) {
		fprintf(stderr, "edits: %s\n", why.text);
		return 1;
	}
	int code = times ? times_of_stdin(client) : edits_from_stdin(client, all);
	ns_client_destroy(&client);
	return code;
}

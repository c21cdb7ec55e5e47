/* probe - the appliance's questions to the outside: health checks, and what the parent says of a zone.
 *
 * One loop and ZeroMQ's thread; two files of its own, opened before the sandbox; no zone data.  Writes
 * the health board.  Speaks to sync only:
 *     → RoleHello      whenever the link comes up, and every second until it was welcomed
 *     ← ParentRequest → ParentReply    with the same id
 *     ← CheckFeed     all checks after each hello, then what changes
 *     ← CheckQuery → CheckReport       with the same id
 *     ← HealthListRequest → HealthListReply, ← CheckProbeRequest → CheckProbeReply  likewise
 *     ← ProbeFleet    who votes; ProbePeer: the link to that one came up
 *     ← VotesIn, → VotesOut            from and to the probes of other appliances
 *     ← AliasFeed      the targets of all ALIASes (aliases.h)
 *     → ProbeNotice   when what it counts has changed, at most every second
 * Its death costs what was being asked; sync's deadline tells the asker, and the board stays. */
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "appliance/dns/name.h"
#include "appliance/probe/aliases.h"
#include "appliance/probe/checks.h"
#include "appliance/probe/parent.h"
#include "appliance/probe/sandbox.h"
#include "appliance/role/role.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"
#include "ipc/sock.h"

struct probe {
	struct role *role;
	struct ns_sock *bus;
	struct event *second;
	bool welcome;
	struct parent_conf conf;
	struct parents *parents;
	struct prober_conf probers;
	struct board board;
	struct checks *checks;
	struct checks_conf checks_conf;
	struct aliases *aliases;
	struct aliases_conf aliases_conf;
	Ns__ProbeNotice told;
	bool tell;
	struct log_limit log_limit;
};

#define CA_FILE     "/etc/ssl/certs/ca-certificates.crt"
#define SPARE_FILES 512u /* descriptors for the rest of us */

/* What outlives a restart of the appliance: checks.h, aliases.h. */
static int
file_open(const struct role *role, const char *name)
{
	char *path = xasprintf("%s/probe/%s", role_data_dir(role), name);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		log_warn("probe.file", "path=%s text=\"what is in it will not outlive a restart\"",
		    log_quote(path));
	free(path);
	return fd;
}

static void
checks_open(struct probe *p, const Ns__Config *config)
{
	struct rlimit files = { .rlim_cur = 1024 };

	if (!board_map(&p->board, ROLE_FD_BOARD, true))
		fatal("probe.board", "text=\"the health board cannot be mapped\"");
	target_rules_read(&p->probers.rules, config->probe_allow, config->n_probe_allow);
	prober_open(&p->probers, config->probe_ca[0] != '\0' ? config->probe_ca : CA_FILE);
	(void)getrlimit(RLIMIT_NOFILE, &files);
	p->checks_conf = (struct checks_conf){ .probers = &p->probers,
		.board = &p->board,
		.states_fd = file_open(p->role, "states"),
		.flips = flips_new(file_open(p->role, "flips")),
		.appliance = config->name,
		.site = config->site,
		.at_once = PROBES_MAX };
	if (files.rlim_cur < PROBES_MAX + SPARE_FILES)
		p->checks_conf.at_once =
		    files.rlim_cur > 2 * SPARE_FILES ? (unsigned)files.rlim_cur - SPARE_FILES : 256;
}

static void
probe_open(struct role *role)
{
	const Ns__Config *config = role->start->config;
	struct probe *p = xcalloc(1, sizeof *p);

	role->self = p;
	p->role = role;
	p->conf.resolvers = xcalloc(config->n_resolver + 1, sizeof *p->conf.resolvers);
	for (size_t i = 0; i < config->n_resolver; i++)
		if (target_from_text(&p->conf.resolvers[p->conf.nresolvers], config->resolver[i]))
			p->conf.nresolvers++;
	target_rules_read(&p->conf.rules, config->probe_allow, config->n_probe_allow);
	checks_open(p, config);
	p->aliases_conf = (struct aliases_conf){ .resolvers = p->conf.resolvers,
		.nresolvers = p->conf.nresolvers,
		.rules = &p->conf.rules,
		.table = p->board.aliases,
		.file = file_open(role, "aliases"),
		.keep_s = config->resolver_keep_s };
}

/* ---- the bus ---- */

static void
send_hello(struct probe *p)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__RoleHello hello = NS__ROLE_HELLO__INIT;

	hello.major = NS_PROTO_MAJOR;
	hello.minor = NS_PROTO_MINOR;
	hello.role = (char *)(uintptr_t)role_name(ROLE_PROBE);
	hello.generation = p->role->start->generation;
	env.body_case = NS__ENVELOPE__BODY_ROLE_HELLO;
	env.role_hello = &hello;
	(void)ns_send(p->bus, NULL, &env); /* nobody there yet: the next one */
}

static void
send_parent(void *arg, uint64_t id, Ns__ParentReply *reply)
{
	struct probe *p = arg;
	Ns__Envelope env = NS__ENVELOPE__INIT;

	env.id = id;
	env.body_case = NS__ENVELOPE__BODY_PARENT_REPLY;
	env.parent_reply = reply;
	if (ns_send(p->bus, NULL, &env) != NS_OK && log_allowed(&p->log_limit, 1))
		log_warn("probe.send", "text=\"the bus takes nothing\"");
}

static void
parent_request(struct probe *p, uint64_t id, const Ns__ParentRequest *m)
{
	Ns__ParentReply reply = NS__PARENT_REPLY__INIT;
	const char *why = "not a zone's name";

	if (m->zone.len > 0 && name_check(m->zone.data, m->zone.len) == m->zone.len)
		why = parents_begin(p->parents, id, m->zone.data, m->timeout_ms);
	if (why == NULL)
		return;
	reply.fault = (char *)(uintptr_t)why;
	send_parent(p, id, &reply);
}

static void
check_query(struct probe *p, uint64_t id, const Ns__CheckQuery *q)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__CheckReport *m = checks_report(p->checks, q);

	env.id = id;
	env.body_case = NS__ENVELOPE__BODY_CHECK_REPORT;
	env.check_report = m;
	if (ns_send(p->bus, NULL, &env) != NS_OK && log_allowed(&p->log_limit, 1))
		log_warn("probe.send", "text=\"the bus takes nothing\"");
	ns__check_report__free_unpacked(m, NULL);
}

static void
health_list(struct probe *p, uint64_t id, const Ns__HealthListRequest *q)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__HealthListReply *m = checks_health(p->checks, q);

	env.id = id;
	env.body_case = NS__ENVELOPE__BODY_HEALTH_LIST_REPLY;
	env.health_list_reply = m;
	if (ns_send(p->bus, NULL, &env) != NS_OK && log_allowed(&p->log_limit, 1))
		log_warn("probe.send", "text=\"the bus takes nothing\"");
	ns__health_list_reply__free_unpacked(m, NULL);
}

static void
send_looked(void *arg, uint64_t id, const Ns__CheckProbeReply *m)
{
	struct probe *p = arg;
	Ns__Envelope env = NS__ENVELOPE__INIT;

	env.id = id;
	env.body_case = NS__ENVELOPE__BODY_CHECK_PROBE_REPLY;
	env.check_probe_reply = (Ns__CheckProbeReply *)(uintptr_t)m;
	if (ns_send(p->bus, NULL, &env) != NS_OK && log_allowed(&p->log_limit, 1))
		log_warn("probe.send", "text=\"the bus takes nothing\"");
}

static void
check_probe(struct probe *p, uint64_t id, const Ns__CheckProbeRequest *q)
{
	if (q->check != NULL)
		checks_try(p->checks, id, q->check);
	else
		checks_probe(p->checks, id, q->name);
}

static void
send_votes(void *arg, const char *to, const uint8_t *octets, size_t len)
{
	struct probe *p = arg;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__VotesOut m = NS__VOTES_OUT__INIT;

	m.to = (char *)(uintptr_t)to;
	m.votes = (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)octets };
	env.body_case = NS__ENVELOPE__BODY_VOTES_OUT;
	env.votes_out = &m;
	if (ns_send(p->bus, NULL, &env) != NS_OK && log_allowed(&p->log_limit, 1))
		log_warn("probe.send", "text=\"the bus takes no votes\"");
}

static void
send_notice(struct probe *p)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__ProbeNotice m = NS__PROBE_NOTICE__INIT;

	checks_notice(p->checks, &m);
	aliases_notice(p->aliases, &m);
	if (!p->tell && m.checks == p->told.checks && m.probes == p->told.probes &&
	    m.flips == p->told.flips && m.down == p->told.down && m.votes == p->told.votes &&
	    m.votes_dropped == p->told.votes_dropped && m.frozen == p->told.frozen &&
	    m.assigned == p->told.assigned && m.aliases == p->told.aliases &&
	    m.alias_faults == p->told.alias_faults && m.alias_refused == p->told.alias_refused)
		return;
	env.body_case = NS__ENVELOPE__BODY_PROBE_NOTICE;
	env.probe_notice = &m;
	p->tell = ns_send(p->bus, NULL, &env) != NS_OK;
	p->told = m;
}

static void
on_message(void *arg, const struct ns_peer *peer, const Ns__Envelope *env)
{
	struct probe *p = arg;

	(void)peer;
	/* What else a newer sync may ask for is ignored (design). */
	if (env->body_case == NS__ENVELOPE__BODY_ROLE_WELCOME)
		p->welcome = true;
	else if (env->body_case == NS__ENVELOPE__BODY_PARENT_REQUEST)
		parent_request(p, env->id, env->parent_request);
	else if (env->body_case == NS__ENVELOPE__BODY_CHECK_FEED)
		checks_feed(p->checks, env->check_feed);
	else if (env->body_case == NS__ENVELOPE__BODY_ALIAS_FEED)
		aliases_feed(p->aliases, env->alias_feed);
	else if (env->body_case == NS__ENVELOPE__BODY_CHECK_QUERY)
		check_query(p, env->id, env->check_query);
	else if (env->body_case == NS__ENVELOPE__BODY_HEALTH_LIST_REQUEST)
		health_list(p, env->id, env->health_list_request);
	else if (env->body_case == NS__ENVELOPE__BODY_CHECK_PROBE_REQUEST)
		check_probe(p, env->id, env->check_probe_request);
	else if (env->body_case == NS__ENVELOPE__BODY_PROBE_FLEET)
		checks_fleet(p->checks, env->probe_fleet);
	else if (env->body_case == NS__ENVELOPE__BODY_PROBE_PEER)
		checks_peer(p->checks, env->probe_peer);
	else if (env->body_case == NS__ENVELOPE__BODY_VOTES_IN)
		checks_votes(p->checks, env->votes_in);
}

static void
on_link(void *arg, bool up)
{
	struct probe *p = arg;

	p->welcome = false;
	p->tell = true;
	if (up)
		send_hello(p);
}

static void
on_second(evutil_socket_t fd, short what, void *arg)
{
	struct probe *p = arg;

	(void)fd;
	(void)what;
	if (!p->welcome)
		send_hello(p);
	else
		send_notice(p);
	checks_second(p->checks);
}

/* ---- life ---- */

static int
probe_run(struct role *role)
{
	const struct timeval second = { .tv_sec = 1 };
	struct probe *p = role->self;
	struct ns_why why = { 0 };
	char *path = ns_bus_path(role_run_dir(role));

	p->conf.base = role->base;
	p->parents = parents_new(&p->conf, send_parent, p);
	p->probers.base = role->base;
	p->checks_conf.send = send_votes;
	p->checks_conf.looked = send_looked;
	p->checks_conf.send_arg = p;
	p->checks = checks_new(&p->checks_conf);
	p->aliases_conf.base = role->base;
	p->aliases = aliases_new(&p->aliases_conf);
	p->second = event_new(role->base, -1, EV_PERSIST, on_second, p);
	if (p->second == NULL || event_add(p->second, &second) < 0)
		fatal("probe.loop", "text=\"no timers\"");
	ns_zmq_init();
	p->bus = ns_dealer_connect(role->base, path, on_message, p, &why);
	if (p->bus == NULL)
		fatal("probe.bus", "path=%s text=%s", log_quote(path), log_quote(why.text));
	free(path);
	ns_sock_on_link(p->bus, on_link, p);
	role_ready(role);
	while (!role_stopping(role) && event_base_dispatch(role->base) == 0)
		continue;
	parents_destroy(&p->parents);
	checks_destroy(&p->checks);
	flips_destroy(&p->checks_conf.flips);
	aliases_destroy(&p->aliases);
	ns_sock_destroy(&p->bus);
	event_free(p->second);
	target_rules_free(&p->conf.rules);
	prober_close(&p->probers);
	board_unmap(&p->board);
	free(p->conf.resolvers);
	return role_stopping(role) ? 0 : 1;
}

static const struct role_ops probe_ops = {
	.id = ROLE_PROBE,
	.name = "probe",
	.summary = "does the health checks, and asks what the parent says of a zone",
	.rules = &probe_rules,
	.open = probe_open,
	.run = probe_run,
};

int
main(int argc, char **argv)
{
	return role_main(&probe_ops, argc, argv);
}

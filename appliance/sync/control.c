/* control - see control.h. */
#include "appliance/sync/control.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/store/store.h"
#include "appliance/sync/aliases.h"
#include "appliance/sync/backup.h"
#include "appliance/fleet/codes.h"
#include "appliance/sync/checks.h"
#include "appliance/sync/dnssec.h"
#include "appliance/sync/conn.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/gate.h"
#include "appliance/sync/import.h"
#include "appliance/sync/parentcheck.h"
#include "appliance/sync/inverse.h"
#include "appliance/sync/lost.h"
#include "appliance/sync/plan.h"
#include "appliance/sync/presence.h"
#include "appliance/sync/reader.h"
#include "appliance/sync/receipts.h"
#include "appliance/sync/relay.h"
#include "appliance/sync/restore.h"
#include "appliance/sync/settings.h"
#include "appliance/sync/stats.h"
#include "appliance/sync/tailask.h"
#include "appliance/sync/testask.h"
#include "appliance/sync/users.h"
#include "appliance/sync/status.h"
#include "appliance/sync/verify.h"
#include "appliance/sync/window.h"
#include "appliance/sync/writer.h"
#include "appliance/sync/zonelist.h"
#include "appliance/sync/zonerates.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/text.h"
#include "ipc/envelope.h"

#define COMMENT_MAX (sizeof((struct store_change *)0)->comment - 1)
#define RETRY_MS    20
#define RETRY_NS    2000000u /* of trying, then it is others' turn */
/* Replies that wait for peers who do not read, all peers together: of 256 KiB at most each. */
#define BLOCKED_MAX 256u

/* To add a request: a message in nameserve.proto, a row here, a handler. */
#define BODY(x) NS__ENVELOPE__BODY_##x
static const struct request_kind kinds[] = {
	{ BODY(STATUS_REQUEST), "status", USER_VIEWER, ON_LOOP, .start = status_request },
	{ BODY(ZONE_LIST_REQUEST), "zone.list", USER_VIEWER, ON_LOOP, .start = zone_list_request,
	    .read = zone_list_read },
	{ BODY(PRESENCE_REQUEST), "presence", USER_VIEWER, ON_LOOP, .relayed = true,
	    .start = presence_request },
	{ BODY(ZONE_SHOW_REQUEST), "zone.show", USER_VIEWER, ON_LOOP, .start = zone_show_request,
	    .read = zone_show_read },
	{ BODY(ZONE_EXPORT_REQUEST), "zone.export", USER_VIEWER, ON_READER, LANE_BULK,
	    .text = zone_export_text, .read = zone_export_read },
	{ BODY(ZONE_CREATE_REQUEST), "zone.create", USER_OPERATOR, ON_WRITER, .waits_served = true,
	    .write = zone_create_write },
	{ BODY(ZONE_DELETE_REQUEST), "zone.delete", USER_OPERATOR, ON_WRITER, .waits_served = true,
	    .write = zone_delete_write },
	{ BODY(IMPORT_BEGIN), "import.begin", USER_OPERATOR, ON_LOOP, .relayed = true,
	    .start = import_begin },
	{ BODY(IMPORT_DATA), "import.data", USER_OPERATOR, ON_LOOP, .relayed = true,
	    .start = import_data },
	{ BODY(IMPORT_END), "import.end", USER_OPERATOR, ON_LOOP, .relayed = true,
	    .start = import_end },
	{ BODY(IMPORT_ABANDON), "import.abandon", USER_OPERATOR, ON_LOOP, .relayed = true,
	    .start = import_abandon },
	{ BODY(RECORD_LIST_REQUEST), "record.list", USER_VIEWER, ON_READER, LANE_BULK,
	    .read = record_list_read },
	{ BODY(COMMIT_REQUEST), "commit", USER_OPERATOR, ON_WRITER, .waits_served = true,
	    .text = commit_text, .write = commit_write },
	{ BODY(CONFIRM_REQUEST), "confirm", USER_OPERATOR, ON_WRITER, .write = confirm_write },
	{ BODY(REVERT_REQUEST), "revert", USER_OPERATOR, ON_WRITER, .waits_served = true,
	    .write = revert_write },
	{ BODY(REWIND_REQUEST), "zone.rewind", USER_OPERATOR, ON_WRITER, .waits_served = true,
	    .write = rewind_write },
	{ BODY(TRASH_LIST_REQUEST), "trash.list", USER_VIEWER, ON_READER, LANE_BULK,
	    .read = trash_list_read },
	{ BODY(ZONE_RESTORE_REQUEST), "zone.restore", USER_OPERATOR, ON_WRITER,
	    .waits_served = true, .write = zone_restore_write },
	{ BODY(PLAN_REQUEST), "plan", USER_VIEWER, ON_READER, .text = plan_text,
	    .read = plan_read },
	{ BODY(SETTINGS_GET_REQUEST), "settings.get", USER_VIEWER, ON_READER,
	    .read = settings_read },
	{ BODY(SETTINGS_SET_REQUEST), "settings.set", USER_ADMIN, ON_WRITER, .primary_only = true,
	    .text = settings_text, .write = settings_write },
	{ BODY(HISTORY_LIST_REQUEST), "history.list", USER_VIEWER, ON_READER, LANE_BULK,
	    .read = history_list_read },
	{ BODY(HISTORY_SHOW_REQUEST), "history.show", USER_VIEWER, ON_READER, LANE_BULK,
	    .read = history_show_read },
	{ BODY(LOST_REQUEST), "lost", USER_OPERATOR, ON_READER, LANE_BULK, .read = lost_read },
	{ BODY(TEST_REQUEST), "test", USER_VIEWER, ON_LOOP, .start = testask_request },
	{ BODY(STATS_REQUEST), "stats", USER_VIEWER, ON_LOOP, .start = stats_request },
	{ BODY(TAIL_REQUEST), "tail", USER_VIEWER, ON_LOOP, .start = tailask_request },
	{ BODY(USER_SET_REQUEST), "user.set", USER_ADMIN, ON_WRITER, .primary_only = true,
	    .write = user_set_write },
	{ BODY(USER_LIST_REQUEST), "user.list", USER_VIEWER, ON_READER, .read = user_list_read },
	{ BODY(ACCOUNT_SET_REQUEST), "account.set", USER_ADMIN, ON_WRITER, .primary_only = true,
	    .write = account_set_write },
	{ BODY(ACCOUNT_LIST_REQUEST), "account.list", USER_VIEWER, ON_READER,
	    .read = account_list_read },
	{ BODY(ZONE_SET_REQUEST), "zone.set", USER_ADMIN, ON_WRITER, .waits_served = true,
	    .primary_only = true, .write = zone_set_write },
	{ BODY(VERIFY_REQUEST), "verify", USER_ADMIN, ON_LOOP, .start = verify_request },
	{ BODY(ZONE_CHECK_REQUEST), "zone.check", USER_VIEWER, ON_LOOP,
	    .start = parentcheck_request },
	{ BODY(BACKUP_REQUEST), "backup", USER_ADMIN, ON_LOOP, .start = backup_request },
	{ BODY(BACKUP_RESTORE_REQUEST), "restore-backup", USER_ADMIN, ON_LOOP, .primary_only = true,
	    .start = restore_request },
	{ BODY(CHECK_PLAN_REQUEST), "check.plan", USER_VIEWER, ON_READER, .text = check_set_text,
	    .read = check_plan_read },
	{ BODY(CHECK_SET_REQUEST), "check.set", USER_OPERATOR, ON_WRITER, .text = check_set_text,
	    .write = check_set_write },
	{ BODY(CHECK_STATE_REQUEST), "check.state", USER_OPERATOR, ON_WRITER,
	    .write = check_state_write },
	{ BODY(DNSSEC_SET_REQUEST), "dnssec.set", USER_ADMIN, ON_LOOP, .waits_served = true,
	    .primary_only = true, .start = dnssec_set_request, .write = dnssec_set_write },
	{ BODY(DNSSEC_SHOW_REQUEST), "dnssec.show", USER_VIEWER, ON_LOOP,
	    .start = dnssec_show_request },
	{ BODY(CHECK_LIST_REQUEST), "check.list", USER_VIEWER, ON_LOOP,
	    .start = check_list_request },
	{ BODY(HEALTH_LIST_REQUEST), "health.list", USER_VIEWER, ON_LOOP, .start = health_request },
	{ BODY(CHECK_PROBE_REQUEST), "check.probe", USER_OPERATOR, ON_LOOP,
	    .start = health_request },
	{ BODY(ALIAS_LIST_REQUEST), "alias.list", USER_VIEWER, ON_READER, LANE_BULK,
	    .read = alias_list_read },
	{ BODY(FLEET_LIST_REQUEST), "fleet.list", USER_VIEWER, ON_LOOP,
	    .start = fleet_list_request },
	{ BODY(FLEET_SHOW_REQUEST), "fleet.show", USER_VIEWER, ON_LOOP,
	    .start = fleet_show_request },
	{ BODY(FLEET_INVITE_REQUEST), "fleet.invite", USER_ADMIN, ON_LOOP, .primary_only = true,
	    .start = fleet_invite_request, .write = fleet_invite_write },
	{ BODY(FLEET_REMOVE_REQUEST), "fleet.remove", USER_ADMIN, ON_WRITER, .primary_only = true,
	    .text = fleet_remove_text, .write = fleet_remove_write },
	{ BODY(FLEET_DRAIN_REQUEST), "fleet.drain", USER_ADMIN, ON_LOOP, .primary_only = true,
	    .start = fleet_drain_request, .write = fleet_drain_write },
	{ BODY(FLEET_ROLL_REQUEST), "fleet.roll-key", USER_ADMIN, ON_LOOP, .primary_only = true,
	    .start = fleet_roll_request, .write = fleet_roll_write },
	{ BODY(FLEET_STANDBY_REQUEST), "fleet.standby", USER_ADMIN, ON_LOOP, .primary_only = true,
	    .start = fleet_standby_request, .write = fleet_standby_write },
	{ BODY(FLEET_PROMOTE_REQUEST), "fleet.promote", USER_ADMIN, ON_LOOP,
	    .start = fleet_promote_request },
};
#undef BODY

static struct request_list blocked = TAILQ_HEAD_INITIALIZER(blocked);
static unsigned nblocked;
static uint64_t turn = 1; /* counts retries */
static const struct timeval retry_soon = { 0, RETRY_MS * 1000 };

/* ---- the way back ---- */
static enum ns_err
send_error(struct sync *s, const struct ns_peer *peer, uint64_t id, struct ns_why *why,
    Ns__Conflict *conflict)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__Error error;

	ns_error_from_why(&error, why);
	error.conflict = why->err == NS_CONFLICT ? conflict : NULL;
	env.id = id;
	env.body_case = NS__ENVELOPE__BODY_ERROR;
	env.error = &error;
	return ns_send(s->control, peer, &env);
}

/* What is served only the loop knows. */
void
control_completes(struct sync *s, struct request *r)
{
	if (r->reply->body_case == NS__ENVELOPE__BODY_HISTORY_SHOW_REPLY)
		fleet_history(s, r->reply->history_show_reply);
	if (r->reply->body_case == NS__ENVELOPE__BODY_ZONE_INFO &&
	    receipts_revision(s->receipts) >= r->reply->zone_info->version)
		r->reply->zone_info->served_version = r->reply->zone_info->version;
}

static enum ns_err
send_reply(struct sync *s, struct request *r)
{
	if (r->err != NS_OK || r->reply == NULL) {
		if (r->why.err == NS_OK)
			ns_fail(&r->why, r->err != NS_OK ? r->err : NS_FAILED, 0, "no reply");
		return send_error(s, &r->peer, r->id, &r->why, r->conflict);
	}
	control_completes(s, r);
	r->reply->id = r->id;
	r->reply->more = r->again;
	return ns_send(s->control, &r->peer, r->reply);
}

static void
block(struct sync *s, struct request *r)
{
	r->conn->full = turn;
	TAILQ_INSERT_TAIL(&blocked, r, waiting);
	nblocked++;
	event_add(s->retry, &retry_soon);
}

/* Nobody will read it. */
static void
drop(struct request *r)
{
	conn_detach(r);
	request_destroy(&r);
}

/* Its other requests end where they are, instead of holding their places until their deadlines. */
static void
peer_gone(struct sync *s, struct request *r)
{
	imports_gone(s, &r->peer);
	conn_gone(s->conns, r->conn);
	drop(r);
}

static void
peer_is_deaf(struct sync *s, struct request *r)
{
	static struct log_limit limit;

	if (clock_mono_ns() < r->deadline_ns && nblocked < BLOCKED_MAX) {
		block(s, r);
		return;
	}
	if (log_allowed(&limit, 5))
		log_warn("control.unread", "uid=%u request=%s text=\"the client does not read\"",
		    r->caller.uid, r->kind->name);
	drop(r);
}

/* One piece went out: the next, or the end. */
static void
sent(struct sync *s, struct request *r)
{
	if (r->err == NS_OK && r->again) {
		request_push(s, s->reads, LANE_BULK, r);
		return;
	}
	drop(r);
}

void
request_finish(struct sync *s, struct request *r)
{
	enum ns_err err;

	if (r->finish != NULL) {
		r->finish(s, r);
		return;
	}
	if (r->conn == NULL || atomic_load(&r->cancelled)) {
		drop(r);
		return;
	}
	err = r->conn->full == turn ? NS_UNAVAILABLE : send_reply(s, r);
	if (err == NS_NOTFOUND) {
		peer_gone(s, r);
		return;
	}
	if (err == NS_UNAVAILABLE) {
		peer_is_deaf(s, r);
		return;
	}
	if (err != NS_OK && r->err == NS_OK) { /* not a message that can be sent: say so once */
		r->again = false;
		r->err = ns_fail(&r->why, NS_FAILED, 0, "the reply could not be sent");
		(void)send_reply(s, r);
	}
	sent(s, r);
}

/* Packing a reply is what costs: once in a turn for a peer that does not read, and never for long. */
void
control_retry(struct sync *s)
{
	struct request_list now = TAILQ_HEAD_INITIALIZER(now);
	uint64_t end = clock_mono_ns() + RETRY_NS;
	struct request *r;

	TAILQ_CONCAT(&now, &blocked, waiting);
	nblocked = 0;
	turn++;
	while ((r = TAILQ_FIRST(&now)) != NULL && clock_mono_ns() < end) {
		TAILQ_REMOVE(&now, r, waiting);
		request_finish(s, r);
	}
	/* Those that had no turn are the first in the next one. */
	for (; (r = TAILQ_LAST(&now, request_list)) != NULL; nblocked++) {
		TAILQ_REMOVE(&now, r, waiting);
		TAILQ_INSERT_HEAD(&blocked, r, waiting);
	}
	if (nblocked > 0)
		event_add(s->retry, &retry_soon);
}

void
control_free(struct sync *s)
{
	struct request *r;

	(void)s;
	while ((r = TAILQ_FIRST(&blocked)) != NULL) {
		TAILQ_REMOVE(&blocked, r, waiting);
		drop(r);
	}
}

void
request_refuse(struct sync *s, struct request *r, enum ns_err err, uint16_t code, const char *text)
{
	r->again = false;
	r->err = ns_fail(&r->why, err, code, "%s", text);
	request_finish(s, r);
}

void
request_push(struct sync *s, struct queue *q, enum lane lane, struct request *r)
{
	if (queue_push(q, lane, &r->job))
		return;
	request_refuse(
	    s, r, NS_UNAVAILABLE, ES_BUSY, "busy: too many requests are waiting; try again");
}

/* ---- threads ---- */
static void
read_work(struct job *job, void *store)
{
	struct request *r = (struct request *)job;

	if (!request_expired(r))
		r->err = r->kind->read(r, store);
}

static void
read_done(struct job *job, struct sync *s)
{
	request_finish(s, (struct request *)job);
}

static void
text_work(struct job *job, void *thread)
{
	struct request *r = (struct request *)job;

	(void)thread;
	if (!request_expired(r))
		r->err = r->kind->text(r);
}

void
control_to_writer(struct sync *s, struct request *r)
{
	r->job.work = request_work;
	r->job.done = NULL; /* comes back with its batch */
	request_push(s, s->writes, LANE_FAST, r);
}

void
control_to_reader(struct sync *s, struct request *r)
{
	r->job.work = read_work;
	r->job.done = read_done;
	request_push(s, s->reads, r->kind->lane, r);
}

static void
text_done(struct job *job, struct sync *s)
{
	struct request *r = (struct request *)job;

	if (r->err != NS_OK)
		request_finish(s, r);
	else if (r->kind->on == ON_READER)
		control_to_reader(s, r);
	else
		control_to_writer(s, r);
}

static void
request_start(struct sync *s, struct request *r)
{
	const struct request_kind *k = r->kind;

	if (forward_request(s, r))
		return;
	if ((k->write != NULL || k->body == NS__ENVELOPE__BODY_IMPORT_BEGIN) &&
	    k->start != fleet_standby_request && (r->err = gate_refuses(s, &r->why)) != NS_OK) {
		request_finish(s, r);
		return;
	}
	if (k->on == ON_LOOP) {
		k->start(s, r);
	} else if (k->text != NULL) {
		r->job.work = text_work;
		r->job.done = text_done;
		request_push(s, s->texts, LANE_FAST, r);
	} else if (k->on == ON_READER) {
		control_to_reader(s, r);
	} else {
		control_to_writer(s, r);
	}
}

/* ---- the way in ---- */
static void
refuse_peer(struct sync *s, const struct ns_peer *peer, uint64_t id, struct ns_why *why)
{
	static struct log_limit limit;

	if (log_allowed(&limit, 5))
		log_info("control.refused", "uid=%u code=%u text=%s", peer->uid, why->code,
		    log_quote(why->text));
	(void)send_error(s, peer, id, why, NULL);
}

/* Who he is, and that he is welcome. */
static void
greet(struct sync *s, const struct ns_peer *peer, const struct greeting *g)
{
	Ns__Envelope out = NS__ENVELOPE__INIT;
	Ns__HelloReply reply = NS__HELLO_REPLY__INIT;
	struct conn *c = conn_find(s->conns, peer);
	struct ns_why why = { 0 };

	if (c == NULL && (c = conn_add(s->conns, peer)) == NULL) {
		ns_fail(&why, NS_UNAVAILABLE, ES_BUSY, "busy: too many connections");
		refuse_peer(s, peer, g->id, &why);
		return;
	}
	memcpy(c->person, g->person, sizeof c->person);
	(void)authz_caller(&s->authz, peer, g->person, &c->caller, NULL);
	authz_way(&c->caller, g->software, g->source, s->name);
	reply.major = NS_PROTO_MAJOR;
	reply.minor = NS_PROTO_MINOR;
	reply.software = (char *)"nameserve " NS_RELEASE;
	reply.appliance = (char *)s->name;
	reply.user = c->caller.name;
	reply.user_role = (char *)(uintptr_t)user_role_name(c->caller.role);
	out.id = g->id;
	out.body_case = NS__ENVELOPE__BODY_HELLO_REPLY;
	out.hello_reply = &reply;
	(void)ns_send(s->control, peer, &out);
}

static void
hello(struct sync *s, const struct ns_peer *peer, const Ns__Envelope *env)
{
	const char *person = env->hello->person;
	struct greeting g = { .id = env->id };
	struct ns_why why = { 0 };
	struct caller who;

	if (env->hello->major != NS_PROTO_MAJOR) {
		ns_fail(&why, NS_VERSION, NS_CODE_OTHER_MAJOR,
		    "this appliance speaks version %u.%u of the protocol, the client version %u: "
		    "use the client that came with the appliance",
		    NS_PROTO_MAJOR, NS_PROTO_MINOR, env->hello->major);
		refuse_peer(s, peer, env->id, &why);
		return;
	}
	if (authz_caller(&s->authz, peer, person, &who, &why) != NS_OK) {
		refuse_peer(s, peer, env->id, &why);
		return;
	}
	text_copy(g.software, sizeof g.software, env->hello->software);
	text_copy(g.person, sizeof g.person, person);
	source_take(env->hello->source, g.source);
	if (who.role == USER_UNKNOWN && peer->local && newcomer_look(s, peer, &g, greet))
		return;
	greet(s, peer, &g);
}

static void
cancel(struct conn *c, uint64_t id)
{
	struct request *r = conn_request(c, id);

	if (r == NULL)
		return;
	/* Whoever holds it finds out; what is being committed is committed. */
	atomic_store(&r->cancelled, true);
	conn_detach(r);
}

const struct request_kind *
control_kind(Ns__Envelope__BodyCase body)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (kinds[i].body == body)
			return &kinds[i];
	return NULL;
}

static enum ns_err
admit(const struct sync *s, const struct conn *c, const struct request_kind *k,
    const Ns__Envelope *env, struct ns_why *why)
{
	size_t comment = strlen(request_comment(env));

	if (k == NULL)
		return ns_fail(
		    why, NS_USAGE, ES_REQUEST, "not a request that this appliance answers");
	if (c->caller.role == USER_UNKNOWN)
		return ns_fail(why, NS_DENIED, ES_DENIED,
		    "user %s is not known here: an admin makes him one with user create NAME "
		    "--unix "
		    "ACCOUNT --role ROLE",
		    c->caller.name);
	if (c->caller.role < k->need)
		return ns_fail(why, NS_DENIED, ES_DENIED, "%s needs the role %s", k->name,
		    user_role_name(k->need));
	if (comment > COMMENT_MAX)
		return ns_fail(why, NS_INVALID, ES_COMMENT,
		    "a comment has at most %zu octets, this one %zu", COMMENT_MAX, comment);
	if (c->outstanding >= CONN_OUTSTANDING)
		return ns_fail(why, NS_UNAVAILABLE, ES_BUSY,
		    "busy: %u requests of this connection are waiting", c->outstanding);
	if (role_stopping(s->role))
		return ns_fail(why, NS_UNAVAILABLE, ES_STOPPING, "the appliance is stopping");
	return NS_OK;
}

void
control_start(struct sync *s, struct request *r, const char *relay)
{
	if (r->caller.role < r->kind->need) {
		ns_fail(&r->why, NS_DENIED, EF_TRUSTED,
		    "%s needs the role %s, and %s may pass on what a %s does at most",
		    r->kind->name, user_role_name(r->kind->need), relay,
		    user_role_name(r->caller.role));
		r->err = NS_DENIED;
		request_finish(s, r);
		return;
	}
	r->own_name = s->name;
	r->own_site = s->start->config->site;
	request_start(s, r);
}

void
control_recv(void *arg, const struct ns_peer *peer, const Ns__Envelope *env)
{
	struct sync *s = arg;
	const struct request_kind *k;
	struct ns_why why = { 0 };
	struct request *r;
	struct conn *c;

	if (env->body_case == NS__ENVELOPE__BODY_HELLO) {
		hello(s, peer, env);
		return;
	}
	c = conn_find(s->conns, peer);
	if (c == NULL) {
		ns_fail(&why, NS_VERSION, NS_CODE_HELLO_FIRST, "say hello first");
		refuse_peer(s, peer, env->id, &why);
		return;
	}
	if (env->body_case == NS__ENVELOPE__BODY_CANCEL) {
		cancel(c, env->cancel->request);
		return;
	}
	k = control_kind(env->body_case);
	if (admit(s, c, k, env, &why) != NS_OK) {
		refuse_peer(s, peer, env->id, &why);
		return;
	}
	r = request_new(peer, env);
	r->kind = k;
	r->caller = c->caller;
	r->store_dir = s->store_dir;
	r->reads = s->reads;
	r->own_name = s->name;
	r->own_site = s->start->config->site;
	conn_attach(c, r);
	if (!relay_request(s, r))
		request_start(s, r);
}

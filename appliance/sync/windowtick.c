/* windowtick - windows that end and times that are saved: the loop's own requests to the writer. */
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/control.h"
#include "appliance/sync/inverse.h"
#include "appliance/sync/window.h"
#include "appliance/sync/windows.h"
#include "appliance/sync/writer.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define PATIENCE_MS 30000u

/* Nobody asked for them: they have no connection and no reply. */
static const struct request_kind expire_kind = {
	.name = "expire", .need = USER_ADMIN, .on = ON_WRITER, .write = expire_write
};
static const struct request_kind save_kind = {
	.name = "window.save", .need = USER_ADMIN, .on = ON_WRITER, .write = window_save_write
};

static bool
push(struct sync *s, const struct request_kind *kind, const Ns__Envelope *env, void *state,
    void (*free_state)(void *))
{
	static const struct ns_peer nobody;
	struct request *r = request_new(&nobody, env);

	r->kind = kind;
	r->state = state;
	r->free_state = free_state;
	r->caller = (struct caller){ .role = USER_ADMIN, .name = "nameserve", .via = "timer" };
	r->job.work = request_work;
	if (queue_push(s->writes, LANE_FAST, &r->job))
		return true;
	request_destroy(&r);
	return false;
}

static void
expire(struct sync *s, uint64_t revision, uint64_t total_ms)
{
	Ns__RevertRequest body = NS__REVERT_REQUEST__INIT;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	char *comment = xasprintf("change %llu was not confirmed within %llu s",
	    (unsigned long long)revision, (unsigned long long)total_ms / 1000);

	log_info("window.expired", "change=%llu seconds=%llu", (unsigned long long)revision,
	    (unsigned long long)total_ms / 1000);
	body.revision = revision;
	body.comment = comment;
	env.deadline_ms = PATIENCE_MS;
	env.body_case = NS__ENVELOPE__BODY_REVERT_REQUEST;
	env.revert_request = &body;
	(void)push(s, &expire_kind, &env, NULL, NULL);
	free(comment);
}

static void
free_list(void *arg)
{
	struct window_list *l = arg;

	free(l->windows);
	free(l);
}

static void
save(struct sync *s, uint64_t now_ns)
{
	struct window_list *l = xcalloc(1, sizeof *l);
	Ns__Done done = NS__DONE__INIT;
	Ns__Envelope env = NS__ENVELOPE__INIT;

	windows_remaining(s->windows, now_ns, l);
	if (l->count == 0) {
		free_list(l);
		return;
	}
	env.deadline_ms = PATIENCE_MS;
	env.body_case = NS__ENVELOPE__BODY_DONE;
	env.done = &done;
	(void)push(s, &save_kind, &env, l, free_list);
}

void
windows_tick(struct sync *s, uint64_t now_ns)
{
	static uint64_t saved_ns;
	uint64_t revision, total_ms;

	if (now_ns > saved_ns + WINDOWS_SAVE_NS) {
		saved_ns = now_ns;
		save(s, now_ns);
	}
	while (strcmp(s->head.role, "primary") == 0 &&
	       (revision = windows_due(s->windows, now_ns, &total_ms)) != 0)
		expire(s, revision, total_ms);
}

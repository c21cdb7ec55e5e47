/* stop - the way out: everybody but the workers, then the workers, so that answers flow to the end.
 *
 * Each group gets SIGTERM, five seconds, SIGKILL.  A second SIGTERM or SIGINT cuts it short. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <event2/event.h>

#include "appliance/supervisor/supervisor.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"

#define PATIENCE_MS 5000

enum stop_phase { RUNNING, STOP_HELPERS, STOP_WORKERS };

static bool
in_phase(const struct child *c, int phase)
{
	return c->spec->per_worker == (phase == STOP_WORKERS);
}

static bool
any_left(const struct supervisor *s, int phase)
{
	size_t i;

	for (i = 0; i < s->nchildren; i++)
		if (s->children[i].pid > 0 && in_phase(&s->children[i], phase))
			return true;
	return false;
}

static void
signal_phase(struct supervisor *s, int sig)
{
	size_t i;

	for (i = 0; i < s->nchildren; i++)
		if (in_phase(&s->children[i], s->stopping))
			watch_kill(&s->children[i], sig);
}

static void
enter(struct supervisor *s, enum stop_phase phase)
{
	s->stopping = phase;
	s->stop_deadline_ms = clock_mono_ms() + PATIENCE_MS;
	signal_phase(s, SIGTERM);
}

void
stop_begin(struct supervisor *s)
{
	if (s->stopping != RUNNING) {
		log_warn("stop.now", "text=\"asked again\"");
		s->stop_deadline_ms = 0;
	} else {
		log_info("stop", "name=%s", s->config.pb.name);
		notify_send("STOPPING=1\nSTATUS=stopping");
		enter(s, STOP_HELPERS);
	}
	stop_step(s);
}

void
stop_step(struct supervisor *s)
{
	if (s->stopping == STOP_HELPERS && !any_left(s, STOP_HELPERS)) {
		uint64_t hurry = s->stop_deadline_ms;

		enter(s, STOP_WORKERS);
		if (hurry == 0)
			s->stop_deadline_ms = 0;
	}
	if (s->stopping == STOP_WORKERS && !any_left(s, STOP_WORKERS)) {
		event_base_loopbreak(s->base);
		return;
	}
	if (clock_mono_ms() >= s->stop_deadline_ms)
		signal_phase(s, SIGKILL);
}

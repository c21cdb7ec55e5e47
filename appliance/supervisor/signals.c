/* signals - what nameserved is told from outside: stop, read the file again, a child died. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>

#include "appliance/supervisor/supervisor.h"
#include "ipc/base/log.h"

static void
on_stop(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	stop_begin(arg);
}

static void
on_child(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	watch_reap(arg);
}

static void
on_reload(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	super_reload(arg);
}

/* Certificates roll every few weeks and must not wait until the rest of the file is right: they are
 * read again in any case.  A bad configuration changes nothing.  Of a good one the differences are
 * told: the static keys are read by children at their start, from the configuration that nameserved
 * started with, so they count from the next start of nameserved on.  The rate limit alone is changed at
 * once: who is being flooded has no time for a restart. */
void
super_reload(struct supervisor *s)
{
	struct config fresh;
	struct ns_why why = { 0 };
	char name[64];
	size_t i, changed = 0;

	tls_reload(s);
	geo_reload(s);
	if (config_load(s->config_path, &fresh, &why) != NS_OK) {
		log_error("reload.refused", "text=%s", log_quote(why.text));
		return;
	}
	for (i = 0; config_key_name(i, name, sizeof name) != NULL; i++) {
		if (config_key_same(&s->config, &fresh, i))
			continue;
		changed++;
		if (strcmp(name, "[dns] rrl") == 0)
			log_info("reload.changed", "key=\"%s\" value=%u", name, fresh.pb.rrl);
		else
			log_warn("reload.changed",
			    "key=\"%s\" text=\"takes effect at the next start\"", name);
	}
	memory_set_rrl(&s->memory, fresh.pb.rrl);
	log_info("reload", "changed=%zu", changed);
	config_free(&fresh);
}

void
signals_start(struct supervisor *s)
{
	static const struct {
		int sig;
		event_callback_fn fn;
	} table[] = {
		{ SIGTERM, on_stop },
		{ SIGINT, on_stop },
		{ SIGHUP, on_reload },
		{ SIGCHLD, on_child },
	};
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < sizeof table / sizeof *table; i++) {
		s->signals[i] = evsignal_new(s->base, table[i].sig, table[i].fn, s);
		if (s->signals[i] == NULL || event_add(s->signals[i], NULL) != 0)
			fatal("start.signals", "error=\"cannot catch signal %d\"", table[i].sig);
	}
}

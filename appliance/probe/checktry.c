/* checktry - a look as a definition says that is no check yet: with the limits of any other, and counting for nothing. */
#include <stdlib.h>

#include "appliance/probe/checks_int.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define SLOT_MS \
	1000u /* how long a trial has its slot at least: so many begin in a second as there are slots */

static void
refuse(struct checks *c, uint64_t id, const char *why)
{
	look_tell(c, &(struct look_told){ .id = id, .name = "", .fault = why });
}

static struct trial *
free_slot(struct checks *c)
{
	uint64_t now = clock_mono_ms();

	for (size_t i = 0; i < TRIALS_MAX; i++) {
		struct trial *t = &c->trials[i];

		if (t->run == NULL &&
		    (t->began_ms == 0 || clock_since(now, t->began_ms) >= SLOT_MS))
			return t;
	}
	return NULL;
}

static void
end(struct trial *t)
{
	t->run = NULL;
	t->of->running--;
	ns__check__free_unpacked(t->def, NULL);
	t->def = NULL;
}

static void
on_result(void *arg, const struct result *r)
{
	struct trial *t = arg;

	t->of->probes++;
	look_tell(t->of, &(struct look_told){ .id = t->id, .name = "", .by = r });
	end(t);
}

void
checks_try(struct checks *c, uint64_t id, const Ns__Check *def)
{
	struct target target = { .len = 0 };
	const struct prober *prober;
	char *no = check_where(c, def, &prober, &target);
	struct trial *t = no == NULL ? free_slot(c) : NULL;

	if (t == NULL || c->running >= c->conf.at_once) {
		refuse(c, id, no != NULL ? no : "too many looks are asked for at once");
		free(no);
		return;
	}
	*t = (struct trial){ c, id, clock_mono_ms(), prober, NULL, ns_message_copy(&def->base) };
	t->run = prober->start(c->conf.probers, t->def, &target, on_result, t);
	c->running++;
	if (t->run == NULL) {
		end(t);
		refuse(c, id, "there is no room for a look now");
	}
}

void
trials_stop(struct checks *c)
{
	for (size_t i = 0; i < TRIALS_MAX; i++)
		if (c->trials[i].run != NULL) {
			c->trials[i].prober->cancel(c->trials[i].run);
			end(&c->trials[i]);
		}
}

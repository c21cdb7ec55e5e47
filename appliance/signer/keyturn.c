/* keyturn.c - see keyturn.h.  The signer's only thread. */
#include "appliance/signer/keyturn.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

struct turn {
	TAILQ_ENTRY(turn) link;
	uint64_t id;
	Ns__KeyWork *work;
};

struct keyturn {
	TAILQ_HEAD(, turn) turns;
};

struct keyturn *
keyturn_new(void)
{
	struct keyturn *k = xcalloc(1, sizeof *k);

	TAILQ_INIT(&k->turns);
	return k;
}

void
keyturn_put(struct keyturn *k, uint64_t id, const Ns__KeyWork *work)
{
	struct turn *t = xcalloc(1, sizeof *t);

	t->id = id;
	t->work = ns_message_copy(&work->base);
	TAILQ_INSERT_TAIL(&k->turns, t, link);
}

Ns__KeyWork *
keyturn_take(struct keyturn *k, uint64_t *id)
{
	struct turn *t = TAILQ_FIRST(&k->turns);
	Ns__KeyWork *work;

	if (t == NULL)
		return NULL;
	TAILQ_REMOVE(&k->turns, t, link);
	*id = t->id;
	work = t->work;
	free(t);
	return work;
}

void
keyturn_forget(struct keyturn *k)
{
	Ns__KeyWork *work;
	uint64_t id;

	while ((work = keyturn_take(k, &id)) != NULL)
		ns__key_work__free_unpacked(work, NULL);
}

void
keyturn_destroy(struct keyturn **kp)
{
	if (*kp == NULL)
		return;
	keyturn_forget(*kp);
	free(*kp);
	*kp = NULL;
}

/* sidecheck.c - see sidecheck.h.  The one file of the signer with a second thread in it. */
#include "appliance/signer/sidecheck.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/signer/names.h"
#include "ipc/base/xalloc.h"

#define WAITING 64u /* that the loop puts before it verifies by itself */
#define WAKE    16u /* for so many at once: a switch of threads costs a tenth of a verification */

struct job {
	struct job *next;
	uint8_t apex[NAME_MAX_WIRE];
	struct zone_key key; /* its public half alone */
	size_t set_len, len;
	uint8_t octets[]; /* the set, the rdata */
};
struct sidecheck {
	pthread_t thread;
	bool runs;
	pthread_mutex_t lock;
	pthread_cond_t more;
	/* under the lock */
	struct job *first, **last;
	unsigned waiting;
	bool idle; /* the thread waits: for enough, or the end */
	bool end; /* when there are no more */
	struct names *wrong;
};

struct sidecheck *
sidecheck_new(void)
{
	struct sidecheck *s = xcalloc(1, sizeof *s);

	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->more, NULL);
	s->last = &s->first;
	s->wrong = names_new();
	return s;
}

/* ---- the thread ---- */

static struct job *
take(struct sidecheck *s)
{
	struct job *j;

	(void)pthread_mutex_lock(&s->lock);
	s->idle = true;
	while (s->first == NULL && !s->end)
		(void)pthread_cond_wait(&s->more, &s->lock);
	s->idle = false;
	j = s->first;
	if (j != NULL && (s->first = j->next) == NULL)
		s->last = &s->first;
	s->waiting -= j != NULL;
	(void)pthread_mutex_unlock(&s->lock);
	return j;
}

static bool
is_good(struct rrsigner *signer, const struct job *j)
{
	struct zwire_iter it = zwire_iter(j->octets, j->set_len);
	struct rrset set;

	return zwire_next(&it, &set) &&
	       rrsigner_verify(signer, &set, &j->key, j->octets + j->set_len, j->len);
}

static void *
work(void *arg)
{
	struct sidecheck *s = arg;
	struct rrsigner *signer = rrsigner_new();
	struct job *j;

	while ((j = take(s)) != NULL) {
		if (!is_good(signer, j)) {
			(void)pthread_mutex_lock(&s->lock);
			(void)names_add(s->wrong, j->apex);
			(void)pthread_mutex_unlock(&s->lock);
		}
		free(j);
	}
	rrsigner_destroy(&signer);
	return NULL;
}

/* ---- the loop ---- */

static bool
start(struct sidecheck *s)
{
	sigset_t all, old;

	if (s->runs)
		return true;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	s->runs = pthread_create(&s->thread, NULL, work, s) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return s->runs;
}

static struct job *
job_new(const uint8_t *apex, const struct rrset *set, const struct zone_key *key,
    const uint8_t *rdata, size_t len)
{
	struct job *j = xmalloc(sizeof *j + set->raw_len + len);

	j->next = NULL;
	memcpy(j->apex, apex, name_len(apex));
	j->key = *key;
	j->key.pkey = NULL;
	j->set_len = set->raw_len;
	j->len = len;
	memcpy(j->octets, set->raw, set->raw_len);
	memcpy(j->octets + set->raw_len, rdata, len);
	return j;
}

bool
sidecheck_verify(const struct signcheck *c, const struct rrset *set, const struct zone_key *key,
    const uint8_t *rdata, size_t len)
{
	struct sidecheck *s = c->beside;
	struct job *j = NULL;

	if (s != NULL && set->raw != NULL && start(s))
		j = job_new(c->apex, set, key, rdata, len);
	if (j != NULL) {
		(void)pthread_mutex_lock(&s->lock);
		if (s->waiting < WAITING) {
			*s->last = j;
			s->last = &j->next;
			s->waiting++;
			j = NULL;
			if (s->idle && s->waiting >= WAKE)
				(void)pthread_cond_signal(&s->more);
		}
		(void)pthread_mutex_unlock(&s->lock);
		if (j == NULL)
			return true;
		free(j);
	}
	return rrsigner_verify(c->signer, set, key, rdata, len);
}

void
sidecheck_wait(struct sidecheck *s, void (*wrong)(void *arg, const uint8_t *apex), void *arg)
{
	if (!s->runs)
		return;
	(void)pthread_mutex_lock(&s->lock);
	s->end = true;
	(void)pthread_cond_signal(&s->more);
	(void)pthread_mutex_unlock(&s->lock);
	(void)pthread_join(s->thread, NULL);
	s->runs = s->end = false;
	for (const uint8_t *n = names_after(s->wrong, NULL); n != NULL;
	     n = names_after(s->wrong, n))
		wrong(arg, n);
	names_clear(s->wrong);
}

static void
ignore(void *arg, const uint8_t *apex)
{
	(void)arg;
	(void)apex;
}

void
sidecheck_destroy(struct sidecheck **sp)
{
	struct sidecheck *s = *sp;

	*sp = NULL;
	if (s == NULL)
		return;
	sidecheck_wait(s, ignore, NULL);
	names_destroy(&s->wrong);
	(void)pthread_cond_destroy(&s->more);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

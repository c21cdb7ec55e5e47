/* queue - see queue.h.  Mutex and condition for the way in, mutex and eventfd for the way back. */
#include "appliance/sync/queue.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

/* Jobs that the loop finishes before it looks at its sockets again: a burst of results must not
 * hold back a heartbeat. */
#define WAKE_BURST 64
#define WAKE_NS    2000000u /* large replies take a millisecond each */

struct list {
	struct job *first, **last;
	size_t len, max;
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct list lanes[LANE_MAX];
	bool closed;
};

static void
list_add(struct list *l, struct job *job)
{
	job->next = NULL;
	*l->last = job;
	l->last = &job->next;
	l->len++;
}

static struct job *
list_take(struct list *l)
{
	struct job *job = l->first;

	if (job == NULL)
		return NULL;
	l->first = job->next;
	if (l->first == NULL)
		l->last = &l->first;
	l->len--;
	job->next = NULL;
	return job;
}

struct queue *
queue_new(size_t max_fast, size_t max_bulk)
{
	struct queue *q = xcalloc(1, sizeof *q);
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->more, &attr);
	pthread_condattr_destroy(&attr);
	for (int i = 0; i < LANE_MAX; i++)
		q->lanes[i].last = &q->lanes[i].first;
	q->lanes[LANE_FAST].max = max_fast;
	q->lanes[LANE_BULK].max = max_bulk;
	return q;
}

void
queue_destroy(struct queue **qp)
{
	struct queue *q = *qp;

	if (q == NULL)
		return;
	pthread_cond_destroy(&q->more);
	pthread_mutex_destroy(&q->lock);
	free(q);
	*qp = NULL;
}

bool
queue_push(struct queue *q, enum lane lane, struct job *job)
{
	struct list *l = &q->lanes[lane];
	bool ok;

	pthread_mutex_lock(&q->lock);
	ok = !q->closed && l->len < l->max;
	if (ok) {
		list_add(l, job);
		/* All, not one: a thread that takes only the other lane may be the one that wakes. */
		pthread_cond_broadcast(&q->more);
	}
	pthread_mutex_unlock(&q->lock);
	return ok;
}

static struct job *
take_lanes(struct queue *q, unsigned lanes)
{
	struct job *job = NULL;

	for (unsigned i = 0; i < LANE_MAX && job == NULL; i++)
		if ((lanes & LANES(i)) != 0)
			job = list_take(&q->lanes[i]);
	return job;
}

static struct timespec
after_us(int us)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += us / 1000000;
	t.tv_nsec += (long)(us % 1000000) * 1000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

struct job *
queue_pop(struct queue *q, unsigned lanes, int wait_us)
{
	struct timespec until = { 0 };
	struct job *job;
	int rc = 0;

	if (wait_us > 0)
		until = after_us(wait_us);
	pthread_mutex_lock(&q->lock);
	while ((job = take_lanes(q, lanes)) == NULL && !q->closed && wait_us != 0 && rc == 0) {
		if (wait_us < 0)
			pthread_cond_wait(&q->more, &q->lock);
		else
			rc = pthread_cond_timedwait(&q->more, &q->lock, &until);
	}
	pthread_mutex_unlock(&q->lock);
	return job;
}

size_t
queue_len(struct queue *q, enum lane lane)
{
	size_t n;

	pthread_mutex_lock(&q->lock);
	n = q->lanes[lane].len;
	pthread_mutex_unlock(&q->lock);
	return n;
}

struct disposal {
	struct job job;
	void (*end)(void *);
	void (*gone)(void);
	void *thing;
};

static void
disposal_work(struct job *job, void *thread)
{
	struct disposal *d = (struct disposal *)job;

	(void)thread;
	d->end(d->thing);
}

static void
disposal_done(struct job *job, struct sync *s)
{
	struct disposal *d = (struct disposal *)job;

	(void)s;
	if (d->gone != NULL)
		d->gone();
	free(d);
}

void
queue_dispose(
    struct queue *q, enum lane lane, void (*end)(void *thing), void *thing, void (*gone)(void))
{
	struct disposal *d = xcalloc(1, sizeof *d);

	d->job.work = disposal_work;
	d->job.done = disposal_done;
	d->end = end;
	d->gone = gone;
	d->thing = thing;
	if (queue_push(q, lane, &d->job))
		return;
	disposal_work(&d->job, NULL); /* the process is leaving, or far too busy */
	disposal_done(&d->job, NULL);
}

void
queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_broadcast(&q->more);
	pthread_mutex_unlock(&q->lock);
}

bool
queue_closed(struct queue *q)
{
	bool closed;

	pthread_mutex_lock(&q->lock);
	closed = q->closed;
	pthread_mutex_unlock(&q->lock);
	return closed;
}

/* ---- the way back ---- */
struct wake {
	pthread_mutex_t lock;
	struct list jobs;
	int fd;
	struct event *ev;
	struct sync *sync;
};

static void
wake_ring(const struct wake *w)
{
	uint64_t one = 1;

	/* It can only fail when the counter is full, and then the loop wakes anyway. */
	if (write(w->fd, &one, sizeof one) < 0 && errno != EAGAIN)
		log_error("wake.failed", "errno=%d", errno);
}

static void
wake_read(evutil_socket_t fd, short what, void *arg)
{
	struct wake *w = arg;
	struct job *job;
	uint64_t n, end = clock_mono_ns() + WAKE_NS;
	bool left;

	(void)what;
	if (read(fd, &n, sizeof n) < 0 && errno != EAGAIN)
		log_error("wake.failed", "errno=%d", errno);
	for (int i = 0; i < WAKE_BURST && clock_mono_ns() < end; i++) {
		pthread_mutex_lock(&w->lock);
		job = list_take(&w->jobs);
		pthread_mutex_unlock(&w->lock);
		if (job == NULL)
			return;
		job->done(job, w->sync);
	}
	pthread_mutex_lock(&w->lock);
	left = w->jobs.len > 0;
	pthread_mutex_unlock(&w->lock);
	if (left)
		wake_ring(w);
}

struct wake *
wake_new(struct event_base *base, struct sync *sync)
{
	struct wake *w = xcalloc(1, sizeof *w);

	pthread_mutex_init(&w->lock, NULL);
	w->jobs.last = &w->jobs.first;
	w->sync = sync;
	w->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->fd < 0)
		fatal("wake.eventfd", "errno=%d", errno);
	w->ev = event_new(base, w->fd, EV_READ | EV_PERSIST, wake_read, w);
	if (w->ev == NULL || event_add(w->ev, NULL) != 0)
		fatal("wake.event", "errno=%d", errno);
	return w;
}

void
wake_destroy(struct wake **wp)
{
	struct wake *w = *wp;

	if (w == NULL)
		return;
	event_free(w->ev);
	close(w->fd);
	pthread_mutex_destroy(&w->lock);
	free(w);
	*wp = NULL;
}

void
wake_post(struct wake *w, struct job *job)
{
	bool first;

	pthread_mutex_lock(&w->lock);
	first = w->jobs.len == 0;
	list_add(&w->jobs, job);
	pthread_mutex_unlock(&w->lock);
	if (first)
		wake_ring(w);
}

/* ---- pools ---- */
struct pool {
	struct pool_conf conf;
	unsigned count;
	pthread_t threads[];
};

static void *
pool_thread(void *arg)
{
	const struct pool *p = arg;
	const struct pool_conf *c = &p->conf;
	void *thread = c->setup != NULL ? c->setup(c->arg) : NULL;
	struct job *job;

	while ((job = queue_pop(c->queue, c->lanes, -1)) != NULL) {
		job->work(job, thread);
		wake_post(c->wake, job);
	}
	if (c->teardown != NULL)
		c->teardown(thread);
	return NULL;
}

struct pool *
pool_start(const struct pool_conf *conf, unsigned threads)
{
	struct pool *p = xcalloc(1, sizeof *p + threads * sizeof p->threads[0]);
	sigset_t all, old;
	int rc = 0;

	p->conf = *conf;
	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (p->count = 0; p->count < threads && rc == 0; p->count++)
		rc = pthread_create(&p->threads[p->count], NULL, pool_thread, p);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		fatal("pool.thread", "errno=%d", rc);
	return p;
}

void
pool_join(struct pool **pp)
{
	struct pool *p = *pp;

	if (p == NULL)
		return;
	for (unsigned i = 0; i < p->count; i++)
		pthread_join(p->threads[i], NULL);
	free(p);
	*pp = NULL;
}

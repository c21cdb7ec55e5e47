/* loop - libevent, and when to draw.  One thread; nothing in it blocks.
 *
 * Keys are read until there are none and drawn at once.  Data marks dirty and is drawn at most four times a
 * second; after such a frame the terminal is asked (CSI 5n) and no further one is made before it
 * answered (CSI 0n): a slow link shows old frames late instead of queueing new ones.  What keys do is drawn at
 * once, but on a link whose round trip is above 250 ms at most every 100 ms, three frames ahead of the answer.  A
 * terminal that does not answer within 2 s is not asked again, and gets one frame a second.  Signals: SIGWINCH relays out
 * (coalesced for 30 ms), SIGHUP, SIGTERM, SIGQUIT and SIGINT leave. */
#ifndef NS_CONSOLE_CORE_LOOP_H
#define NS_CONSOLE_CORE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "console/core/surface.h"
#include "console/core/terminal.h"
#include "ipc/client/client.h"

struct event_base;
struct loop;

#define LOOP_INTERRUPTED 130 /* what it was stopped with by SIGINT, as a shell has it, */
#define LOOP_CLOSED      (-1) /* and when the terminal is gone */

struct loop_user {
	void *arg;
	void (*key)(void *arg, uint32_t key);
	void (*tick)(void *arg); /* at the refresh interval */
	void (*draw)(void *arg, struct surface *);
	void (*client)(void *arg); /* the client was dispatched: look at its link; several times a second */
	void (*stderr_line)(void *arg, const char *line);
};

/* The client may be NULL.  stderr goes to user->stderr_line until destroyed. */
struct loop *loop_new(
    const struct terminal *, struct surface *, struct ns_client *, const struct loop_user *);
void loop_destroy(struct loop **);
/* Until loop_stop, a signal, or the terminal is gone; what it was stopped with. */
int loop_run(struct loop *);
void loop_stop(struct loop *, int code);
void loop_dirty(struct loop *); /* by data: at the next frame */
void loop_dirty_now(struct loop *); /* an answer to what was typed */
void loop_interval(struct loop *, unsigned ms);
void loop_repaint(struct loop *);
void loop_suspend(struct loop *);
/* The terminal is a program's until it ends; the loop goes on, without drawing.  false: it was not started. */
bool loop_program(struct loop *, const char *path, char *const argv[],
    void (*ended)(void *arg, int status), void *arg);
void loop_theme(struct loop *, enum ui_theme);
void loop_mouse(struct loop *, bool on);
void loop_copy(struct loop *, const char *text); /* to the terminal's clipboard */
void loop_page(struct loop *, const char *text); /* plain text until the next key; nothing is drawn meanwhile */
/* Call fn once, in ms; a later call replaces the earlier one.  fn NULL: not any more. */
void loop_later(struct loop *, unsigned ms, void (*fn)(void *arg), void *arg);
struct event_base *loop_base(const struct loop *); /* for a job beside (job.h) */
bool loop_slow(const struct loop *); /* the round trip to the terminal is above 250 ms */

/* A page of a list is asked for. */
void loop_asked(struct loop *);

#endif

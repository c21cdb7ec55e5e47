/* job - a program beside the console: no terminal, no input, its output line by line; nothing waits for it.
 *
 * It is the leader of a session of its own, gets SIGTERM when it is stopped or the console ends, and SIGKILL when it does
 * not heed that.  Of our descriptors it has none but its output. */
#ifndef NS_CONSOLE_CORE_JOB_H
#define NS_CONSOLE_CORE_JOB_H

#include <event2/event.h>
#include <stdbool.h>

struct job;

struct job_user {
	void *arg;
	/* A line of its output without its end, at most JOB_LINE octets of it; error: of what it complains. */
	void (*line)(void *arg, const char *text, bool error);
	void (*ended)(void *arg, int status); /* as of waitpid(); all output came, and the job is gone */
};

#define JOB_LINE 4096u

/* path is run with argv, and with the entries of env (NAME=VALUE, ended by NULL) beside our environment; NULL: it could
 * not be started. */
struct job *job_start(struct event_base *, const char *path, char *const argv[], char *const env[],
    const struct job_user *);
/* Stopped, and nothing is called any more; NULL-safe, nulls. */
void job_stop(struct job **);

#endif

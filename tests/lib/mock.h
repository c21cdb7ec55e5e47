/* mock - an appliance for tests of clients: it listens on a path, in a thread, and behaves as told.  Each request has
 * its habit:
 *   status         answered                  zone list      never answered
 *   zone show      answered after 300 ms     zone export    3 chunks: a, b, c
 *   settings get   mock_refusal              record list    a reply of another kind
 *   commit         it vanishes               history list   answered, and then it vanishes */
#ifndef NS_TESTS_LIB_MOCK_H
#define NS_TESTS_LIB_MOCK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "ipc/frame.h"

enum greeting { GREET_WELL, GREET_OTHER_MAJOR, GREET_DENIED, GREET_SILENT };

struct mock {
	/* What it is told, before it starts. */
	enum greeting greeting;
	unsigned forget; /* answer so many requests with "say hello first" */
	unsigned start_after_ms;
	/* What it saw. */
	atomic_bool bound;
	atomic_uint hellos, requests, cancels;
	_Atomic uint64_t cancelled; /* the request */
	/* Its own. */
	const char *path;
	pthread_t thread;
	zsock_t *z;
	atomic_bool stop;
	bool vanish;
	struct ns_peer late_peer;
	uint64_t late_id, late_at;
};

extern const struct ns_why mock_refusal;

/* Returns when it listens, unless it shall start later.  The path stays the caller's. */
void mock_start(struct mock *, const char *path);
/* And wait until nobody listens: libzmq closes in a thread of its own. */
void mock_end(struct mock *);

#endif

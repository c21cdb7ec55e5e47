/* uiclient - the client library of the console, replaced by one without an appliance: it answers from ui_fixture, when
 * told to.  A program names tests/lib/fake/uiclient.c in its `// link:`, and links the console's screens. */
#ifndef NS_TESTS_FAKE_UICLIENT_H
#define NS_TESTS_FAKE_UICLIENT_H

#include <stdbool.h>

#include "ipc/base/err.h"
#include "ipc/nameserve.pb-c.h"

extern struct uiclient {
	/* What it is told. */
	bool lost; /* the link */
	bool mutating; /* octets of some replies are others */
	Ns__Envelope__BodyCase deaf; /* requests of this kind have no answer in time */
	enum ns_err plan_fails; /* how plans are refused; NS_OK: they are not */
	const char *role; /* of who sits there */
	/* What it saw. */
	unsigned requests;
	unsigned writes; /* of these, what would change something: */
	Ns__Envelope__BodyCase wrote; /* the last of them */
	char at[64]; /* the appliance that is shown by way of this one; empty: this one */
} uiclient;

/* As at first; what was asked is forgotten. */
void uiclient_reset(void);
/* All that was asked is answered, and what these answers ask. */
void uiclient_answer(void);

#endif

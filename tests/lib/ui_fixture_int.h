/* ui_fixture_int - what the files of ui_fixture.h share. */
#ifndef NS_TEST_UI_FIXTURE_INT_H
#define NS_TEST_UI_FIXTURE_INT_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/ui_fixture.h"

#define HOSTILE                                      \
	"\x1b]52;c;ZXZpbA==\x07\xe2\x80\xae\xc2\x9b" \
	"2Jevil\\000\xff"
#define STR(s) ((char *)(uintptr_t)(s))
#define LIST(type, init, name, n)               \
	static type name##_rows[n], *name[n];   \
	for (unsigned i_ = 0; i_ < (n); i_++) { \
		type fresh_ = init;             \
		name##_rows[i_] = fresh_;       \
		name[i_] = &name##_rows[i_];    \
	}

bool fixture_is(const char *name);

/* ---- ui_fixture_text.c ---- */
bool fixture_text(Ns__Envelope__BodyCase, Ns__Envelope *); /* false: not its kind */

/* ---- ui_fixture_draft.c ---- */
void fixture_plan(Ns__Envelope *);

/* ---- ui_fixture_ops.c ---- */
void fixture_health(Ns__Envelope *);
void fixture_checks(Ns__Envelope *);
void fixture_look(Ns__Envelope *);
void fixture_fleet(Ns__Envelope *);
void fixture_dnssec(Ns__Envelope *);
void fixture_object(Ns__Envelope *);
void fixture_drain(Ns__Envelope *);

#endif

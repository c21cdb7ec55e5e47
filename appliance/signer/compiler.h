/* compiler - what making an image needs of the signer, whoever does it: shared by compile.c, making.c and sources.c. */
#ifndef NS_SIGNER_COMPILER_H
#define NS_SIGNER_COMPILER_H

#include "appliance/signer/compile.h"
#include "appliance/signer/polbook.h"
#include "appliance/signer/rrsig.h"
#include "appliance/zonemap/writer.h"

struct compiler {
	struct writer		*w;
	struct rrsigner		*signer;
	struct sigfile		*file;		/* NULL: none */
	struct polbook		*pols;
	struct sidecheck	*beside;	/* for what a start verifies */
	uint64_t		 fresh, seen;	/* signatures of this change: signcheck.h */
	uint64_t		 seen_aside;	/* of zones that are made aside: what there is much of */
	struct compile_stats	 stats;
	compile_working_fn	*working;	/* NULL: nobody waits */
	void			*working_arg;
	unsigned		 sets;		/* since it was called */
};

/* The map with what is staged. */
struct map_view	 compiler_view(const struct compiler *);
/* A set was looked at: now and then it is said that we are alive. */
void	 compiler_worked(struct compiler *);
/* Every check that policies in these sets look at goes to z->check. */
void	 compiler_tell_checks(const struct compile_zone *, const struct rrset *);

#endif

/* sockdir.c - see sockdir.h. */
#include "tests/lib/sockdir.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ipc/frame.h"

char sockdir[] = "/tmp/ns-sock-XXXXXX", sockdir_path[64];

int
sockdir_setup(void **state)
{
	(void)state;
	if (mkdtemp(sockdir) == NULL)
		return -1;
	snprintf(sockdir_path, sizeof sockdir_path, "%s/control", sockdir);
	ns_zmq_init();
	return 0;
}

int
sockdir_teardown(void **state)
{
	(void)state;
	zsys_shutdown();
	unlink(sockdir_path);
	return rmdir(sockdir);
}

/* under_callgrind - stands where the supervisor looks for the worker, and runs it under callgrind.
 *
 * The supervisor starts programs by descriptor and with an empty environment, so this is a program and no
 * script; what to run is built in: CG_WORKER, and CG_OUT for callgrind's counts. The caches are those of the
 * machine that the design's figures are from: 32 KiB I1, 48 KiB D1, 2 MiB L2 (callgrind has two levels: L2 is
 * its "LL"). */
#include <stdio.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	char *const command[] = { "valgrind", "-q", "--tool=callgrind", "--cache-sim=yes",
		"--I1=32768,8,64", "--D1=49152,12,64", "--LL=2097152,16,64", "--dump-line=yes",
		"--compress-pos=no", "--compress-strings=no", "--callgrind-out-file=" CG_OUT,
		CG_WORKER, NULL };

	(void)argc;
	(void)argv;
	execv("/usr/bin/valgrind", command);
	perror("valgrind");
	return 1;
}

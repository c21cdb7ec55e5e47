/* role - the one start-up of every child process.
 *
 * Called by the main() of nameserve-ROLE, in the child's only thread.  The order is the contract of
 * role.h: rights are only ever given up, and nothing that could make a thread or a ZeroMQ context
 * runs before seccomp is on.  ops->open runs with the effective uid of the role, so that what it
 * creates belongs to the role; the saved uid is given up right after it. */
#include "appliance/role/role.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "appliance/role/role_internal.h"
#include "ipc/base/log.h"

static const char *const names[ROLE_MAX] = {
	[ROLE_SYNC] = "sync",
	[ROLE_SIGNER] = "signer",
	[ROLE_ANSWER] = "answer",
	[ROLE_WORKER] = "worker",
	[ROLE_PROBE] = "probe",
	[ROLE_API] = "api",
};

const char *
role_name(enum role_id id)
{
	return (unsigned)id < ROLE_MAX ? names[id] : "?";
}

const char *
role_data_dir(const struct role *role)
{
	return role->start->config->data;
}

const char *
role_run_dir(const struct role *role)
{
	return role->start->config->run;
}

const char *
role_bus_dir(const struct role *role)
{
	static char path[PATH_MAX];

	(void)snprintf(path, sizeof path, "%s/bus", role_run_dir(role));
	return path;
}

void
problems_add(char *problems, size_t size, const char *fmt, ...)
{
	size_t used = strlen(problems);
	va_list ap;

	if (used > 0 && used + 3 < size) {
		memcpy(problems + used, "; ", 3);
		used += 2;
	}
	va_start(ap, fmt);
	vsnprintf(problems + used, size - used, fmt, ap);
	va_end(ap);
}

static void
usage(const struct role_ops *ops, FILE *out)
{
	fprintf(out,
	    "nameserve-%s: %s\n\n"
	    "Part of the NameServe appliance; nameserved starts it and hands it what it needs.\n"
	    "usage: nameserve-%s [--help | --version]\n"
	    "See nameserved(8).\n",
	    ops->name, ops->summary, ops->name);
}

/* True when the arguments were all there was to do. */
static bool
arguments(const struct role_ops *ops, int argc, char **argv, int *code)
{
	*code = 0;
	if (argc < 2)
		return false;
	if (strcmp(argv[1], "--version") == 0) {
		printf("nameserve-%s %s\n", ops->name, NS_RELEASE);
	} else if (strcmp(argv[1], "--help") == 0) {
		usage(ops, stdout);
	} else {
		usage(ops, stderr);
		*code = 2;
	}
	return true;
}

/* What holds for every child whoever it runs as. */
static void
harden(const struct role_ops *ops)
{
	const struct rlimit none = { .rlim_cur = 0, .rlim_max = 0 };
	char comm[16];

	/* We are executed through a descriptor, which leaves a number as the process's name. */
	snprintf(comm, sizeof comm, "ns-%s", ops->name);
	(void)prctl(PR_SET_NAME, comm, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &none); /* a core would hold zone data and keys */
	umask(077);
	if (chdir("/") != 0)
		log_warn("role.chdir", "error=%s", strerror(errno));
}

void
role_sandbox(const struct role *role, const struct role_rules *rules, char *problems, size_t size)
{
	if (size > 0)
		problems[0] = '\0';
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		fatal("role.no_new_privs", "error=%s", strerror(errno));
	landlock_apply(role, rules, problems, size);
	seccomp_apply(rules);
}

/* The loop exists only now: libevent may not hold a descriptor that a rule would have refused. */
static void
make_base(struct role *role)
{
	role->base = event_base_new();
	if (role->base == NULL)
		fatal("role.loop", "error=\"no event loop\"");
	link_attach(role);
}

int
role_main(const struct role_ops *ops, int argc, char **argv)
{
	static struct role role; /* outlives main(): exit handlers may still look at it */
	char problems[512];
	int code;

	if (arguments(ops, argc, argv, &code))
		return code;
	log_init(ops->name, 0, LOG_LEVEL_INFO);
	role.ops = ops;
	role.start = link_receive_start(ops);
	log_init(ops->name, role.start->index, LOG_LEVEL_INFO);
	link_catch_signals();
	harden(ops);

	rights_lend(role.start);
	if (ops->open != NULL)
		ops->open(&role);
	rights_drop(role.start);
	role_sandbox(&role, ops->choose != NULL ? ops->choose(&role) : ops->rules, problems,
	    sizeof problems);
	make_base(&role);
	if (problems[0] != '\0')
		link_lacks(&role, problems);

	code = ops->run(&role);
	if (code != 0 || !role_stopping(&role))
		log_warn("role.leave", "code=%d stopping=%d", code, role_stopping(&role));
	link_detach();
	event_base_free(role.base);
	role.base = NULL;
	ns__child_start__free_unpacked(role.start, NULL);
	role.start = NULL;
	return code;
}

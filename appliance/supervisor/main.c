/* nameserved - the supervisor of an appliance: binds, creates, starts, watches, and does nothing else.
 *
 * Order: arguments → configuration, certificate → users → directories and locks → programs → sockets → shared
 * memory → rights dropped → children.  Nothing is touched before the configuration is good; what an
 * operator can mend ends with exit 2, our own trouble with exit 1. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <event2/event.h>

#include "appliance/fleet/token.h"
#include "appliance/supervisor/supervisor.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#if defined(__SANITIZE_ADDRESS__)
/* The leak checker needs ptrace, which we give up. */
int __lsan_is_turned_off(void);
int
__lsan_is_turned_off(void)
{
	return 1;
}
#endif

#define JOIN_MAX 1024 /* an invitation is a line of some 250 characters */
#define FILES    65536 /* connections of the fleet, of clients, of resolvers */

struct arguments {
	const char *config;
	const char *join;
	bool check;
};

static const char usage_text[] =
    "nameserved: supervisor of a NameServe appliance\n\n"
    "usage: nameserved --config FILE [--join TOKEN|@FILE|-] [--check-config]\n"
    "       nameserved --help | --version\n\n"
    "  --config FILE    configuration, see nameserved.conf(5)\n"
    "  --check-config   read it, say what is wrong with it, and leave\n"
    "  --join TOKEN     the invitation that `nameserve fleet invite` printed, as it is, in a file\n"
    "                   (@FILE) or on standard input (-); counts at the first start of a "
    "replica\n\n"
    "Stays in the foreground and logs to stderr.  SIGTERM stops, SIGHUP reads the file again.\n"
    "Exit: 0 stopped, 1 failed, 2 arguments or configuration.\n";

/* -1: go on; else the exit code. */
static int
read_arguments(int argc, char **argv, struct arguments *a)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check-config", no_argument, NULL, 'k' },
		{ "join", required_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	while ((o = getopt_long(argc, argv, "c:hV", options, NULL)) != -1)
		switch (o) {
		case 'c':
			a->config = optarg;
			break;
		case 'k':
			a->check = true;
			break;
		case 'j':
			a->join = optarg;
			break;
		case 'h':
			fputs(usage_text, stdout);
			return 0;
		case 'V':
			printf("nameserved %s\n", NS_RELEASE);
			return 0;
		default:
			fputs(usage_text, stderr);
			return 2;
		}
	if (a->config != NULL && optind == argc)
		return -1;
	fputs(usage_text, stderr);
	return 2;
}

static void
refuse(const struct ns_why *why, enum ns_err err)
{
	fprintf(stderr, "nameserved: %s\n", why->text);
	exit(err == NS_USAGE ? 2 : 1);
}

/* Refused here, before anything is touched; sync reads it again. */
static void
check_invitation(const struct config *c)
{
	struct ns_why why = { 0 };
	struct token t;

	if (token_read(c->pb.join, &t, &why) == NS_OK && strcmp(t.name, c->pb.name) != 0)
		ns_fail(&why, NS_USAGE, 0, "the invitation is for %s, [appliance] name is %s",
		    t.name, c->pb.name);
	if (why.err == NS_OK)
		return;
	fprintf(stderr, "nameserved: --join: %s\n", why.text);
	exit(2);
}

/* The invitation, wherever it is; sync reads it.  A file keeps it out of the list of processes. */
static void
read_invitation(const char *from, struct config *c)
{
	char text[JOIN_MAX + 1];
	ssize_t n;
	int fd;

	if (from[0] != '@' && strcmp(from, "-") != 0) {
		n = snprintf(text, sizeof text, "%s", from);
	} else {
		fd = from[0] == '@' ? open(from + 1, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
		n = fd < 0 ? -1 : read(fd, text, sizeof text);
		if (n < 0) {
			fprintf(stderr, "nameserved: --join %s: %s\n", from, strerror(errno));
			exit(2);
		}
		if (from[0] == '@')
			close(fd);
	}
	if (n == 0 || (size_t)n >= sizeof text || strlen(from) == 0) {
		fprintf(stderr, "nameserved: --join: not an invitation\n");
		exit(2);
	}
	text[n] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	c->pb.join = xstrdup(text);
	check_invitation(c);
}

/* The first start of a replica needs one; what the store knows counts later. */
static void
need_invitation(const struct config *c)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/store.db", c->pb.data);
	if (strcmp(c->pb.role, "replica") != 0 || c->pb.join[0] != '\0' || access(path, F_OK) == 0)
		return;
	fprintf(stderr,
	    "nameserved: [appliance] role = replica: the first start of a replica needs its "
	    "invitation: `nameserve fleet invite %s` at the primary, then `nameserved --join` with "
	    "what it prints\n",
	    c->pb.name);
	exit(2);
}

/* Descriptors that our parent forgot shall not be in the way of the fixed ones; and we need many. */
static void
set_up_process(struct supervisor *s)
{
	struct rlimit files;
	int fd;

	(void)syscall(SYS_close_range, 3u, ~0u, 0);
	while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd < 3)
		continue; /* 0, 1 and 2 exist from here on */
	if (fd >= 0)
		close(fd);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		struct rlimit more = { FILES, FILES };

		files.rlim_cur = files.rlim_max;
		if (files.rlim_max >= FILES || setrlimit(RLIMIT_NOFILE, &more) != 0)
			(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	umask(022);
	s->null_fd = fd_keep(open("/dev/null", O_RDWR | O_CLOEXEC));
	if (s->null_fd < 0)
		fatal("start.descriptors",
		    "error=%s text=\"more than %d are needed, see ulimit -n\"",
		    log_quote(strerror(errno)), FD_HIGH);
	s->started_ms = clock_mono_ms();
}

static void
set_up_host(struct supervisor *s)
{
	struct ns_why why = { 0 };
	enum ns_err err = users_find(&s->users, &why);

	if (err == NS_OK)
		err = dirs_prepare(s, &why);
	if (err == NS_OK)
		err = kek_open(s, &why);
	if (err == NS_OK)
		err = children_create(s, &why);
	if (err == NS_OK)
		err = sockets_bind(s, &why);
	if (err == NS_OK)
		err = memory_create(s, &why);
	if (err != NS_OK)
		refuse(&why, err);
	tls_start(s);
}

static void
run(struct supervisor *s)
{
	s->base = event_base_new();
	if (s->base == NULL)
		fatal("start.loop", "error=\"no event loop\"");
	signals_start(s);
	super_drop_rights(&s->users);
	log_info("start", "name=%s version=%s pid=%d workers=%u addresses=%zu root=%d",
	    s->config.pb.name, NS_RELEASE, (int)getpid(), s->config.pb.workers,
	    s->config.pb.n_dns_listen, s->users.root);
	notify_send("STATUS=starting");
	watch_start(s);
	event_base_dispatch(s->base);
	dirs_sweep(s);
	log_info("stopped", "name=%s", s->config.pb.name);
}

int
main(int argc, char **argv)
{
	static struct supervisor s;
	struct arguments a = { 0 };
	struct ns_why why = { 0 };
	int code = read_arguments(argc, argv, &a);

	if (code >= 0)
		return code;
	log_init("supervisor", 0, LOG_LEVEL_INFO);
	if (config_load(a.config, &s.config, &why) != NS_OK)
		refuse(&why, NS_USAGE);
	if (tls_load(&s, a.config, &why) != NS_OK)
		refuse(&why, NS_USAGE);
	if (a.check) {
		printf("%s: ok\n", a.config);
		return 0;
	}
	if (a.join != NULL)
		read_invitation(a.join, &s.config);
	need_invitation(&s.config);
	s.config_path = realpath(a.config, NULL);
	if (s.config_path == NULL)
		s.config_path = a.config;
	set_up_process(&s);
	(void)geo_load(&s);
	notify_init();
	set_up_host(&s);
	run(&s);
	return 0;
}

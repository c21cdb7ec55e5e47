/* supervisor - what the files of nameserved share.
 *
 * One process, one thread, one libevent loop, one struct supervisor that lives as long as the
 * process.  It parses its configuration and reports of a few octets from its own children, nothing
 * else.  The table of roles (roles.c) says who is started and what each is handed. */
#ifndef NS_SUPERVISOR_SUPERVISOR_H
#define NS_SUPERVISOR_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "appliance/role/certificate.h"
#include "appliance/role/role.h"
#include "appliance/supervisor/config.h"
#include "appliance/supervisor/restart.h"
#include "appliance/supervisor/turn.h"
#include "appliance/zonemap/page.h"

struct event;
struct event_base;

#define FD_HIGH      512 /* what we keep lies above every fixed descriptor of a child */
#define PROBLEMS_MAX 32
#define PROBLEM_MAX  512
#define REPORT_MAX   1024u /* octets of a ChildReport */

/* What a role is handed at its start. */
enum handed {
	HAND_MAP_RW = 1 << 0,
	HAND_MAP_RO = 1 << 1,
	HAND_BOARD = 1 << 2, /* read-only */
	HAND_OWN_PAGE = 1 << 3, /* read-write */
	HAND_ALL_PAGES = 1 << 4, /* read-only */
	HAND_SOCKETS = 1 << 5,
	HAND_BOARD_RW = 1 << 6,
	HAND_GEO = 1 << 7, /* read-only */
	HAND_KEK = 1 << 8, /* read-only */
	HAND_TAIL = 1 << 9, /* read-only */
	HAND_TAIL_RW = 1 << 10,
};

struct role_spec {
	enum role_id role;
	enum turn turn;
	bool per_worker; /* one for each of [dns] workers */
	bool by_page; /* alive is what its worker page says, else ALIVE reports */
	bool wants_table; /* hears of all processes */
	unsigned ready_ms; /* longer than this from exec to READY is said in status */
	unsigned silent_ms; /* longest silence after it */
	unsigned handed; /* enum handed */
};
extern const struct role_spec role_specs[];
extern const size_t role_specs_count;

/* Who is who.  Not root: everything runs as the invoking user. */
struct users {
	bool root;
	uint32_t uid[ROLE_MAX], gid;
	uint32_t admin; /* who runs nameserved */
};

/* One DNS socket of one worker. */
struct dns_socket {
	int fd;
	bool tcp, tls;
	const char *address; /* of the configuration */
};
struct sockets {
	struct dns_socket *all; /* worker by worker */
	size_t per_worker, count;
};

struct page_memory {
	int rw, ro;
	struct worker_page *page; /* mapped; ours to write only while nobody has it */
};
struct memory {
	int map_rw, map_ro, board_rw, board_ro, tail_rw, tail_ro;
	struct page_memory pages[ROLE_MAX_WORKERS];
	size_t npages;
};

/* What TLS is served with, as read and found good (tls.c). */
#define TLS_ROLL_MS (12u * 3600u * 1000u)
struct tls_material {
	uint8_t *cert, *key;
	size_t cert_len, key_len;
	time_t not_after;
	bool exposed; /* others may read the key's file */
	int expiry; /* as said in status */
	uint8_t tickets[2][TICKET_KEY]; /* current, former */
	unsigned ntickets;
	uint64_t rolled_ms, looked_ms;
};

#define GEO_FILES_MAX ROLE_GEO_MAX
enum child_state { CHILD_STARTING, CHILD_READY, CHILD_SILENT, CHILD_BACKOFF };

struct supervisor;
struct child {
	const struct role_spec *spec;
	struct supervisor *super;
	unsigned index;
	enum child_state state;
	pid_t pid; /* 0: none */
	bool killed; /* SIGKILL is on its way */
	bool geo_due; /* it has the former geo files, and is to be replaced */
	bool tls_due; /* it has not heard of the newest tls_material */
	int link; /* our end of the pair; -1: none */
	struct event *link_event, *retry;
	uint64_t generation;
	uint64_t started_ms, heard_ms; /* monotonic */
	uint32_t restarts;
	struct restart restart;
	struct turn_look look;
	char problem[PROBLEM_MAX]; /* last it told; "" none */
	char late[96]; /* it is not ready for too long; "" in time */
};

struct problem {
	char code[32], text[PROBLEM_MAX];
};

struct supervisor {
	const char *config_path;
	struct config config;
	struct users users;
	struct sockets sockets;
	struct memory memory;
	struct tls_material tls;
	int geo[GEO_FILES_MAX]; /* geo.c */
	size_t ngeo;
	int kek; /* kek.c; -1: there is none */
	int programs[ROLE_MAX]; /* O_PATH, for execveat(); -1: not used */
	int null_fd, locks[2];
	struct child *children;
	size_t nchildren;
	uint64_t generation; /* last given out */
	uint64_t started_ms; /* monotonic */
	struct problem problems[PROBLEMS_MAX];
	size_t nproblems;

	struct event_base *base;
	struct event *signals[4], *tick, *table;
	uint64_t last_tick_ms, grace_until_ms, last_table_ms, usage_ms;
	uint32_t memory_mib; /* as of usage_ms */
	bool all_ready; /* READY was told to systemd */
	int stopping; /* enum stop_phase, stop.c */
	uint64_t stop_deadline_ms;
};

/* users.c */
enum ns_err users_find(struct users *, struct ns_why *) __attribute__((warn_unused_result));

/* kek.c: the file that opens the signer's keys; after dirs_prepare(). */
enum ns_err kek_open(struct supervisor *, struct ns_why *) __attribute__((warn_unused_result));

/* dirs.c: make what is missing, refuse what cannot work, and hold the locks. */
enum ns_err dirs_prepare(struct supervisor *, struct ns_why *) __attribute__((warn_unused_result));
/* May uid/gid enter every directory on the way to path, and path itself?  If not: which one. */
bool dirs_reach(
    const char *path, uint32_t uid, uint32_t gid, char *culprit, size_t size, unsigned *mode);
bool dirs_mode_allows(
    unsigned mode, uint32_t owner, uint32_t group, uint32_t uid, uint32_t gid, unsigned want);
enum ns_err
dirs_lock(const char *dir, int *fd, struct ns_why *) __attribute__((warn_unused_result));

/* At the end: what a killed sync left in run.  Done as sync's user. */
void dirs_sweep(const struct supervisor *);

/* sockets.c, memory.c */
enum ns_err sockets_bind(struct supervisor *, struct ns_why *) __attribute__((warn_unused_result));
enum ns_err memory_create(struct supervisor *, struct ns_why *) __attribute__((warn_unused_result));
void memory_clear_worker(struct page_memory *);
void memory_set_rrl(struct memory *, uint32_t per_second); /* workers look at it with each batch */

/* tls.c: certificate and key, where [dns] tls is set; all do nothing where it is not. */
enum ns_err tls_load(struct supervisor *, const char *file, struct ns_why *)
    __attribute__((warn_unused_result)); /* file: the configuration's name */
void tls_start(struct supervisor *); /* tells status what is wrong with it */
void tls_tick(struct supervisor *, uint64_t now_ms);
void tls_reload(struct supervisor *);
/* A new ticket key; the one before may still open what it sealed, or is forgotten. */
void tls_roll(struct tls_material *, bool keep_former, uint64_t now_ms);
void tls_fill(struct supervisor *, Ns__TlsMaterial *, ProtobufCBinaryData tickets[2]); /* borrowed */

/* geo.c: all do nothing where there is no [geo] database. */
bool geo_load(struct supervisor *); /* false: said in status */
void geo_reload(struct supervisor *);
void geo_tick(struct supervisor *);

/* rights.c: after everything is bound and opened, before the first child. */
void super_drop_rights(const struct users *);

/* roles.c, spawn.c */
enum ns_err
children_create(struct supervisor *, struct ns_why *) __attribute__((warn_unused_result));
bool child_spawn(struct child *); /* false: logged; try again later */
const char *child_state_name(enum child_state);

/* watch.c */
void watch_start(struct supervisor *);
void watch_link(struct child *); /* its pair exists: listen */
void watch_unlink(struct child *);
void watch_kill(struct child *, int sig);
struct child *watch_find(struct supervisor *, pid_t);
void watch_reap(struct supervisor *);
void watch_retry(struct child *, uint32_t wait_ms);

/* status.c */
void status_problem(struct supervisor *, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void status_problem_end(struct supervisor *, const char *code); /* it is over; or never was */
void status_changed(struct supervisor *); /* a table goes out within milliseconds */
void status_send(struct supervisor *);

/* usage.c: memory of the appliance, rounded up; 0: not known. */
uint32_t usage_mib(const struct supervisor *);
size_t status_pack(const struct supervisor *, uint64_t now_ms, uint8_t **out);

/* signals.c, stop.c */
void signals_start(struct supervisor *);
void super_reload(struct supervisor *);
void stop_begin(struct supervisor *);
void stop_step(struct supervisor *); /* at each tick and each death */

/* notify.c: systemd's protocol, without its library. */
void notify_init(void);
void notify_send(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void notify_watchdog(uint64_t now_ms);

/* A copy of fd above FD_HIGH, close-on-exec; the old one is closed.  -1: errno. */
int fd_keep(int fd);

#endif

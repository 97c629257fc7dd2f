// What the files of martlet-sandbox share. Read them in this order: main.c (the loop), sandbox.c (what the server may
// ask for), spec.c, nest.c (the pool), init.c (process 1 inside), mounts.c, seccomp.c, cgroups.c, memory.c, watch.c,
// slowly.c, network.c, outbound.c, graft.c, snapshot.c, signals.c, protocol.c, report.c.
//
// Two kinds of process run this program: the *helper* (one, privileged, single-threaded, owns every sandbox) and in
// each sandbox an *init*, a fork of the helper that has given up every privilege and runs what the server orders. A
// third kind begins as a fork of the helper: a *zygote*, an interpreter that waits for being forked into sandboxes. A
// *snapshot* is the same with a tenant's code in it, and without any privilege.
#ifndef MARTLET_SANDBOX_H
#define MARTLET_SANDBOX_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "sandbox_protocol.h"

enum {
  MAX_EXPOSED = 64,
  MAX_MOUNTS = 256,
  MAX_LISTENERS = 8,
  MAX_PROCESSES = 64,   // alive at once in one sandbox, counting only those that the server spawned
  MAX_SANDBOXES = 4096,
  MAX_ZYGOTES = 64,
  MAX_SNAPSHOTS = 64,
  MAX_HATCHED = 64,     // forks of zygotes that are ready ahead, all together
  MAX_GRAFTS = 8,       // mounts that come later
  MAX_PATH = 4096,
  UID_INSIDE = 993,
  GID_INSIDE = 990,
  CPU_PERIOD_US = 20000,
};

// Messages between helper and init only; a server that sends one is answered FAILED.
enum {
  INIT_READY = 201, INIT_KILL_ALL = 202, INIT_PROBE = 203, INIT_BUILD = 204, INIT_WARM = 205, INIT_FOLLOW = 206,
  INIT_FOLLOWED = 207, INIT_GO = 208, INIT_MOUNTS = 209, INIT_JOIN = 218, INIT_JOINED = 219,
};
// Between helper and zygote, or its forks; Runtimes/python/zygote.py knows the same numbers.
enum {
  ZYGOTE_FORK = 211, ZYGOTE_REAP = 212, ZYGOTE_REAPED = 213, ZYGOTE_UP = 214, FORK_PARKED = 215, FORK_STARTED = 216,
};

enum isolation { ISOLATION_NONE, ISOLATION_FULL, ISOLATION_ROOTLESS };

struct directories { unsigned count; char *paths[MAX_EXPOSED]; };   // resolved, without trailing slash ("" is the root)
struct options {
  int server;               // the SEQPACKET socket
  enum isolation isolation;
  char name[41];
  uint32_t uid_base;
  unsigned pool;
  unsigned patience;        // seconds that an instance of the same name may take to end
  struct directories exposed, writable;   // what may be bound read-only, and otherwise
};
extern struct options options;

// ---- protocol.c: packets in and out
struct message { uint32_t type, sandbox; const uint8_t *body, *end; };
struct field { uint32_t tag, length; const uint8_t *bytes; };
struct packet {               // a message being written
  size_t length;
  unsigned fd_count;
  int fds[SBX_MAX_FDS];
  uint8_t bytes[32768];
};
bool message_parse(struct message *message, const uint8_t *bytes, size_t length);
bool message_next(struct message *cursor, struct field *field);
bool field_u32(const struct field *field, uint32_t *value);
bool field_u64(const struct field *field, uint64_t *value);
bool field_is_text(const struct field *field);
bool message_u32(const struct message *message, uint32_t tag, uint32_t *value);
bool message_port(const struct message *message, uint16_t *port);
void packet_begin(struct packet *packet, uint32_t type, uint32_t sandbox);
void packet_bytes(struct packet *packet, uint32_t tag, const void *bytes, size_t length);
void packet_u32(struct packet *packet, uint32_t tag, uint32_t value);
void packet_text(struct packet *packet, uint32_t tag, const char *text);
void packet_fd(struct packet *packet, int fd);
ssize_t packet_send(int socket, const void *bytes, size_t length, const int *fds, unsigned fd_count, int flags);
ssize_t packet_receive(int socket, uint8_t *bytes, size_t capacity, int *fds, unsigned *fd_count, bool *truncated);

// ---- cgroups.c: which hierarchy serves what, and one set of cgroups per sandbox
enum role { ROLE_MEMORY, ROLE_CPU, ROLE_PIDS, ROLE_FREEZE, ROLE_KILL, ROLE_COUNT };
struct cgroup_plan {
  unsigned directory_count;
  struct { char path[256]; bool v2; } directories[ROLE_COUNT];
  int directory_of[ROLE_COUNT];   // -1: nothing on this host serves it
};
struct cgroups {                  // descriptors are -1 where the host has no such thing
  char name[24];                  // "" : none
  int freeze, cpu, kill, peak, usage, oom, alarm, idle;
  bool unarmed;                   // the alarm is to be armed, but too many others are before it
};
struct spec;
bool cgroup_find_v2(const char *mountinfo, char *path, size_t size);
void cgroup_make_plan(struct cgroup_plan *plan, const char *mountinfo, const char *v2_controllers);
extern struct cgroup_plan cgroup_plan;
bool cgroup_served(enum role role);
bool cgroup_is_v2(enum role role);
void cgroups_none(struct cgroups *groups);
int cgroups_start(void);
bool cgroups_unlink(const char *name);
void cgroups_stop(void);
int cgroups_make(struct cgroups *groups);
int cgroups_arm(struct cgroups *groups, uint64_t level);
int cgroups_limit(struct cgroups *groups, const struct spec *spec);
int cgroups_open(const struct cgroups *groups, enum role role, const char *file, int flags);
unsigned cgroups_open_procs(const struct cgroups *groups, int fds[ROLE_COUNT], int *into);
void cgroups_thaw(const struct cgroups *groups);
bool cgroups_kill(const struct cgroups *groups);
bool cgroups_kill_members(const struct cgroups *groups);
void cgroups_remove(struct cgroups *groups);
uint64_t cgroups_oom_kills(const struct cgroups *groups);

// ---- slowly.c: what waits inside the kernel is done by a second process
int slowly_start(void);
void slowly_stop(void);
bool slowly_is(pid_t pid);
bool slowly_arm(int alarm, int usage, int control, uint64_t level);
bool slowly_remove(const char *name);
bool slowly_catch_up(void);

// ---- memory.c: files in /tmp are not memory
struct memory_reading {
  uint64_t limit;           // what the processes may use
  uint64_t tmp;             // bytes of files in /tmp
  uint64_t usage;           // what the kernel charges: anonymous, files in any tmpfs, page cache, kernel
  uint64_t unreclaimable;   // anonymous + shared + swapped
};
struct memory_verdict { bool kill; bool watch; uint64_t alarm; };
struct memory_verdict memory_decide(const struct memory_reading *reading);
uint64_t memory_unreclaimable(const char *stat_text, bool v2);

// ---- sandbox.c: the sandboxes
struct mount_entry { uint8_t kind; const char *source, *target; };
// Where a socket is to be; `kind` is an enum sbx_listen.
struct listen_at {
  uint16_t port;
  uint8_t kind;
};

struct spec {                 // what CREATE asked for; kept for RESET
  uint8_t *message;           // a copy of the fields; the mounts point into it
  size_t length;
  uint64_t memory, tmp;
  uint32_t cpu, pids, nofile, network, zygote, snapshot, yields;
  char hostname[65];
  unsigned listen_count, mount_count;
  struct listen_at listen[MAX_LISTENERS];
  struct mount_entry mounts[MAX_MOUNTS];
};
enum state { STARTING, RUNNING, RESETTING, RESTARTING, DESTROYING, DOOMED /* CREATE failed */, BROKEN };
struct process { uint32_t id; bool started, forked; };
struct pending {              // a SPAWN whose program is to be forked, until that was done
  uint32_t process;
  int output;
  size_t length;
  uint8_t *bytes;
};
enum hatching { NO_FORK, HATCHING, JOINING, PARKED, ORDERED, STARTED };
struct hatchling {            // a fork of a zygote in a nest
  enum hatching state;
  uint32_t zygote, serial;    // the zygote knows it by the serial number
  int channel, pidfd;         // pidfd: from PARKED on
  pid_t pid;                  // of a snapshot's
};
struct nest {                 // an init that has its namespaces and cgroups and waits to be told what to build
  struct cgroups cgroups;
  int network, init, pidfd;
  pid_t pid;
  uid_t owner;                // of its namespaces, if they were made for forks of a snapshot; 0
  bool is_ahead;              // made before anybody asked
  bool has_base;              // with the mounts of BASE: its init does not see the host any more
  unsigned listener_count;    // those of BASE, until an order takes them
  int listeners[MAX_LISTENERS];
  struct hatchling fork;
};
struct sandbox {
  struct sandbox *next;
  uint32_t id;
  enum state state;
  unsigned slot;              // makes the host uid, and the address with NETWORK
  struct spec *spec;
  struct nest nest;
  int tmp;
  unsigned listener_count, process_count;
  int listeners[MAX_LISTENERS];
  struct process processes[MAX_PROCESSES];
  struct pending *pending;
  uint64_t ends_at;           // ms: when its init was told to end, in a nest for forks of a snapshot
  bool reset_asked;           // before it was built: done when it is
  bool follows;               // a program shares its directory with init
  bool grafting;              // init changes its directory, then the answer is due
  bool oom;                   // the limit killed here since the last start or reset
  uint64_t oom_before;        // the kernel's counter at that time
  bool watched;               // memory use is above the limit and is being looked at by the clock
  unsigned watch_interval;    // ms
  uint64_t watch_at, watch_usage, watch_until;
};
void server_message(const uint8_t *bytes, size_t length, int *fds, unsigned fd_count, bool truncated);
void server_reply(struct packet *packet);
void init_readable(struct sandbox *sandbox);
void init_exited(struct sandbox *sandbox);
struct sandbox *sandbox_find(uint32_t id);
void sandbox_destroy_all(void);
bool sandbox_ends_slowly(void);
void sandbox_each(void (*body)(struct sandbox *, uint32_t), uint32_t argument);
void reply_failed(uint32_t request, uint32_t sandbox, uint32_t process, int error, const char *stage);
void reply_empty(uint32_t type, uint32_t sandbox);
void process_started(struct sandbox *sandbox, struct process *process);
void process_ended(struct sandbox *sandbox, struct process *process, uint32_t status);
void spawn_plainly(struct sandbox *sandbox, struct process *process, const uint8_t *bytes, size_t length, int output);

// ---- graft.c: mounts that come later
void sandbox_graft(struct sandbox *sandbox, const struct message *message);
void graft_over(struct sandbox *sandbox, int error, const char *stage);

// ---- watch.c: keeps sandboxes to their memory
void watch_memory(struct sandbox *sandbox);
void unwatch_memory(struct sandbox *sandbox);
void memory_alarm(struct sandbox *sandbox);
int memory_clock(uint64_t now);

// ---- forked.c: a program that is forked instead of executed
bool forked_spawn(struct sandbox *sandbox, uint32_t process, const uint8_t *bytes, size_t length, int output);
void forked_proceed(struct sandbox *sandbox);
void forked_readable(struct sandbox *sandbox);
void forked_exited(struct sandbox *sandbox);
void forked_joined(struct sandbox *sandbox, bool good);
void forked_reaped(uint32_t sandbox, uint32_t serial, uint32_t status);
void forked_signal(struct sandbox *sandbox, int number);
void forked_forget(struct sandbox *sandbox);

// ---- zygote.c
struct zygote;
void zygote_create(const struct message *message);
bool zygote_destroy(uint32_t id);
void zygote_destroy_all(void);
void zygote_kill(uint32_t id);
void zygote_level(const struct message *message);
bool zygote_is_up(uint32_t id);
void zygote_readable(uint32_t id);
void zygote_exited(uint32_t id);
void zygote_reap(const struct hatchling *fork, uint32_t sandbox);
int zygote_hatch(uint32_t id, struct nest *nest, bool ahead);
int hatch_begin(struct packet *order, uint32_t serial, const struct nest *nest, const char *const *names,
    unsigned count);
int hatch_send(struct packet *order, int socket, struct nest *nest, struct hatchling hatchling);
bool zygote_knows(pid_t pid);
uint32_t zygote_wanting(const struct nest *hatched, unsigned count);
bool hatchling_hear(struct hatchling *fork, uint32_t *said);
void hatchling_none(struct hatchling *fork);
void hatchling_bury(struct hatchling *fork);

// ---- snapshot.c
bool snapshot_create(const struct message *message, struct spec *spec);
bool snapshot_message(const struct message *message, const uint8_t *bytes, size_t length, const int *fds,
    unsigned fd_count);
uid_t snapshot_user(uint32_t id);
void snapshot_readable(uint32_t id);
void snapshot_exited(uint32_t id);
void snapshot_destroy_all(void);
int snapshot_hatch(uint32_t id, struct nest *nest);
void snapshot_kill(uid_t user);
bool snapshot_keeps_dead(uid_t user);
void snapshot_bury_strays(void);

// ---- spec.c: what CREATE asked for
struct spec *spec_read(const struct message *message, const char **stage);
struct spec *spec_read_zygote(const struct message *message, const char **stage);
struct spec *spec_read_base(const struct message *message, const char **stage);
bool spec_same_mount(const struct mount_entry *a, const struct mount_entry *b);
const char *check_program(const struct message *message, uint32_t *process, bool is_zygote);
void spec_free(struct spec *spec);

// ---- users.c: who may have which user
int users_take(uid_t owner);
void users_give_back(unsigned place);
void users_keep(unsigned place, uid_t owner);
void users_forget(uid_t owner);
uid_t users_hoarder(void);
bool users_may_be(uid_t owner, uid_t user);
uid_t users_claim(void);
void users_hold(uid_t user);
void users_leave(uid_t user);

// ---- nest.c: the pool
int nest_take(struct nest *nest, const struct spec *spec, const char **stage);
int nest_make_owned(struct nest *nest, uid_t owner, unsigned slot, const struct spec *spec, const char **stage);
int nest_hatch(struct nest *nest, const char **stage);
void nest_disown(struct nest *nest);
void nest_remove(struct nest *nest);
void nest_take_listeners(struct nest *nest, const struct spec *spec, int *listeners);
void nest_readable(void);
int nest_give_mounts(const struct nest *nest, const struct spec *spec, uint32_t user, const char **stage);
void pool_base(const struct message *message);
void pool_discard(void);
void pool_discard_forks(uint32_t zygote);
void pool_trim(uint32_t zygote, unsigned level);
void pool_hatching_readable(void);
bool pool_knows(pid_t pid);
void pool_census(unsigned *nests, unsigned *forks);
bool pool_wants_more(void);
void pool_fill(void);

// ---- network.c
int network_start(void);
int network_make(void);
int network_of(pid_t pid);
int network_listen(int network, struct listen_at at);
int network_connect(int network, uint16_t port);
int connect_here(uint16_t port);
int loopback_up(void);
int listen_here(struct listen_at at);
void network_go_home(void);

// ---- outbound.c
int network_outbound(int network, const char **stage);
void network_outbound_stop(void);
bool network_outbound_works(bool deep, char *how, size_t size);

// ---- init.c, mounts.c, seccomp.c: inside
struct init_start {           // what the fork that becomes init needs
  int socket, network;
  unsigned procs_count;
  int procs[ROLE_COUNT];
  uid_t uid; gid_t gid;       // the helper's own, which a new user namespace hides
  bool is_owned;              // it has a user namespace from the beginning, with maps that the helper writes
  const struct spec *base;    // what is to be mounted before there is an order; NULL
};
struct program_order { uint32_t process, follows, argc, envc; char **argv, **envp; const char *cwd; };
bool order_read(struct program_order *order, struct message *message);
void init_limit_files(void);
int init_drop_capabilities(void);
_Noreturn void init_main(const struct init_start *start);
extern int mounts_root;
int mounts_source(const char *source, bool writable, uint32_t user, bool *is_directory);
enum proc { PROC_NONE, PROC_ALL, PROC_OWN /* shows its user's processes only */ };
extern bool mounts_are_given;             // the helper has opened the sources of mounts from that one of the order on
extern unsigned mounts_given_from, mounts_given_count;
extern int mounts_given[MAX_MOUNTS];
int mounts_begin(enum proc proc, char *stage, size_t stage_size);
int mounts_place_base(const struct spec *base, char *stage, size_t stage_size);
int mounts_finish(const struct spec *spec, uint32_t user, int tmp, int *tmp_again, char *stage, size_t stage_size);
int seccomp_compile(void);
int seccomp_install(void);
int seccomp_install_zygote(void);
int seccomp_install_snapshot(void);
int seccomp_file(void);

// ---- report.c
void report_collect(bool deep);
void report_add_to(struct packet *packet);
void report_print(void);
bool report_hears(const struct packet *packet);
_Noreturn void probe_inside(int out, uint32_t kind);

// ---- signals.c: for programs whose threads may just have been thawed
void signal_child(pid_t pid, int number);     // one that has not been waited for
void signal_behind(int pidfd, int number);

// ---- figures.c: how often what was made ahead has served
enum figure { NESTS_TAKEN, NESTS_MADE_LATE, FORKS_TAKEN, FORKS_MADE_LATE, FORKS_FAILED, PROGRAMS_EXECUTED, FIGURES };
extern uint64_t figures[FIGURES];
void figures_reply(unsigned nests, unsigned hatched, unsigned sandboxes);

// ---- main.c
enum watch {
  WATCH_SERVER = 1, WATCH_INIT, WATCH_PID, WATCH_ALARM, WATCH_NEST, WATCH_FORK, WATCH_FORK_END, WATCH_HATCHING,
  WATCH_ZYGOTE, WATCH_ZYGOTE_END, WATCH_SNAPSHOT, WATCH_SNAPSHOT_END,
};
void watch_add(int fd, enum watch kind, uint32_t sandbox, uint32_t events);
void epoll_forget(int fd);
void watch_close(int *fd);
bool loop_turn(int timeout_ms);
uint64_t now_ms(void);
void hide_command_line(void);
void oom_first(void);
int write_text(const char *path, const char *text);
ssize_t read_text(const char *path, char *text, size_t size);
void close_fd(int *fd);

#endif

// Nests: inits that are ready before anybody asks. Namespaces, cgroups, /proc and /dev are the same for every sandbox
// and are most of its price; a pool of nests is filled in quiet moments, and an empty pool only means that CREATE
// makes one on the spot.
#include "sandbox.h"

#include <linux/sched.h>
#include <linux/securebits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static struct nest *pool;           // made ahead
static struct spec *base;           // what most sandboxes begin with: nests have it already
// Which files its sources were at the last look.
static struct { dev_t device; ino_t inode; } base_sources[MAX_MOUNTS];
static bool hopeless;              // no nest could be made: not tried again before the next CREATE
static bool warming;                // the newest in the pool is not warm yet
static int host_mounts = -1;        // tells when the host's mounts have changed: then the pool's copies are stale
static unsigned pool_count;
static struct nest hatched[MAX_HATCHED];   // nests with a hatchling, the oldest first
static unsigned hatched_count;
static bool hatching;               // the newest of them is not parked yet

// Starts process 1 of a sandbox to be. It joins the cgroups and the network of `nest`, says WARM, and waits for its
// order.
int nest_hatch(struct nest *nest, const char **stage) {
  static const uint64_t flags_of[] = {
    [ISOLATION_NONE] = 0,
    [ISOLATION_FULL] = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS,
    [ISOLATION_ROOTLESS] = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET};
  struct init_start start = {.network = nest->network, .uid = geteuid(), .gid = getegid()};
  int pair[2], into, size = 1 << 20;
  *stage = "socketpair";
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return -1;
  if (setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  start.socket = pair[1];
  start.procs_count = cgroups_open_procs(&nest->cgroups, start.procs, &into);
  struct clone_args args = {
    .flags = flags_of[options.isolation] | CLONE_PIDFD | (into >= 0 ? CLONE_INTO_CGROUP : 0),
    .pidfd = (uintptr_t)&nest->pidfd, .exit_signal = SIGCHLD, .cgroup = into >= 0 ? (uint64_t)into : 0};
  *stage = "clone";
  if (nest->owner) {
    args.flags |= CLONE_NEWUSER | CLONE_NEWNET;
    start.is_owned = true;
    *stage = "owner";
    if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) < 0 || seteuid(nest->owner) < 0) abort();
  }
  if (nest->is_ahead && base && base->mount_count > 0) start.base = base;
  nest->has_base = start.base != NULL;
  long pid = syscall(SYS_clone3, &args, sizeof args);
  if (pid == 0) init_main(&start);
  int error = errno;
  // What is left of it would be anybody's: better to die.
  if (nest->owner && (seteuid(0) < 0 || prctl(PR_SET_SECUREBITS, 0) < 0)) abort();
  for (unsigned i = 0; i < start.procs_count; i++) close_fd(&start.procs[i]);
  close_fd(&into);
  close(pair[1]);
  if (pid < 0) {
    close(pair[0]);
    nest->pidfd = -1;
    errno = error;
    return -1;
  }
  nest->pid = (pid_t)pid;
  nest->init = pair[0];
  return 0;
}

static void close_listeners(struct nest *nest, unsigned from) {
  while (nest->listener_count > from) close_fd(&nest->listeners[--nest->listener_count]);
}

// Its namespaces are gone, or nobody can enter them.
void nest_disown(struct nest *nest) {
  if (nest->owner) users_leave(nest->owner);
  nest->owner = 0;
}

void nest_remove(struct nest *nest) {
  nest_disown(nest);
  watch_close(&nest->init);
  watch_close(&nest->pidfd);
  close_fd(&nest->network);
  close_listeners(nest, 0);
  if (nest->cgroups.alarm >= 0) watch_close(&nest->cgroups.alarm);
  cgroups_remove(&nest->cgroups);
}

// Hands over the listeners of an order that were made ahead, wherever it names them; -1 for the others. What it does
// not name is closed. Never is one closed to be made again: a process 1 that was born meanwhile has a copy of it until
// it has come far enough to close what is not its own, and so long its port is in use.
void nest_take_listeners(struct nest *nest, const struct spec *spec, int *listeners) {
  for (unsigned i = 0; i < spec->listen_count; i++) {
    listeners[i] = -1;
    for (unsigned k = 0; k < nest->listener_count && listeners[i] < 0; k++) {
      if (base->listen[k].port != spec->listen[i].port || base->listen[k].kind != spec->listen[i].kind) continue;
      listeners[i] = nest->listeners[k];
      nest->listeners[k] = -1;
    }
  }
  close_listeners(nest, 0);
}

// What cannot be had ahead is made when it is asked for.
static void listen_ahead(struct nest *nest) {
  for (unsigned i = 0; base && i < base->listen_count; i++) {
    int listener = network_listen(nest->network, base->listen[i]);
    if (listener < 0) break;
    nest->listeners[nest->listener_count++] = listener;
  }
}

// False if a source of BASE is another file than at the last look: nests may have the old one, or may not.
static bool base_is_as_before(void) {
  bool same = true;
  for (unsigned i = 0; base && i < base->mount_count; i++) {
    struct stat now = {0};
    if (base->mounts[i].kind != SBX_MOUNT_BIND) continue;
    if (stat(base->mounts[i].source, &now) < 0) now.st_ino = 0;
    if (now.st_dev == base_sources[i].device && now.st_ino == base_sources[i].inode) continue;
    base_sources[i].device = now.st_dev;
    base_sources[i].inode = now.st_ino;
    same = false;
  }
  return same;
}

void pool_base(const struct message *message) {
  const char *stage;
  struct spec *wanted = spec_read_base(message, &stage);
  if (!wanted) return reply_failed(SBX_BASE, 0, 0, errno, stage);
  pool_discard();   // they have another one
  spec_free(base);
  base = wanted;
  memset(base_sources, 0, sizeof base_sources);
}

static int nest_make(struct nest *nest, bool is_ahead, const char **stage) {
  *nest = (struct nest){.network = -1, .init = -1, .pidfd = -1, .is_ahead = is_ahead};
  cgroups_none(&nest->cgroups);
  hatchling_none(&nest->fork);
  *stage = "cgroups";
  if (options.isolation == ISOLATION_FULL && cgroups_make(&nest->cgroups) < 0) return -1;
  *stage = "network namespace";
  if (options.isolation == ISOLATION_FULL && (nest->network = network_make()) < 0) goto failed;
  if (nest_hatch(nest, stage) == 0) return 0;
failed:;
  int error = errno;
  nest_remove(nest);
  errno = error;
  return -1;
}

static int write_maps(pid_t pid, uint32_t user) {
  static const struct { const char *file; uint32_t inside; } maps[] = {
    {"uid_map", UID_INSIDE}, {"gid_map", GID_INSIDE}};
  char path[64], text[64];
  snprintf(path, sizeof path, "/proc/%d/setgroups", (int)pid);
  if (write_text(path, "deny") < 0) return -1;
  for (int i = 0; i < 2; i++) {
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, maps[i].file);
    snprintf(text, sizeof text, "%u %u 1", maps[i].inside, user);
    if (write_text(path, text) < 0) return -1;
  }
  return 0;
}

// The init has no right to what is exposed, or does not see it any more: it gets the sources of its mounts, from the
// one with the number `first` on.
static int give_mounts(int init, const struct spec *spec, unsigned first, uint32_t user, const char **stage) {
  static char which[256];
  const uint32_t header[2] = {INIT_MOUNTS, first};
  int fds[SBX_MAX_FDS], result = 0;
  unsigned count = 0;
  for (unsigned i = first; i <= spec->mount_count && result == 0; i++) {
    if (count == SBX_MAX_FDS || i == spec->mount_count) {
      *stage = "mounts";
      result = packet_send(init, header, sizeof header, fds, count, MSG_DONTWAIT) < 0 ? -1 : 0;
      while (count > 0) close(fds[--count]);
    }
    if (i == spec->mount_count || result < 0) continue;
    const struct mount_entry *entry = &spec->mounts[i];
    bool is_directory;
    if (entry->kind != SBX_MOUNT_BIND) continue;
    snprintf(which, sizeof which, "mount %.200s", entry->target);
    *stage = which;
    if ((fds[count] = mounts_source(entry->source, false, user, &is_directory)) < 0) result = -1;
    else count++;
  }
  int error = errno;
  while (count > 0) close(fds[--count]);
  errno = error;
  return result;
}

static bool begins_with_base(const struct spec *spec) {
  if (spec->mount_count < base->mount_count) return false;
  for (unsigned i = 0; i < base->mount_count; i++)
    if (!spec_same_mount(&base->mounts[i], &spec->mounts[i])) return false;
  return true;
}

// What an order wants beyond BASE; all, if it wants something else.
int nest_give_mounts(const struct nest *nest, const struct spec *spec, uint32_t user, const char **stage) {
  if (!nest->has_base) return 0;
  return give_mounts(nest->init, spec, begins_with_base(spec) ? base->mount_count : 0, user, stage);
}

// A nest whose user namespace is a child of the helper's own and belongs to `owner`, and to which all of its other
// namespaces belong: a process of that user can enter it without any privilege, since the kernel gives whoever owns a
// user namespace every right over it (user_namespaces(7)).
int nest_make_owned(struct nest *nest, uid_t owner, unsigned slot, const struct spec *spec, const char **stage) {
  const uint32_t go[2] = {INIT_GO, 0};
  uint32_t user = options.uid_base + slot;
  *nest = (struct nest){.network = -1, .init = -1, .pidfd = -1, .owner = owner};
  users_hold(owner);
  users_keep(slot, owner);
  cgroups_none(&nest->cgroups);
  hatchling_none(&nest->fork);
  *stage = "mounts";
  for (unsigned i = 0; i < spec->mount_count; i++) if (spec->mounts[i].kind == SBX_MOUNT_WRITABLE) {
    errno = ENOTSUP;
    goto failed;
  }
  *stage = "cgroups";
  if (cgroups_make(&nest->cgroups) < 0) goto failed;
  if (nest_hatch(nest, stage) < 0) goto failed;
  *stage = "maps";
  if (write_maps(nest->pid, user) < 0) goto failed;
  *stage = "network namespace";
  if ((nest->network = network_of(nest->pid)) < 0) goto failed;
  *stage = "order";
  if (packet_send(nest->init, go, sizeof go, NULL, 0, MSG_DONTWAIT) < 0) goto failed;
  *stage = "mounts";
  if (give_mounts(nest->init, spec, 0, user, stage) < 0) goto failed;
  return 0;
failed:;
  int error = errno;
  if (nest->pidfd >= 0) {
    syscall(SYS_pidfd_send_signal, nest->pidfd, SIGKILL, NULL, 0);
    while (waitid(P_PIDFD, (id_t)nest->pidfd, &(siginfo_t){0}, WEXITED) < 0 && errno == EINTR) {}
  }
  nest_remove(nest);
  errno = error;
  return -1;
}

// Kills an unused nest and waits for that: its init sleeps or is about to, so this takes well under a millisecond.
static void nest_discard(struct nest *nest) {
  uint32_t zygote = nest->fork.zygote;
  hatchling_bury(&nest->fork);
  syscall(SYS_pidfd_send_signal, nest->pidfd, SIGKILL, NULL, 0);
  // It ends when the zygote has taken note of the hatchling's end.
  if (zygote && poll(&(struct pollfd){.fd = nest->pidfd, .events = POLLIN}, 1, 2000) == 0) zygote_kill(zygote);
  while (waitid(P_PIDFD, (id_t)nest->pidfd, &(siginfo_t){0}, WEXITED) < 0 && errno == EINTR) {}
  nest_remove(nest);
}

void pool_discard(void) {
  while (pool_count > 0) nest_discard(&pool[--pool_count]);
  while (hatched_count > 0) nest_discard(&hatched[--hatched_count]);
  warming = hatching = false;
}

static void remove_hatched(unsigned index) {
  if (index == --hatched_count) hatching = false;
  memmove(&hatched[index], &hatched[index + 1], (hatched_count - index) * sizeof *hatched);
}

// Those of one zygote, or of all if it is 0.
void pool_discard_forks(uint32_t zygote) {
  for (unsigned i = hatched_count; i-- > 0;) {
    if (zygote && hatched[i].fork.zygote != zygote) continue;
    nest_discard(&hatched[i]);
    remove_hatched(i);
  }
}

// A zygote shall have fewer from now on.
void pool_trim(uint32_t zygote, unsigned level) {
  unsigned have = 0;
  for (unsigned i = 0; i < hatched_count; i++) have += hatched[i].fork.zygote == zygote;
  for (unsigned i = 0; i < hatched_count && have > level; i++) {
    if (hatched[i].fork.zygote != zygote || hatched[i].fork.state != PARKED) continue;
    nest_discard(&hatched[i]);
    remove_hatched(i--);
    have--;
  }
}

static bool is_alive(int pidfd) {
  return pidfd < 0 || poll(&(struct pollfd){.fd = pidfd, .events = POLLIN}, 1, 0) == 0;
}

// A nest with a hatchling of this zygote.
static bool take_hatched(struct nest *nest, uint32_t zygote) {
  for (unsigned i = 0; zygote && i < hatched_count; i++) {
    if (hatched[i].fork.zygote != zygote) continue;
    *nest = hatched[i];
    remove_hatched(i);
    epoll_forget(nest->fork.channel);
    if (is_alive(nest->pidfd) && is_alive(nest->fork.pidfd)) return true;
    nest_discard(nest);   // somebody killed one of them
    i--;
  }
  return false;
}

// A nest holds a copy of the host's mounts as they were. If they have changed since, what is exposed may look
// different, and so may files that have been replaced.
static void pool_check_mounts(void) {
  struct pollfd changed = {.fd = host_mounts, .events = POLLPRI};
  bool as_before = base_is_as_before();
  if (!as_before || (host_mounts >= 0 && poll(&changed, 1, 0) > 0)) pool_discard();
}

// What is writable may be on a file server that does not answer, and to open it takes until it does: the init of that
// sandbox is to wait for it and not the helper, so it must see the host.
static bool must_see_host(const struct spec *spec) {
  if (!base || base->mount_count == 0) return false;
  for (unsigned i = 0; i < spec->mount_count; i++) if (spec->mounts[i].kind == SBX_MOUNT_WRITABLE) return true;
  return false;
}

int nest_take(struct nest *nest, const struct spec *spec, const char **stage) {
  hopeless = false;
  pool_check_mounts();
  bool late = must_see_host(spec);
  if (!late && take_hatched(nest, spec->zygote)) {
    figures[FORKS_TAKEN]++;
    return 0;
  }
  while (!late && pool_count > 0) {
    *nest = pool[--pool_count];
    warming = false;   // the newest is taken first; if it is not warm yet, its order waits in its socket
    epoll_forget(nest->init);
    if (is_alive(nest->pidfd)) {
      figures[NESTS_TAKEN]++;
      return 0;
    }
    nest_discard(nest);   // somebody killed it
  }
  figures[NESTS_MADE_LATE]++;
  return nest_make(nest, false, stage);
}

// The newest nest of the pool is warm, or has died of something: the next can be made.
void nest_readable(void) {
  if (!warming) return;
  warming = false;
  epoll_forget(pool[pool_count - 1].init);
}

// The newest hatchling is parked, or has failed.
void pool_hatching_readable(void) {
  uint32_t said;
  if (!hatching) return;
  struct nest *nest = &hatched[hatched_count - 1];
  bool good = hatchling_hear(&nest->fork, &said);
  if (good && said == 0) return;
  epoll_forget(nest->fork.channel);
  hatching = false;
  if (good) return;
  nest_discard(nest);
  hatched_count--;
}

static bool wants_nest(void) { return !warming && !hopeless && pool_count < options.pool; }

// A hatchling needs a warm nest.
static uint32_t wants_hatchling(void) {
  if (hatching || pool_count < 1u + warming || hatched_count == MAX_HATCHED) return 0;
  return zygote_wanting(hatched, hatched_count);
}

bool pool_wants_more(void) {
  return options.isolation == ISOLATION_FULL && (wants_nest() || wants_hatchling() != 0);
}

static void fill_nest(void) {
  const char *stage;
  if (!pool) pool = calloc(options.pool, sizeof *pool);
  // If not even one can be made, CREATE makes its own, and says what is wrong.
  hopeless = !pool || nest_make(&pool[pool_count], true, &stage) < 0;
  if (hopeless) return;
  listen_ahead(&pool[pool_count]);
  warming = true;
  watch_add(pool[pool_count++].init, WATCH_NEST, 0, EPOLLIN);
}

static void fill_hatchling(uint32_t zygote) {
  struct nest *nest = &hatched[hatched_count];
  *nest = pool[0];
  if (!is_alive(nest->pidfd)) nest_discard(nest);
  memmove(&pool[0], &pool[1], --pool_count * sizeof *pool);
  if (nest->pidfd < 0) return;
  if (zygote_hatch(zygote, nest, true) < 0) return nest_discard(nest);
  hatched_count++;
  hatching = true;
  watch_add(nest->fork.channel, WATCH_HATCHING, 0, EPOLLIN);
}

// One piece of work for a moment when nothing waits: one more nest, or a hatchling in one that is there.
void pool_fill(void) {
  if (host_mounts < 0) host_mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
  pool_check_mounts();
  uint32_t zygote = wants_hatchling();
  if (zygote) fill_hatchling(zygote);
  else if (wants_nest()) fill_nest();
}

bool pool_knows(pid_t pid) {
  for (unsigned i = 0; i < pool_count; i++) if (pool[i].pid == pid) return true;
  for (unsigned i = 0; i < hatched_count; i++)
    if (hatched[i].pid == pid || (hatched[i].fork.pidfd >= 0 && hatched[i].fork.pid == pid)) return true;
  return false;
}

void pool_census(unsigned *nests, unsigned *forks) {
  *nests = pool_count - warming;
  *forks = hatched_count;
}

// Zygotes: interpreters that are up, with what every program of theirs needs, before anybody asks. A zygote is forked,
// and its fork (a hatchling) enters a nest: that is a start without the start of an interpreter.
//
// What a zygote may do: it sees a read-only root with the interpreter in it, is a user of its own, has no network, runs
// nothing of any tenant's, and of the host's privileges it has two capabilities: CAP_SYS_ADMIN and CAP_SYS_CHROOT, of
// which its system call filter leaves setns(2) only. Namespaces to enter it gets from here, those of one nest per fork.
// It lives in the helper's pid namespace (from another one it could not put forks into a nest's), but has no /proc, and
// no other process of the host has its user.
//
// A hatchling joins the nest's cgroups, network, ipc, uts and cgroup namespaces (its pid namespace it was born in) and
// waits. With its order it gets the mount and the user namespace that the nest's init has made meanwhile; entering the
// latter gives up both capabilities for ever. See Runtimes/python/zygote.py.
#include "sandbox.h"

#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <grp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

struct zygote {
  struct zygote *next;
  uint32_t id;
  unsigned place;             // makes the user
  int socket, pidfd;
  pid_t pid;
  bool is_up;
  unsigned level;             // hatchlings that shall be ready
};
static struct zygote *zygotes;
static uint8_t places[MAX_ZYGOTES];
static uint32_t last_serial;
static struct packet packet;

static struct zygote *find(uint32_t id) {
  struct zygote *zygote = zygotes;
  while (zygote && zygote->id != id) zygote = zygote->next;
  return zygote;
}

bool zygote_knows(pid_t pid) {
  for (struct zygote *zygote = zygotes; zygote; zygote = zygote->next) if (zygote->pid == pid) return true;
  return false;
}

bool zygote_is_up(uint32_t id) {
  struct zygote *zygote = id ? find(id) : NULL;
  return zygote && zygote->is_up;
}

// ---------------------------------------------------------------------------------------------- inside

_Noreturn static void fail(int socket, const char *stage) {
  int error = errno;
  packet_begin(&packet, SBX_FAILED, 0);
  packet_u32(&packet, SBX_TAG_ERRNO, (uint32_t)error);
  packet_text(&packet, SBX_TAG_STAGE, stage);
  packet_send(socket, packet.bytes, packet.length, NULL, 0, 0);
  _exit(1);
}

static void keep_two_capabilities(int socket, uint32_t user) {
  for (int capability = 0; capability < 64; capability++) {
    if (capability == CAP_SYS_ADMIN || capability == CAP_SYS_CHROOT) continue;
    if (prctl(PR_CAPBSET_DROP, capability) < 0) {
      if (errno == EINVAL) break;   // past the last that this kernel knows
      fail(socket, "bounding set");
    }
  }
  if (setgroups(0, NULL) < 0 || prctl(PR_SET_KEEPCAPS, 1) < 0) fail(socket, "groups");
  if (setresgid(user, user, user) < 0 || setresuid(user, user, user) < 0) fail(socket, "user");
  const uint32_t both = 1u << CAP_SYS_ADMIN | 1u << CAP_SYS_CHROOT;
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct sets[2] = {{.effective = both, .permitted = both, .inheritable = both}};
  if (syscall(SYS_capset, &header, sets) < 0) fail(socket, "capset");
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0) < 0
      || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_CHROOT, 0, 0) < 0) fail(socket, "ambient set");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) fail(socket, "no_new_privs");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (seccomp_install_zygote() < 0) fail(socket, "seccomp");
}

// 0 to 2 nothing, 3 the socket, 4 the pid namespace at home, 5 the filter that hatchlings install.
static void arrange_descriptors(int socket, int home, int filter) {
  int null = open("/dev/null", O_RDWR);
  int high[3] = {fcntl(socket, F_DUPFD, 10), fcntl(home, F_DUPFD, 10), fcntl(filter, F_DUPFD, 10)};
  bool good = null >= 0;
  for (int i = 0; i < 3; i++) good = good && high[i] >= 0 && dup2(null, i) == i;
  for (int i = 0; i < 3; i++) good = good && dup2(high[i], 3 + i) == 3 + i;
  if (!good) fail(socket, "descriptors");
  syscall(SYS_close_range, 6, ~0U, 0);
}

_Noreturn static void become(int socket, const struct spec *spec, struct message *message, uint32_t user) {
  char stage[256];
  struct program_order order;
  int again = -1, home = open("/proc/self/ns/pid", O_RDONLY);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  oom_first();
  setsid();
  hide_command_line();
  if (home < 0) fail(socket, "pid namespace");
  if (mounts_begin(PROC_NONE, stage, sizeof stage) < 0
      || mounts_finish(spec, user, -1, &again, stage, sizeof stage) < 0) fail(socket, stage);
  sethostname("sandbox", 7);
  arrange_descriptors(socket, home, seccomp_file());
  struct sigaction usual = {.sa_handler = SIG_DFL};
  for (int number = 1; number < 65; number++) sigaction(number, &usual, NULL);
  if (!order_read(&order, message)) fail(3, "arguments");
  if (chdir(order.cwd ? order.cwd : "/") < 0) fail(3, "chdir");
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  keep_two_capabilities(3, user);
  execve(order.argv[0], order.argv, order.envp);
  fail(3, "exec");
}

// ---------------------------------------------------------------------------------------------- its life

static int start(struct zygote *zygote, const struct spec *spec, struct message *message) {
  int pair[2], size = 1 << 20;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return -1;
  setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  struct clone_args args = {
    .flags = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_PIDFD,
    .pidfd = (uintptr_t)&zygote->pidfd, .exit_signal = SIGCHLD};
  long pid = syscall(SYS_clone3, &args, sizeof args);
  if (pid == 0) become(pair[1], spec, message, options.uid_base + MAX_SANDBOXES + zygote->place);
  int error = errno;
  close(pair[1]);
  if (pid < 0) {
    close(pair[0]);
    errno = error;
    return -1;
  }
  zygote->pid = (pid_t)pid;
  zygote->socket = pair[0];
  watch_add(zygote->socket, WATCH_ZYGOTE, zygote->id, EPOLLIN);
  watch_add(zygote->pidfd, WATCH_ZYGOTE_END, zygote->id, EPOLLIN);
  return 0;
}

void zygote_create(const struct message *message) {
  const char *stage = "zygote";
  uint32_t none = 0;
  unsigned place = 0;
  while (place < MAX_ZYGOTES && places[place]) place++;
  if (options.isolation != ISOLATION_FULL)
    return reply_failed(SBX_ZYGOTE, message->sandbox, 0, ENOTSUP, "zygote: not without full isolation");
  if (message->sandbox == 0 || find(message->sandbox) || sandbox_find(message->sandbox))
    return reply_failed(SBX_ZYGOTE, message->sandbox, 0, EEXIST, stage);
  if (place == MAX_ZYGOTES) return reply_failed(SBX_ZYGOTE, message->sandbox, 0, EAGAIN, "too many zygotes");
  const char *wrong = check_program(message, &none, true);
  if (wrong) return reply_failed(SBX_ZYGOTE, message->sandbox, 0, EINVAL, wrong);
  struct spec *spec = spec_read_zygote(message, &stage);
  if (!spec) return reply_failed(SBX_ZYGOTE, message->sandbox, 0, errno, stage);
  struct zygote *zygote = calloc(1, sizeof *zygote);
  if (!zygote) { spec_free(spec); return reply_failed(SBX_ZYGOTE, message->sandbox, 0, ENOMEM, stage); }
  *zygote = (struct zygote){.id = message->sandbox, .place = place, .socket = -1, .pidfd = -1};
  struct message copy = *message;
  if (start(zygote, spec, &copy) < 0) {
    reply_failed(SBX_ZYGOTE, message->sandbox, 0, errno, "zygote");
    free(zygote);
  } else {
    places[place] = 1;
    zygote->next = zygotes;
    zygotes = zygote;
  }
  spec_free(spec);
}

static void redo_reaping(struct sandbox *sandbox, uint32_t zygote) {
  if (sandbox->nest.fork.state != NO_FORK && sandbox->nest.fork.zygote == zygote) forked_exited(sandbox);
}

static void end(const struct zygote *zygote) {
  kill(-zygote->pid, SIGKILL);
  syscall(SYS_pidfd_send_signal, zygote->pidfd, SIGKILL, NULL, 0);
  while (waitid(P_PIDFD, (id_t)zygote->pidfd, &(siginfo_t){0}, WEXITED) < 0 && errno == EINTR) {}
  while (waitid(P_PGID, (id_t)zygote->pid, &(siginfo_t){0}, WEXITED) == 0 || errno == EINTR) {}
}

// One that does not do what it is told: the loop hears of its end.
void zygote_kill(uint32_t id) {
  struct zygote *zygote = find(id);
  if (zygote) end(zygote);
}

// Its hatchlings that have no order yet are still in its process group and end with it; those that run are ours from
// now on, since we are the reaper of orphans.
static void bury(struct zygote *zygote) {
  uint32_t id = zygote->id;
  watch_close(&zygote->socket);
  end(zygote);
  watch_close(&zygote->pidfd);
  places[zygote->place] = 0;
  struct zygote **link = &zygotes;
  while (*link != zygote) link = &(*link)->next;
  *link = zygote->next;
  free(zygote);
  pool_discard_forks(id);
  sandbox_each(redo_reaping, id);
}

bool zygote_destroy(uint32_t id) {
  struct zygote *zygote = find(id);
  if (!zygote) return false;
  bury(zygote);
  reply_empty(SBX_DESTROYED, id);
  return true;
}

void zygote_exited(uint32_t id) {
  struct zygote *zygote = find(id);
  if (!zygote) return;
  bool was_up = zygote->is_up;
  bury(zygote);
  if (was_up) reply_empty(SBX_DESTROYED, id);
  else reply_failed(SBX_ZYGOTE, id, 0, ECHILD, "zygote: it ended");
}

void zygote_destroy_all(void) { while (zygotes) bury(zygotes); }

void zygote_level(const struct message *message) {
  struct zygote *zygote = find(message->sandbox);
  uint32_t level;
  if (!zygote || !message_u32(message, SBX_TAG_LEVEL, &level)) return;
  zygote->level = level < MAX_HATCHED ? level : MAX_HATCHED;
  pool_trim(zygote->id, zygote->level);
}

static void give_up(struct zygote *zygote, const struct message *message) {
  uint32_t error = EIO;
  char stage[256] = "";
  struct message cursor = *message;
  struct field field;
  message_u32(message, SBX_TAG_ERRNO, &error);
  while (message_next(&cursor, &field))
    if (field.tag == SBX_TAG_STAGE) snprintf(stage, sizeof stage, "zygote: %.*s", (int)(field.length < 200
        ? field.length : 200), (const char *)field.bytes);
  uint32_t id = zygote->id;
  bury(zygote);
  reply_failed(SBX_ZYGOTE, id, 0, (int)error, stage);
}

void zygote_readable(uint32_t id) {
  uint8_t buffer[1024];
  int fds[SBX_MAX_FDS];
  unsigned fd_count = 0;
  bool truncated;
  struct message message;
  uint32_t serial, status;
  struct zygote *zygote = find(id);
  if (!zygote) return;
  ssize_t length = packet_receive(zygote->socket, buffer, sizeof buffer, fds, &fd_count, &truncated);
  for (unsigned i = 0; i < fd_count; i++) close(fds[i]);
  if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
  if (length <= 0) return watch_close(&zygote->socket);   // its end is told by the pidfd
  if (truncated || !message_parse(&message, buffer, (size_t)length)) return;
  if (message.type == ZYGOTE_UP && !zygote->is_up) {
    zygote->is_up = true;
    reply_empty(SBX_ZYGOTE_READY, id);
  } else if (message.type == SBX_FAILED && !zygote->is_up) {
    give_up(zygote, &message);
  } else if (message.type == ZYGOTE_REAPED && message_u32(&message, SBX_TAG_PROCESS, &serial)
      && message_u32(&message, SBX_TAG_STATUS, &status)) {
    forked_reaped(message.sandbox, serial, status);
  }
}

// ---------------------------------------------------------------------------------------------- hatchlings

void hatchling_none(struct hatchling *fork) { *fork = (struct hatchling){.channel = -1, .pidfd = -1}; }

// Begins an order to fork: its number, a channel of the fork's own, and the namespaces that it is to enter.
// Returns our end of the channel; -1.
int hatch_begin(struct packet *order, uint32_t serial, const struct nest *nest, const char *const *names,
    unsigned count) {
  int pair[2], on = 1, size = 1 << 20;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return -1;
  setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);   // the kernel tells the process id, not who forks
  setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  packet_begin(order, ZYGOTE_FORK, 0);
  packet_u32(order, SBX_TAG_PROCESS, serial);
  packet_fd(order, pair[1]);
  for (unsigned i = 0; i < count; i++) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)nest->pid, names[i]);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) { packet_fd(order, fd); continue; }
    int error = errno;
    for (unsigned k = 0; k < order->fd_count; k++) close(order->fds[k]);
    close(pair[0]);
    errno = error;
    return -1;
  }
  return pair[0];
}

// Sends it to who forks; the nest has a hatchling then.
int hatch_send(struct packet *order, int socket, struct nest *nest, struct hatchling hatchling) {
  ssize_t sent = packet_send(socket, order->bytes, order->length, order->fds, order->fd_count, MSG_DONTWAIT);
  int error = errno;
  for (unsigned i = 0; i < order->fd_count; i++) close(order->fds[i]);
  if (sent >= 0) {
    nest->fork = hatchling;
    return 0;
  }
  close(hatchling.channel);
  errno = error;
  return -1;
}

// Orders a fork for a nest whose init is warm. Everything else is told by the hatchling's own socket.
// - ahead: nobody waits for it yet, so it may prepare itself.
int zygote_hatch(uint32_t id, struct nest *nest, bool ahead) {
  static const char *const names[] = {"pid", "net", "ipc", "uts", "cgroup"};
  struct zygote *zygote = find(id);
  if (!zygote || !zygote->is_up) { errno = ESRCH; return -1; }
  int channel = hatch_begin(&packet, ++last_serial, nest, names, 5);
  if (channel < 0) return -1;
  packet_u32(&packet, SBX_TAG_LEVEL, ahead);
  int procs[ROLE_COUNT], into;
  unsigned count = cgroups_open_procs(&nest->cgroups, procs, &into);
  for (unsigned i = 0; i < count; i++) packet_fd(&packet, procs[i]);
  int leaf = into < 0 ? -1 : openat(into, "cgroup.procs", O_WRONLY | O_CLOEXEC);
  if (leaf >= 0) packet_fd(&packet, leaf);
  close_fd(&into);
  return hatch_send(&packet, zygote->socket, nest,
      (struct hatchling){.state = HATCHING, .zygote = id, .serial = last_serial, .channel = channel, .pidfd = -1});
}

// What it says; 0 with true: nothing yet. False: it has ended, or something is wrong with it.
bool hatchling_hear(struct hatchling *fork, uint32_t *said) {
  uint8_t bytes[512];
  union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(struct ucred)) + 64]; } control;
  struct iovec part = {bytes, sizeof bytes};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
      .msg_controllen = sizeof control};
  struct message message;
  struct ucred who = {0};
  ssize_t length;
  *said = 0;
  do length = recvmsg(fork->channel, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  while (length < 0 && errno == EINTR);
  if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
  if (length <= 0 || !message_parse(&message, bytes, (size_t)length)) return false;
  struct cmsghdr *credentials = CMSG_FIRSTHDR(&header);
  if (credentials && credentials->cmsg_level == SOL_SOCKET && credentials->cmsg_type == SCM_CREDENTIALS)
    memcpy(&who, CMSG_DATA(credentials), sizeof who);
  if (message.type == FORK_PARKED && fork->state == HATCHING && who.pid > 0) {
    // Nobody reaps it without our order, so the number is still its own.
    fork->pidfd = (int)syscall(SYS_pidfd_open, who.pid, 0);
    if (fork->pidfd < 0) return false;
    fork->state = PARKED;
    fork->pid = who.pid;
  } else if (message.type == FORK_STARTED && fork->state == ORDERED) {
    fork->state = STARTED;
  } else {
    struct field field;
    while (message_next(&message, &field))
      if (field.tag == SBX_TAG_STAGE) fprintf(stderr, "martlet-sandbox: fork: %.*s\n", (int)field.length,
          (const char *)field.bytes);
    return false;
  }
  *said = message.type;
  return true;
}

// The zygote is the parent and must take note of the end: before, the kernel lets no process 1 end in whose pid
// namespace the dead one was.
void zygote_reap(const struct hatchling *fork, uint32_t sandbox) {
  struct zygote *zygote = find(fork->zygote);
  packet_begin(&packet, ZYGOTE_REAP, sandbox);
  packet_u32(&packet, SBX_TAG_PROCESS, fork->serial);
  if (zygote && packet_send(zygote->socket, packet.bytes, packet.length, NULL, 0, MSG_DONTWAIT) >= 0) return;
  // An orphan of a zygote that has ended. One whose number is not known had no order, and has ended with the zygote.
  siginfo_t info = {0};
  // A snapshot's whose parent is still there and should not be.
  for (int attempt = 0; snapshot_user(fork->zygote) && fork->pidfd >= 0 && attempt < 2; attempt++) {
    if (waitid(P_PIDFD, (id_t)fork->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) == 0) break;
    if (attempt > 0) snapshot_kill(snapshot_user(fork->zygote));
    else poll(NULL, 0, 1);
  }
  info = (siginfo_t){0};
  bool known = fork->pidfd >= 0 && waitid(P_PIDFD, (id_t)fork->pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid;
  uint32_t status = !known ? SIGKILL : info.si_code == CLD_EXITED ? (uint32_t)(info.si_status & 255) << 8
      : (uint32_t)info.si_status;
  forked_reaped(sandbox, fork->serial, status);
}

// Ends a hatchling that nobody needs, or that did not do what it should.
void hatchling_bury(struct hatchling *fork) {
  if (fork->state == NO_FORK) return;
  watch_close(&fork->channel);   // without an order to come it ends by itself
  if (fork->pidfd >= 0) {
    syscall(SYS_pidfd_send_signal, fork->pidfd, SIGKILL, NULL, 0);
    poll(&(struct pollfd){.fd = fork->pidfd, .events = POLLIN}, 1, 1000);
  }
  zygote_reap(fork, 0);
  watch_close(&fork->pidfd);
  hatchling_none(fork);
}

// The zygote that has the fewest hatchlings of what it shall have, and lacks some; 0.
uint32_t zygote_wanting(const struct nest *hatched, unsigned count) {
  uint32_t wanting = 0;
  unsigned least = 0;
  for (struct zygote *zygote = zygotes; zygote; zygote = zygote->next) {
    unsigned have = 0;
    for (unsigned i = 0; i < count; i++) have += hatched[i].fork.zygote == zygote->id;
    if (!zygote->is_up || have >= zygote->level) continue;
    if (wanting == 0 || have < least) { wanting = zygote->id; least = have; }
  }
  return wanting;
}

// Snapshots: interpreters in which a tenant's code has been loaded, and which are forked into sandboxes of the same
// function. A start from one is neither the start of an interpreter nor that of the function.
//
// A snapshot has run code that is not ours, so it must not be able to do more than that code could do in a sandbox: it
// has no capability at all, a user of its own, limits of its own, a network of its own, and the system call filter of
// sandboxes. All that is different: it lives in the helper's user namespace and pid namespace (of which its /proc shows
// nothing but itself), and its filter leaves it setns(2). With that it can enter the namespaces that are made for its
// forks, and no others: the kernel gives whoever owns a user namespace every right over it, and these are made with the
// snapshot's user as their owner (nest_make_owned). The cgroups it is put into, by the nest's init.
//
// A fork that has entered has every capability over its own nest until it gives them up, as it is asked to. If it does
// not, it can do to this sandbox what it likes, within a filter that keeps it from the parts of the kernel that are
// behind those capabilities (seccomp.c); the host and other tenants see nothing of it.
#include "sandbox.h"

#include <dirent.h>
#include <grp.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum snapshot_state { SNAPSHOT_STARTING, SNAPSHOT_BUILT, SNAPSHOT_RUNNING, SNAPSHOT_UP, SNAPSHOT_ENDED };
struct snapshot {
  struct snapshot *next;
  uint32_t id, process;
  uid_t user;
  enum snapshot_state state;
  struct spec *spec;
  struct cgroups cgroups;
  int socket, pidfd, network, listeners[MAX_LISTENERS];
  unsigned listener_count;
  pid_t pid;
};
static struct snapshot *snapshots;
static uint32_t last_serial;
static struct packet packet;

static struct snapshot *find(uint32_t id) {
  struct snapshot *snapshot = id ? snapshots : NULL;
  while (snapshot && snapshot->id != id) snapshot = snapshot->next;
  return snapshot;
}

// Whose namespaces its forks can enter; 0 if it cannot be forked.
uid_t snapshot_user(uint32_t id) {
  struct snapshot *snapshot = find(id);
  return snapshot && snapshot->state == SNAPSHOT_UP ? snapshot->user : 0;
}

// ---------------------------------------------------------------------------------------------- inside

_Noreturn static void fail(const char *stage) {
  int error = errno;
  packet_begin(&packet, SBX_FAILED, 0);
  packet_u32(&packet, SBX_TAG_ERRNO, (uint32_t)error);
  packet_text(&packet, SBX_TAG_STAGE, stage);
  packet_send(3, packet.bytes, packet.length, NULL, 0, 0);
  _exit(1);
}

static void limit(int resource, rlim_t value) {
  struct rlimit now;
  if (getrlimit(resource, &now) < 0) fail("getrlimit");
  if (value > now.rlim_max) value = now.rlim_max;
  if (setrlimit(resource, &(struct rlimit){value, value}) < 0) fail("setrlimit");
}

// 0 to 2 nothing yet, 3 the socket, 5 the filter that forks install.
static void arrange_descriptors(int socket) {
  int null = open("/dev/null", O_RDWR);
  int high[2] = {fcntl(socket, F_DUPFD, 10), fcntl(seccomp_file(), F_DUPFD, 10)};
  if (null < 0 || high[0] < 0 || high[1] < 0) _exit(1);
  for (int i = 0; i < 3; i++) if (dup2(null, i) != i) _exit(1);
  if (dup2(high[0], 3) != 3 || dup2(high[1], 5) != 5) _exit(1);
  close(4);
  syscall(SYS_close_range, 6, ~0U, 0);
}

static void drop_everything(const struct spec *spec, uint32_t user) {
  if (setgroups(0, NULL) < 0) fail("groups");
  if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) < 0 || setresgid(user, user, user) < 0
      || setresuid(user, user, user) < 0) fail("user");   // keeps what is needed to give up all the rest
  if (init_drop_capabilities() < 0) fail("capabilities");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) fail("no_new_privs");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_MEMLOCK, 65536);
  limit(RLIMIT_NPROC, spec->pids + 1);
  limit(RLIMIT_NOFILE, spec->nofile);
  if (seccomp_install_snapshot() < 0) fail("seccomp");
}

_Noreturn static void execute(void) {
  static uint8_t buffer[SBX_MAX_MESSAGE + 1];
  struct message message;
  struct program_order order;
  int fds[SBX_MAX_FDS];
  unsigned fd_count = 0;
  bool truncated = false;
  struct pollfd ready = {.fd = 3, .events = POLLIN};
  while (poll(&ready, 1, -1) < 0 && errno == EINTR) {}
  ssize_t length = packet_receive(3, buffer, sizeof buffer, fds, &fd_count, &truncated);
  if (length <= 0) _exit(0);
  errno = EINVAL;
  if (truncated || fd_count != 1 || !message_parse(&message, buffer, (size_t)length) || !order_read(&order, &message))
    fail("spawn");
  if (dup2(fds[0], 1) < 0 || dup2(fds[0], 2) < 0) fail("output");
  syscall(SYS_close_range, 6, ~0U, 0);
  struct sigaction usual = {.sa_handler = SIG_DFL};
  for (int number = 1; number < 65; number++) sigaction(number, &usual, NULL);
  if (chdir(order.cwd ? order.cwd : "/") < 0) fail("chdir");
  execve(order.argv[0], order.argv, order.envp);
  fail("fork/exec");
}

_Noreturn static void become(int socket, const int *procs, unsigned count, const struct snapshot *snapshot) {
  char stage[256];
  int again = -1;
  uint32_t user = snapshot->user;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, "snapshot");
  oom_first();
  setsid();
  hide_command_line();
  bool joined = true;
  for (unsigned i = 0; i < count; i++) joined = joined && write(procs[i], "0", 1) == 1;
  bool entered = setns(snapshot->network, CLONE_NEWNET) == 0 && unshare(CLONE_NEWCGROUP) == 0;
  bool mounted = mounts_begin(PROC_OWN, stage, sizeof stage) == 0
      && mounts_finish(snapshot->spec, user, -1, &again, stage, sizeof stage) == 0;
  int error = errno;
  arrange_descriptors(socket);
  errno = error;
  if (!joined) fail("join cgroup");
  if (!entered) fail("network namespace");
  if (!mounted) fail(stage);
  const char *hostname = snapshot->spec->hostname[0] ? snapshot->spec->hostname : "sandbox";
  if (sethostname(hostname, strlen(hostname)) < 0) fail("sethostname");
  drop_everything(snapshot->spec, user);
  packet_begin(&packet, INIT_READY, 0);
  if (packet_send(3, packet.bytes, packet.length, NULL, 0, 0) < 0) _exit(1);
  execute();
}

// ---------------------------------------------------------------------------------------------- the dead

static bool known;
static void compare(struct sandbox *sandbox, uint32_t pid) {
  if (sandbox->nest.pid == (pid_t)pid) known = true;
  if (sandbox->nest.fork.pidfd >= 0 && sandbox->nest.fork.pid == (pid_t)pid) known = true;
}

// Who enters a nest is an orphan there, and ours to bury when it dies: a dead process that nobody has taken note of
// keeps its nest from ending. What is known is waited for by those who know it.
void snapshot_bury_strays(void) {
  siginfo_t info;
  for (;;) {
    info.si_pid = 0;
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0) return;
    known = pool_knows(info.si_pid) || zygote_knows(info.si_pid) || slowly_is(info.si_pid);
    for (struct snapshot *snapshot = snapshots; snapshot; snapshot = snapshot->next)
      if (snapshot->pidfd >= 0 && snapshot->pid == info.si_pid) known = true;
    sandbox_each(compare, (uint32_t)info.si_pid);
    if (known || waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG) < 0) return;
  }
}

// What a process's status says of `name`, a line's beginning; "" if there is no such process. `text` is all of it.
static const char *status_of(pid_t pid, const char *name, char text[4096]) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
  const char *found = read_text(path, text, 4096) > 0 ? strstr(text, name) : NULL;
  return found ? found + strlen(name) : "";
}

// True if the process has a number in a namespace below ours, too.
static bool is_in_nest(const char *status) {
  const char *numbers = strstr(status, "\nNSpid:\t");
  return numbers && strcspn(numbers + 8, "\t") < strcspn(numbers + 8, "\n");
}

// True if somebody dead in a nest has a parent outside that is of this snapshot. Then the nest cannot end, and that is
// no accident: what we have made is ours to bury.
bool snapshot_keeps_dead(uid_t user) {
  char text[4096];
  bool found = false;
  DIR *list = opendir("/proc");
  for (struct dirent *entry; list && !found && (entry = readdir(list));) {
    pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
    if (pid <= 0 || status_of(pid, "\nState:\t", text)[0] != 'Z' || !is_in_nest(text)) continue;
    const char *parent = strstr(text, "\nPPid:\t");
    const char *owner = parent ? status_of((pid_t)strtol(parent + 7, NULL, 10), "\nUid:\t", text) : "";
    found = *owner && !is_in_nest(text) && users_may_be(user, (uid_t)strtoul(owner, NULL, 10));
  }
  if (list) closedir(list);
  return found;
}

// ---------------------------------------------------------------------------------------------- its life

// Everything of the snapshot's user: whatever its code has forked that is in no nest. kill(2) with -1 cannot be outrun.
// Its effective user is another one: the owner of the nests' namespaces could kill the nests.
static void kill_user(uid_t user) {
  const uid_t other = options.uid_base + MAX_SANDBOXES + MAX_ZYGOTES + MAX_SNAPSHOTS;
  for (int attempt = 0; attempt < 10; attempt++) {
    int status = 1;
    pid_t child = fork();
    if (child == 0) {
      if (setresgid(other, other, other) < 0 || setresuid(user, other, other) < 0) _exit(2);
      kill(-1, SIGKILL);
      _exit(0);
    }
    if (child < 0) return;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (status == 0) return;   // else somebody killed the killer first
  }
}

static void tell_end(struct snapshot *snapshot, uint32_t status) {
  if (snapshot->state == SNAPSHOT_STARTING)
    reply_failed(SBX_CREATE, snapshot->id, 0, ECHILD, "snapshot: it ended");
  if (snapshot->state == SNAPSHOT_RUNNING || snapshot->state == SNAPSHOT_UP) {
    packet_begin(&packet, SBX_EXITED, snapshot->id);
    packet_u32(&packet, SBX_TAG_PROCESS, snapshot->process);
    packet_u32(&packet, SBX_TAG_STATUS, status);
    packet_u32(&packet, SBX_TAG_OOM, cgroups_oom_kills(&snapshot->cgroups) > 0);
    server_reply(&packet);
  }
  snapshot->state = SNAPSHOT_ENDED;
}

// Whatever it has forked that is in no nest goes, too: also who has been in one, and has got another user there.
static void end(struct snapshot *snapshot) {
  siginfo_t info = {0};
  if (snapshot->pidfd < 0) return;
  syscall(SYS_pidfd_send_signal, snapshot->pidfd, SIGKILL, NULL, 0);
  kill_user(snapshot->user);
  if (cgroups_kill_members(&snapshot->cgroups)) users_forget(snapshot->user);
  else users_hold(snapshot->user);   // for ever: who knows what lives on
  while (waitid(P_PIDFD, (id_t)snapshot->pidfd, &info, WEXITED) < 0 && errno == EINTR) {}
  watch_close(&snapshot->socket);
  watch_close(&snapshot->pidfd);
  snapshot_bury_strays();
  tell_end(snapshot, info.si_code == CLD_EXITED ? (uint32_t)(info.si_status & 255) << 8 : (uint32_t)info.si_status);
}

static void release(struct snapshot *snapshot) {
  end(snapshot);
  for (unsigned i = 0; i < snapshot->listener_count; i++) close_fd(&snapshot->listeners[i]);
  close_fd(&snapshot->network);
  cgroups_remove(&snapshot->cgroups);
  users_leave(snapshot->user);
  spec_free(snapshot->spec);
  struct snapshot **link = &snapshots;
  while (*link != snapshot) link = &(*link)->next;
  *link = snapshot->next;
  free(snapshot);
}

void snapshot_exited(uint32_t id) {
  struct snapshot *snapshot = find(id);
  if (!snapshot || snapshot->pidfd < 0) return;
  snapshot_readable(id);   // what it has said last
  if (find(id) == snapshot) end(snapshot);
}

// One whose forks do not do what they should: it ends, with all that is not in a nest.
void snapshot_kill(uid_t user) {
  for (struct snapshot *snapshot = snapshots; snapshot; snapshot = snapshot->next)
    if (snapshot->user == user) return end(snapshot);
  kill_user(user);
}

void snapshot_destroy_all(void) { while (snapshots) release(snapshots); }

static int start(struct snapshot *snapshot, const char **stage) {
  int pair[2], procs[ROLE_COUNT], into, size = 1 << 20;
  *stage = "snapshot: cgroups";
  if (cgroups_make(&snapshot->cgroups) < 0 || cgroups_limit(&snapshot->cgroups, snapshot->spec) < 0) return -1;
  *stage = "snapshot: network namespace";
  if ((snapshot->network = network_make()) < 0) return -1;
  if (snapshot->spec->network == SBX_NETWORK_OUTBOUND && network_outbound(snapshot->network, stage) < 0) return -1;
  *stage = "snapshot: listen";
  for (; snapshot->listener_count < snapshot->spec->listen_count; snapshot->listener_count++) {
    int fd = network_listen(snapshot->network, snapshot->spec->listen[snapshot->listener_count]);
    if (fd < 0) return -1;
    snapshot->listeners[snapshot->listener_count] = fd;
  }
  *stage = "snapshot: socketpair";
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return -1;
  setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  unsigned count = cgroups_open_procs(&snapshot->cgroups, procs, &into);
  struct clone_args args = {
    .flags = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD | (into >= 0 ? CLONE_INTO_CGROUP : 0),
    .pidfd = (uintptr_t)&snapshot->pidfd, .exit_signal = SIGCHLD, .cgroup = into >= 0 ? (uint64_t)into : 0};
  *stage = "snapshot: clone";
  long pid = syscall(SYS_clone3, &args, sizeof args);
  if (pid == 0) become(pair[1], procs, count, snapshot);
  int error = errno;
  for (unsigned i = 0; i < count; i++) close_fd(&procs[i]);
  close_fd(&into);
  close(pair[1]);
  snapshot->socket = pair[0];
  if (pid < 0) {
    snapshot->pidfd = -1;
    errno = error;
    return -1;
  }
  snapshot->pid = (pid_t)pid;
  watch_add(snapshot->socket, WATCH_SNAPSHOT, snapshot->id, EPOLLIN);
  watch_add(snapshot->pidfd, WATCH_SNAPSHOT_END, snapshot->id, EPOLLIN);
  return 0;
}

// False if CREATE does not ask for a snapshot. Else `spec` is taken over.
bool snapshot_create(const struct message *message, struct spec *spec) {
  const char *stage = "snapshot";
  if (!spec->snapshot) return false;
  bool writable = false;
  for (unsigned i = 0; i < spec->mount_count; i++) writable |= spec->mounts[i].kind == SBX_MOUNT_WRITABLE;
  struct snapshot *snapshot = calloc(1, sizeof *snapshot);
  int error = options.isolation != ISOLATION_FULL || writable ? ENOTSUP : find(message->sandbox) ? EEXIST
      : !snapshot ? ENOMEM : 0;
  uid_t user = error ? 0 : users_claim();
  if (!error && !user) error = errno;
  if (error) {
    spec_free(spec);
    free(snapshot);
    reply_failed(SBX_CREATE, message->sandbox, 0, error, stage);
    return true;
  }
  *snapshot = (struct snapshot){.next = snapshots, .id = message->sandbox, .user = user, .spec = spec,
      .socket = -1, .pidfd = -1, .network = -1};
  cgroups_none(&snapshot->cgroups);
  snapshots = snapshot;
  if (start(snapshot, &stage) == 0) return true;
  reply_failed(SBX_CREATE, snapshot->id, 0, errno, stage);
  snapshot->state = SNAPSHOT_ENDED;
  close_fd(&snapshot->socket);
  release(snapshot);
  return true;
}

static void built(struct snapshot *snapshot) {
  uint8_t kinds[SBX_MAX_FDS];
  snapshot->state = SNAPSHOT_BUILT;
  packet_begin(&packet, SBX_CREATED, snapshot->id);
  for (unsigned i = 0; i < snapshot->listener_count; i++) {
    kinds[packet.fd_count] = SBX_FD_LISTENER;
    packet_fd(&packet, snapshot->listeners[i]);
  }
  if (snapshot->cgroups.cpu >= 0) {
    kinds[packet.fd_count] = cgroup_is_v2(ROLE_CPU) ? SBX_FD_CPU_V2 : SBX_FD_CPU_V1;
    packet_fd(&packet, snapshot->cgroups.cpu);
  }
  if (snapshot->cgroups.peak >= 0) {
    kinds[packet.fd_count] = SBX_FD_MEMORY_PEAK;
    packet_fd(&packet, snapshot->cgroups.peak);
  }
  packet_bytes(&packet, SBX_TAG_FD_KINDS, kinds, packet.fd_count);
  server_reply(&packet);
  for (unsigned i = 0; i < snapshot->listener_count; i++) close_fd(&snapshot->listeners[i]);
  snapshot->listener_count = 0;
}

static void tell_start(struct snapshot *snapshot) {
  if (snapshot->state != SNAPSHOT_BUILT || !snapshot->process) return;
  snapshot->state = SNAPSHOT_RUNNING;
  packet_begin(&packet, SBX_SPAWNED, snapshot->id);
  packet_u32(&packet, SBX_TAG_PROCESS, snapshot->process);
  server_reply(&packet);
}

// What it says is believed only where it fits.
void snapshot_readable(uint32_t id) {
  uint8_t buffer[1024];
  int fds[SBX_MAX_FDS];
  unsigned fd_count = 0;
  bool truncated;
  struct message message;
  struct snapshot *snapshot = find(id);
  if (!snapshot || snapshot->socket < 0) return;
  ssize_t length = packet_receive(snapshot->socket, buffer, sizeof buffer, fds, &fd_count, &truncated);
  for (unsigned i = 0; i < fd_count; i++) close(fds[i]);
  if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
  if (length <= 0) return watch_close(&snapshot->socket);   // its end is told by the pidfd
  if (truncated || !message_parse(&message, buffer, (size_t)length)) return;
  if (message.type == INIT_READY && snapshot->state == SNAPSHOT_STARTING) {
    built(snapshot);
    tell_start(snapshot);
  } else if (message.type == ZYGOTE_UP && snapshot->state == SNAPSHOT_RUNNING) {
    snapshot->state = SNAPSHOT_UP;
    reply_empty(SBX_ZYGOTE_READY, id);
  } else if (message.type == SBX_FAILED) {
    struct field field;
    while (message_next(&message, &field))
      if (field.tag == SBX_TAG_STAGE) fprintf(stderr, "martlet-sandbox: snapshot: %.*s\n", (int)field.length,
          (const char *)field.bytes);
  }
}

static void spawn(struct snapshot *snapshot, const struct message *message, const uint8_t *bytes, size_t length,
    const int *fds, unsigned fd_count) {
  uint32_t process = 0;
  const char *wrong = check_program(message, &process, false);
  if (!wrong && fd_count != 1) wrong = "spawn: one descriptor is needed";
  if (wrong) return reply_failed(SBX_SPAWN, snapshot->id, process, EINVAL, wrong);
  // Its socket keeps the order until it is built.
  if (snapshot->process || snapshot->state > SNAPSHOT_BUILT)
    return reply_failed(SBX_SPAWN, snapshot->id, process, EBUSY, "spawn");
  if (packet_send(snapshot->socket, bytes, length, fds, 1, MSG_DONTWAIT) < 0)
    return reply_failed(SBX_SPAWN, snapshot->id, process, errno, "spawn");
  snapshot->process = process;
}

// True if the message was about a snapshot.
bool snapshot_message(const struct message *message, const uint8_t *bytes, size_t length, const int *fds,
    unsigned fd_count) {
  struct snapshot *snapshot = find(message->sandbox);
  uint32_t id = message->sandbox, number = 0;
  if (!snapshot) return false;
  switch (message->type) {
    case SBX_SPAWN:
      spawn(snapshot, message, bytes, length, fds, fd_count);
      tell_start(snapshot);
      break;
    case SBX_SIGNAL:
      if (message_u32(message, SBX_TAG_SIGNO, &number) && number <= 64 && snapshot->pidfd >= 0)
        syscall(SYS_pidfd_send_signal, snapshot->pidfd, (int)number, NULL, 0);
      break;
    case SBX_DESTROY:
      release(snapshot);
      reply_empty(SBX_DESTROYED, id);
      break;
    default: reply_failed(message->type, id, 0, ENOTSUP, "snapshot");
  }
  return true;
}

// ---------------------------------------------------------------------------------------------- forks

// Orders a fork for a nest that is built. Everything else is told by the fork's own socket.
int snapshot_hatch(uint32_t id, struct nest *nest) {
  static const char *const names[] = {"user", "pid", "mnt", "net", "ipc", "uts", "cgroup"};
  struct snapshot *snapshot = find(id);
  if (!snapshot || snapshot->state != SNAPSHOT_UP || snapshot->user != nest->owner) { errno = ESRCH; return -1; }
  int channel = hatch_begin(&packet, ++last_serial, nest, names, 7);
  if (channel < 0) return -1;
  return hatch_send(&packet, snapshot->socket, nest,
      (struct hatchling){.state = HATCHING, .zygote = id, .serial = last_serial, .channel = channel, .pidfd = -1});
}

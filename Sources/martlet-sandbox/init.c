// Process 1 of a sandbox. A fork of the helper that builds the sandbox around itself, gives up every privilege for
// good, and then runs what the server orders, reaps every orphan, and reports every end. The user's program is never
// process 1: the kernel would make it deaf to its own signals.
#include "sandbox.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <grp.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int helper = -1, signals = -1;
static uint32_t nofile;
static bool is_owned;
static mode_t mask;
static char followed[MAX_PATH];   // the directory of the program that shares its own with us
static struct { uint32_t id; pid_t pid; } running[MAX_PROCESSES];
static unsigned running_count;
static uint8_t buffer[SBX_MAX_MESSAGE + 1];
static struct packet packet;

static void reply(void) {
  if (packet_send(helper, packet.bytes, packet.length, packet.fds, packet.fd_count, 0) < 0) _exit(1);
}

static void reply_that_failed(uint32_t request, uint32_t process, int error, const char *stage) {
  packet_begin(&packet, SBX_FAILED, 0);
  packet_u32(&packet, SBX_TAG_REQUEST, request);
  if (process) packet_u32(&packet, SBX_TAG_PROCESS, process);
  packet_u32(&packet, SBX_TAG_ERRNO, (uint32_t)error);
  packet_text(&packet, SBX_TAG_STAGE, stage);
  reply();
}

_Noreturn static void fail(const char *stage) {
  reply_that_failed(SBX_CREATE, 0, errno, stage);
  _exit(1);
}

// ---------------------------------------------------------------------------------------------- giving up

static void limit(int resource, rlim_t value) {
  struct rlimit now;
  if (getrlimit(resource, &now) < 0) fail("getrlimit");
  if (value > now.rlim_max) value = now.rlim_max;   // raising may be forbidden even to root
  if (setrlimit(resource, &(struct rlimit){value, value}) < 0) fail("setrlimit");
}

// The maps of a user namespace with one user. Written by ourselves: mapping one's own id needs no privilege.
static void map_user(uint32_t uid, uint32_t gid) {
  char text[64];
  if (write_text("/proc/self/setgroups", "deny") < 0) fail("setgroups deny");
  snprintf(text, sizeof text, "%u %u 1", UID_INSIDE, uid);
  if (write_text("/proc/self/uid_map", text) < 0) fail("uid_map");
  snprintf(text, sizeof text, "%u %u 1", GID_INSIDE, gid);
  if (write_text("/proc/self/gid_map", text) < 0) fail("gid_map");
}

static void drop_user(unsigned slot) {
  uint32_t id = options.uid_base + slot;
  if (setgroups(0, NULL) < 0) fail("setgroups");
  if (setresgid(id, id, id) < 0) fail("setresgid");
  if (setresuid(id, id, id) < 0) fail("setresuid");
  prctl(PR_SET_DUMPABLE, 1);   // else /proc/self/uid_map belongs to root
  if (unshare(CLONE_NEWUSER) < 0) fail("user namespace");
  map_user(id, id);
}

int init_drop_capabilities(void) {
  for (int capability = 0; capability < 64; capability++)
    if (prctl(PR_CAPBSET_DROP, capability) < 0) {
      if (errno == EINVAL) break;   // past the last that this kernel knows
      return -1;
    }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  const int locked = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED
    | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
  if (prctl(PR_SET_SECUREBITS, locked) < 0) return -1;
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[2] = {0};
  return (int)syscall(SYS_capset, &header, none);
}

static void drop_everything(const struct spec *spec, unsigned slot) {
  if (options.isolation == ISOLATION_FULL && !is_owned) drop_user(slot);
  if (init_drop_capabilities() < 0) fail("capabilities");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) fail("no_new_privs");
  prctl(PR_SET_PDEATHSIG, SIGKILL);   // every change of credentials cleared it
  prctl(PR_SET_DUMPABLE, 0);          // nobody inside can look at or into init
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_MEMLOCK, 65536);
  if (options.isolation == ISOLATION_FULL) limit(RLIMIT_NPROC, spec->pids + 1);   // the uid is this sandbox's alone
  if (seccomp_install() < 0) fail("seccomp");
}

// ---------------------------------------------------------------------------------------------- entering

static char stage[256];

// The part that is the same for every sandbox, so that it can be done before one is asked for. Joining a cgroup waits
// for the kernel's other processors, 5 to 15 ms on a quiet machine: most of all it is that which must not be waited
// for.
static void enter(const struct init_start *start) {
  for (unsigned i = 0; i < start->procs_count; i++)
    if (write(start->procs[i], "0", 1) < 0) fail("join cgroup");
  // Whose files these are the maps say, which the helper has written.
  if (is_owned && (setresgid(GID_INSIDE, GID_INSIDE, GID_INSIDE) < 0
      || setresuid(UID_INSIDE, UID_INSIDE, UID_INSIDE) < 0)) fail("user");
  if (start->network >= 0 && setns(start->network, CLONE_NEWNET) < 0) fail("network namespace");
  if (options.isolation == ISOLATION_ROOTLESS) {
    map_user(start->uid, start->gid);
    if (loopback_up() < 0) fail("loopback");
  }
  if (unshare(CLONE_NEWCGROUP) < 0) fail("cgroup namespace");
  if (mounts_begin(PROC_ALL, stage, sizeof stage) < 0) fail(stage);
  if (start->base && mounts_place_base(start->base, stage, sizeof stage) < 0) fail(stage);
}

// The part that CREATE decides. Returns a copy of the mount of /tmp, for the helper to keep.
static int build(const struct spec *spec, unsigned slot, int tmp) {
  int again = -1;
  if (mounts_finish(spec, options.uid_base + slot, tmp, &again, stage, sizeof stage) < 0) fail(stage);
  const char *hostname = spec->hostname[0] ? spec->hostname : "sandbox";
  if (sethostname(hostname, strlen(hostname)) < 0) fail("sethostname");
  drop_everything(spec, slot);
  return again;
}

// ---------------------------------------------------------------------------------------------- running

// Makes argv and envp from the packet. Fields have no terminator: each text is moved down over its own header by one
// byte less than that, which makes room for the NUL.
bool order_read(struct program_order *order, struct message *message) {
  static char *pointers[SBX_MAX_MESSAGE / 8 + 4];
  uint32_t argc = 0, envc = 0;
  struct field field;
  struct message cursor = *message;
  memset(order, 0, sizeof *order);
  while (message_next(&cursor, &field)) {
    argc += field.tag == SBX_TAG_ARG;
    envc += field.tag == SBX_TAG_ENV;
  }
  order->argv = pointers;
  order->envp = pointers + argc + 1;
  pointers[argc] = pointers[argc + envc + 1] = NULL;
  cursor = *message;
  while (message_next(&cursor, &field)) {
    if (field.tag == SBX_TAG_PROCESS) { field_u32(&field, &order->process); continue; }
    if (field.tag == SBX_TAG_FOLLOWS) { field_u32(&field, &order->follows); continue; }
    if (field.tag != SBX_TAG_ARG && field.tag != SBX_TAG_ENV && field.tag != SBX_TAG_CWD) continue;
    char *text = (char *)field.bytes - 1;
    memmove(text, field.bytes, field.length);
    text[field.length] = 0;
    if (field.tag == SBX_TAG_ARG) order->argv[order->argc++] = text;
    else if (field.tag == SBX_TAG_ENV) order->envp[order->envc++] = text;
    else order->cwd = text;
  }
  return order->argc > 0;
}

// In the program's process only: init itself needs more descriptors than a program may have.
void init_limit_files(void) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max = nofile < files.rlim_max ? nofile : files.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &files) < 0) _exit(126);
}

// What the new process does until exec. It shares our memory and we sleep meanwhile (vfork: copying even this small
// process would cost a third of a start), so it may only make system calls, and leaves its error where we find it.
struct birth { const struct program_order *order; int output, error, stage; };

static int become(void *argument) {
  struct birth *birth = argument;
  const struct program_order *order = birth->order;
  setsid();
  // inside a pid namespace init's end is everybody's
  if (options.isolation == ISOLATION_NONE) prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct sigaction usual = {.sa_handler = SIG_DFL};
  static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM};   // by the helper; see prepare() in main.c
  for (unsigned i = 0; i < sizeof ignored / sizeof *ignored; i++) sigaction(ignored[i], &usual, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  int input = open("/dev/null", O_RDONLY);
  if (input < 0 || dup2(input, 0) < 0 || dup2(birth->output, 1) < 0 || dup2(birth->output, 2) < 0) goto failed;
  if (syscall(SYS_close_range, 3, ~0U, 0) < 0) goto failed;
  init_limit_files();
  umask(mask);   // who shared ours may have changed it
  birth->stage = 1;
  if (chdir(order->cwd ? order->cwd : "/") < 0) goto failed;
  birth->stage = 2;
  execve(order->argv[0], order->argv, order->envp);
failed:
  birth->error = errno;
  _exit(127);
}

static void spawn(struct message *message, int output) {
  struct program_order order;
  char stage[MAX_PATH + 32];
  static char stack[65536] __attribute__((aligned(16)));
  if (!order_read(&order, message) || order.process == 0)
    return reply_that_failed(SBX_SPAWN, order.process, EINVAL, "spawn");
  if (running_count == MAX_PROCESSES) return reply_that_failed(SBX_SPAWN, order.process, EAGAIN, "spawn");
  struct birth birth = {.order = &order, .output = output};
  // What shares its directory with us goes on doing so after exec: then we can change it for a program that cannot.
  int shared = order.follows && order.cwd ? CLONE_FS : 0;
  if (shared) snprintf(followed, sizeof followed, "%s", order.cwd);
  pid_t pid = clone(become, stack + sizeof stack, CLONE_VM | CLONE_VFORK | shared | SIGCHLD, &birth);
  if (pid < 0) return reply_that_failed(SBX_SPAWN, order.process, errno, "fork");
  if (birth.error) {
    static const char *const stages[] = {"prepare", "chdir", "fork/exec"};
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
    snprintf(stage, sizeof stage, "%s %.4000s", stages[birth.stage], birth.stage == 1 ? order.cwd : order.argv[0]);
    return reply_that_failed(SBX_SPAWN, order.process, birth.error, stage);
  }
  running[running_count].id = order.process;
  running[running_count++].pid = pid;
  packet_begin(&packet, SBX_SPAWNED, 0);
  packet_u32(&packet, SBX_TAG_PROCESS, order.process);
  reply();
}

static void connect_inside(const struct message *message) {
  uint32_t process = 0;
  uint16_t port;
  if (!message_u32(message, SBX_TAG_PROCESS, &process) || !message_port(message, &port)) return;
  int fd = connect_here(port);
  if (fd < 0) return reply_that_failed(SBX_CONNECT, process, errno, "connect");
  packet_begin(&packet, SBX_CONNECTED, 0);
  packet_u32(&packet, SBX_TAG_PROCESS, process);
  packet_fd(&packet, fd);
  reply();
  close(fd);
}

static void reap(void) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    for (unsigned i = 0; i < running_count; i++) {
      if (running[i].pid != pid) continue;
      if (options.isolation == ISOLATION_NONE) kill(-pid, SIGKILL);   // what it left behind in its group
      packet_begin(&packet, SBX_EXITED, 0);
      packet_u32(&packet, SBX_TAG_PROCESS, running[i].id);
      packet_u32(&packet, SBX_TAG_STATUS, (uint32_t)status);
      running[i] = running[--running_count];
      reply();
      break;
    }
  }
}

static void kill_all(void) {
  // everybody in the pid namespace but us, at once
  if (options.isolation != ISOLATION_NONE) { kill(-1, SIGKILL); return; }
  for (unsigned i = 0; i < running_count; i++) kill(-running[i].pid, SIGKILL);
}

// Puts a fork of a snapshot, which is in our pid namespace, into the cgroups. That waits for the kernel, and here
// nobody waits with it.
static void join(const struct message *message, const int *fds, unsigned fd_count) {
  char text[16];
  uint32_t pid = 0;
  bool good = message_u32(message, SBX_TAG_PROCESS, &pid) && pid > 1;
  snprintf(text, sizeof text, "%u", pid);
  for (unsigned i = 0; good && i < fd_count; i++) good = write(fds[i], text, strlen(text)) > 0;
  packet_begin(&packet, INIT_JOINED, 0);
  packet_u32(&packet, SBX_TAG_ERRNO, good ? 0 : (uint32_t)errno);
  reply();
}

// Something was mounted upon the directory of the program that shares its own with us: in there.
static void follow(void) {
  int error = chdir(followed) < 0 ? errno : 0;
  packet_begin(&packet, INIT_FOLLOWED, 0);
  packet_u32(&packet, SBX_TAG_ERRNO, (uint32_t)error);
  reply();
}

static void probe(uint32_t kind, int output) {
  if (fork() == 0) probe_inside(output, kind);
}

static void obey(void) {
  int fds[SBX_MAX_FDS];
  unsigned fd_count;
  bool truncated;
  struct message message;
  ssize_t length = packet_receive(helper, buffer, sizeof buffer, fds, &fd_count, &truncated);
  if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
  if (length <= 0) {   // the helper is gone
    kill_all();
    _exit(0);
  }
  if (!truncated && message_parse(&message, buffer, (size_t)length)) {
    uint32_t id, number = 0;
    switch (message.type) {
      case SBX_SPAWN: if (fd_count == 1) spawn(&message, fds[0]); break;
      case INIT_PROBE: if (fd_count == 1) probe(message.sandbox, fds[0]); break;
      case INIT_KILL_ALL: kill_all(); break;
      case INIT_JOIN: join(&message, fds, fd_count); break;
      case INIT_FOLLOW: follow(); break;
      case SBX_CONNECT: connect_inside(&message); break;
      case SBX_SIGNAL:
        if (message_u32(&message, SBX_TAG_PROCESS, &id) && message_u32(&message, SBX_TAG_SIGNO, &number))
          for (unsigned i = 0; i < running_count; i++)
            if (running[i].id == id) signal_child(running[i].pid, (int)number);
    }
  }
  for (unsigned i = 0; i < fd_count; i++) close(fds[i]);
  // environments hold secrets
  explicit_bzero(buffer, (size_t)length < sizeof buffer ? (size_t)length : sizeof buffer);
}

// The order to build comes as INIT_BUILD: the fields of CREATE, the slot in place of the sandbox, and /tmp after a
// reset.
static struct spec *wait_for_order(unsigned *slot, int *tmp) {
  int fds[SBX_MAX_FDS];
  unsigned fd_count;
  bool truncated;
  struct message message;
  const char *wrong = "init: not an order";
  ssize_t length;
  for (;;) {
    struct pollfd ready = {.fd = helper, .events = POLLIN};
    while (poll(&ready, 1, -1) < 0 && errno == EINTR) {}
    length = packet_receive(helper, buffer, sizeof buffer, fds, &fd_count, &truncated);
    if (length <= 0) _exit(0);   // the helper is gone, or has no use for this one
    if (truncated || !message_parse(&message, buffer, (size_t)length) || message.type != INIT_MOUNTS) break;
    mounts_are_given = true;
    mounts_given_from = message.sandbox;
    for (unsigned i = 0; i < fd_count; i++)
      if (mounts_given_count < MAX_MOUNTS) mounts_given[mounts_given_count++] = fds[i];
  }
  struct spec *spec = NULL;
  if (!truncated && message_parse(&message, buffer, (size_t)length)
      && message.type == INIT_BUILD) spec = spec_read(&message, &wrong);
  if (!spec) fail(wrong);
  *slot = message.sandbox;
  *tmp = fd_count > 0 ? fds[0] : -1;
  return spec;
}

static void say_ready(const struct spec *spec, int tmp) {
  packet_begin(&packet, INIT_READY, 0);
  if (tmp >= 0) packet_fd(&packet, tmp);
  for (unsigned i = 0; options.isolation == ISOLATION_ROOTLESS && i < spec->listen_count; i++) {
    int listener = listen_here(spec->listen[i]);   // the helper has no right to enter this network
    if (listener < 0) fail("listen");
    packet_fd(&packet, listener);
  }
  reply();
}

// Whatever else the helper had open is not ours: other sandboxes' sockets, the server's. Only 0 to 5 stay.
static void keep_only_ours(const sigset_t *child) {
  int null = open("/dev/null", O_RDWR);
  if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0) fail("/dev/null");
  if ((signals = signalfd(-1, child, SFD_CLOEXEC | SFD_NONBLOCK)) < 0) fail("signalfd");
  int high = fcntl(signals, F_DUPFD_CLOEXEC, 6), root = fcntl(mounts_root, F_DUPFD_CLOEXEC, 6);
  if (high < 0 || (helper != 3 && dup2(helper, 3) < 0)) _exit(1);
  helper = 3;
  if (dup2(high, 4) < 0) _exit(1);
  signals = 4;
  if (mounts_root >= 0 && (mounts_root = dup2(root, 5)) < 0) _exit(1);
  syscall(SYS_close_range, mounts_root >= 0 ? 6 : 5, ~0U, 0);
}

_Noreturn void init_main(const struct init_start *start) {
  int tmp = -1;
  unsigned slot;
  helper = start->socket;
  oom_first();
  // Without a pid namespace our death would spare the grandchildren: then the end of the socket tells, and the groups
  // are killed.
  if (options.isolation != ISOLATION_NONE) prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, "init");
  umask(mask = umask(0));
  hide_command_line();
  is_owned = start->is_owned;
  uint8_t go;
  if (is_owned && recv(helper, &go, 1, 0) <= 0) _exit(0);   // who we are is not known before
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_SETMASK, &child, NULL);
  if (options.isolation == ISOLATION_NONE) {
    setsid();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
  } else {
    enter(start);
  }
  keep_only_ours(&child);
  packet_begin(&packet, INIT_WARM, 0);
  reply();
  struct spec *spec = wait_for_order(&slot, &tmp);
  nofile = spec->nofile;
  if (options.isolation != ISOLATION_NONE) tmp = build(spec, slot, tmp);
  say_ready(spec, tmp);
  syscall(SYS_close_range, 5, ~0U, 0);
  for (;;) {
    struct pollfd ready[2] = {{.fd = helper, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    if (poll(ready, 2, -1) < 0 && errno != EINTR) _exit(1);
    if (ready[1].revents) {
      struct signalfd_siginfo ignored;
      while (read(signals, &ignored, sizeof ignored) > 0) {}
      reap();
    }
    if (ready[0].revents) obey();
  }
}

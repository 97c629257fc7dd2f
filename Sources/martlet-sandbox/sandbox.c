// The sandboxes: what the server may ask for, and what it is told. One function per message; everything that takes time
// (an init building itself, processes dying) is waited for in the loop, never here.
//
// Promises to the server: every request but SIGNAL has exactly one answer, and every SPAWNED process exactly one
// EXITED, also when a RESET or DESTROY ends it (then before RESET_DONE and DESTROYED).
#include <poll.h>
#include "sandbox.h"

#include <linux/magic.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>

static struct sandbox *table[1024];
static unsigned sandbox_count;
static struct packet packet;
static bool ends_slowly;   // some nest that forks of a snapshot have entered is to end

struct sandbox *sandbox_find(uint32_t id) {
  struct sandbox *sandbox = table[id % 1024];
  while (sandbox && sandbox->id != id) sandbox = sandbox->next;
  return sandbox;
}

void reply_failed(uint32_t request, uint32_t sandbox, uint32_t process, int error, const char *stage) {
  packet_begin(&packet, SBX_FAILED, sandbox);
  packet_u32(&packet, SBX_TAG_REQUEST, request);
  if (process) packet_u32(&packet, SBX_TAG_PROCESS, process);
  packet_u32(&packet, SBX_TAG_ERRNO, (uint32_t)error);
  packet_text(&packet, SBX_TAG_STAGE, stage);
  server_reply(&packet);
}

void reply_empty(uint32_t type, uint32_t sandbox) {
  packet_begin(&packet, type, sandbox);
  server_reply(&packet);
}

void sandbox_each(void (*body)(struct sandbox *, uint32_t), uint32_t argument) {
  for (unsigned bucket = 0; bucket < 1024; bucket++)
    for (struct sandbox *sandbox = table[bucket], *next; sandbox; sandbox = next) {
      next = sandbox->next;
      body(sandbox, argument);
    }
}

// ---------------------------------------------------------------------------------------------- an init

static int take_slot(const struct spec *spec) {
  uid_t owner = snapshot_user(spec->zygote), hoarder;
  int slot = users_take(owner);
  if (slot >= 0 || !(hoarder = users_hoarder())) return slot;
  snapshot_kill(hoarder);
  return users_take(owner);
}

// Gives the init its order, and from now on hears what it says.
static int start_init(struct sandbox *sandbox, const char **stage) {
  struct spec *spec = sandbox->spec;
  uint32_t header[2] = {INIT_BUILD, sandbox->slot};
  memcpy(spec->message - 8, header, 8);   // room was left there
  sandbox->oom = false;
  sandbox->oom_before = cgroups_oom_kills(&sandbox->nest.cgroups);
  watch_add(sandbox->nest.init, WATCH_INIT, sandbox->id, EPOLLIN);
  watch_add(sandbox->nest.pidfd, WATCH_PID, sandbox->id, EPOLLIN);
  *stage = "order";
  ssize_t sent = packet_send(sandbox->nest.init, spec->message - 8, spec->length + 8, &sandbox->tmp,
      sandbox->tmp >= 0, MSG_DONTWAIT);
  return sent < 0 ? -1 : 0;
}

static void kill_init(struct sandbox *sandbox) {
  sandbox->ends_at = now_ms();
  ends_slowly |= sandbox->nest.owner != 0;
  // init kills its groups and leaves
  if (options.isolation == ISOLATION_NONE) { watch_close(&sandbox->nest.init); return; }
  // cgroup.kill is for the end only: after it Linux (6.18 measured) kills whatever is cloned into that cgroup later.
  // The end of process 1 is the end of its pid namespace too; but what v1 has frozen would not die.
  if (sandbox->state == DESTROYING) cgroups_kill(&sandbox->nest.cgroups);
  else cgroups_thaw(&sandbox->nest.cgroups);
  if (sandbox->nest.pidfd >= 0) syscall(SYS_pidfd_send_signal, sandbox->nest.pidfd, SIGKILL, NULL, 0);
}

// ---------------------------------------------------------------------------------------------- removing

static void forget(struct sandbox *sandbox) {
  struct sandbox **link = &table[sandbox->id % 1024];
  while (*link != sandbox) link = &(*link)->next;
  *link = sandbox->next;
  sandbox_count--;
}

// Everything that the sandbox holds, once its processes are dead.
static void release(struct sandbox *sandbox) {
  if (sandbox->reset_asked) reply_failed(SBX_RESET, sandbox->id, 0, ECANCELED, "the sandbox was not made");
  unwatch_memory(sandbox);
  forked_forget(sandbox);
  graft_over(sandbox, ECANCELED, "graft: the sandbox ended");
  for (unsigned i = 0; i < sandbox->listener_count; i++) close_fd(&sandbox->listeners[i]);
  close_fd(&sandbox->tmp);
  nest_remove(&sandbox->nest);
  users_give_back(sandbox->slot);
  spec_free(sandbox->spec);
  forget(sandbox);
  free(sandbox);
}

static void report_exit(struct sandbox *sandbox, uint32_t process, uint32_t status) {
  bool oom = sandbox->oom || cgroups_oom_kills(&sandbox->nest.cgroups) > sandbox->oom_before;
  packet_begin(&packet, SBX_EXITED, sandbox->id);
  packet_u32(&packet, SBX_TAG_PROCESS, process);
  packet_u32(&packet, SBX_TAG_STATUS, status);
  packet_u32(&packet, SBX_TAG_OOM, oom);
  server_reply(&packet);
}

void process_started(struct sandbox *sandbox, struct process *process) {
  process->started = true;
  packet_begin(&packet, SBX_SPAWNED, sandbox->id);
  packet_u32(&packet, SBX_TAG_PROCESS, process->id);
  server_reply(&packet);
}

void process_ended(struct sandbox *sandbox, struct process *process, uint32_t status) {
  uint32_t id = process->id;
  *process = sandbox->processes[--sandbox->process_count];
  report_exit(sandbox, id, status);
}

// The end of an init is the end of every process in its sandbox: those that it could not report any more are reported
// here.
static void report_all_exits(struct sandbox *sandbox) {
  for (unsigned i = 0; i < sandbox->process_count; i++) {
    if (sandbox->processes[i].started) report_exit(sandbox, sandbox->processes[i].id, SIGKILL);
    else reply_failed(SBX_SPAWN, sandbox->id, sandbox->processes[i].id, ESRCH, "spawn: the sandbox ended");
  }
  sandbox->process_count = 0;
}

// A new init in the same cgroups, network namespace and /tmp.
static int restart(struct sandbox *sandbox, const char **stage) {
  cgroups_thaw(&sandbox->nest.cgroups);
  sandbox->state = RESTARTING;
  sandbox->nest.is_ahead = false;
  nest_disown(&sandbox->nest);   // the network stays that of the first, which only we can enter
  return nest_hatch(&sandbox->nest, stage) < 0 ? -1 : start_init(sandbox, stage);
}

void init_exited(struct sandbox *sandbox) {
  siginfo_t info;
  const char *stage;
  while (sandbox->nest.init >= 0
      && recv(sandbox->nest.init, &info, 1, MSG_PEEK | MSG_DONTWAIT) > 0) init_readable(sandbox);
  if (waitid(P_PIDFD, (id_t)sandbox->nest.pidfd, &info, WEXITED | WNOHANG) < 0 && errno == EINTR) return;
  watch_close(&sandbox->nest.init);
  watch_close(&sandbox->nest.pidfd);
  sandbox->nest.pid = 0;
  if (sandbox->state == STARTING) reply_failed(SBX_CREATE, sandbox->id, 0, ECHILD, "init died");
  report_all_exits(sandbox);
  graft_over(sandbox, ESRCH, "graft: the sandbox ended");
  sandbox->follows = false;
  forked_forget(sandbox);
  switch (sandbox->state) {
    case STARTING: case DOOMED: release(sandbox); return;
    case DESTROYING: {
      uint32_t id = sandbox->id;
      release(sandbox);
      reply_empty(SBX_DESTROYED, id);
      return;
    }
    case RESETTING:
      if (restart(sandbox, &stage) == 0) return;
      reply_failed(SBX_RESET, sandbox->id, 0, errno, stage);
      break;
    case RESTARTING: reply_failed(SBX_RESET, sandbox->id, 0, ECHILD, "init died"); break;
    case RUNNING: case BROKEN: break;
  }
  sandbox->state = BROKEN;   // until the server resets or destroys it
}

static unsigned ending;
static void count_ending(struct sandbox *sandbox, uint32_t unused) {
  (void)unused;
  if (!sandbox->nest.owner || sandbox->nest.pidfd < 0
      || (sandbox->state != DESTROYING && sandbox->state != RESETTING && sandbox->state != DOOMED)) return;
  ending++;
  if (now_ms() - sandbox->ends_at < 500) return;
  sandbox->ends_at = now_ms();
  // That it takes so long may be due to the host.
  if (snapshot_keeps_dead(sandbox->nest.owner)) snapshot_kill(sandbox->nest.owner);
}

// A nest that a snapshot's forks have entered ends when they are buried, of whose deaths nobody tells us.
bool sandbox_ends_slowly(void) {
  if (!ends_slowly) return false;
  snapshot_bury_strays();
  ending = 0;
  sandbox_each(count_ending, 0);
  ends_slowly = ending > 0;
  return ends_slowly;
}

static void begin_end(struct sandbox *sandbox, uint32_t unused) {
  (void)unused;
  sandbox->state = DESTROYING;
  kill_init(sandbox);
}

static void end_fork(struct sandbox *sandbox, uint32_t unused) {
  (void)unused;
  forked_forget(sandbox);
}

// Waits for an init. It does not end before its namespace is empty, and what is left in there may be ours to reap:
// forks whose zygote is gone. Whoever else is reaped here is waited for by nobody who would mind, because all ends.
static void wait_for_init(int pidfd) {
  for (;;) {
    siginfo_t info = {0};
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) < 0 || info.si_pid != 0) return;
    info.si_pid = 0;
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0) continue;
    poll(&(struct pollfd){.fd = pidfd, .events = POLLIN}, 1, 10);
  }
}

// The zygotes go before their forks are waited for.
void sandbox_destroy_all(void) {
  sandbox_each(begin_end, 0);
  zygote_destroy_all();
  snapshot_destroy_all();
  sandbox_each(end_fork, 0);
  for (unsigned bucket = 0; bucket < 1024; bucket++)
    while (table[bucket]) {
      if (table[bucket]->nest.pidfd >= 0) wait_for_init(table[bucket]->nest.pidfd);
      table[bucket]->process_count = 0;
      release(table[bucket]);
    }
  pool_discard();
}

// ---------------------------------------------------------------------------------------------- requests

static int set_up(struct sandbox *sandbox, const char **stage) {
  uid_t owner = snapshot_user(sandbox->spec->zygote);
  if (!owner || nest_make_owned(&sandbox->nest, owner, sandbox->slot, sandbox->spec, stage) < 0) {
    if (owner) fprintf(stderr, "martlet-sandbox: no place for a fork: %s: %s\n", *stage, strerror(errno));
    if (nest_take(&sandbox->nest, sandbox->spec, stage) < 0) return -1;
  }
  if (sandbox->nest.fork.state != NO_FORK) watch_add(sandbox->nest.fork.channel, WATCH_FORK, sandbox->id, EPOLLIN);
  uint32_t user = options.uid_base + sandbox->slot;
  if (nest_give_mounts(&sandbox->nest, sandbox->spec, user, stage) < 0) return -1;
  *stage = "cgroups";
  if (options.isolation == ISOLATION_FULL && cgroups_limit(&sandbox->nest.cgroups, sandbox->spec) < 0) return -1;
  if (sandbox->spec->network == SBX_NETWORK_OUTBOUND && options.isolation != ISOLATION_NONE
      && network_outbound(sandbox->nest.network, stage) < 0) return -1;
  *stage = "listen";
  if (options.isolation == ISOLATION_ROOTLESS) return start_init(sandbox, stage);   // it makes its listeners itself
  nest_take_listeners(&sandbox->nest, sandbox->spec, sandbox->listeners);
  sandbox->listener_count = sandbox->spec->listen_count;
  for (unsigned i = 0; i < sandbox->listener_count; i++) {
    struct listen_at at = sandbox->spec->listen[i];
    if (options.isolation == ISOLATION_NONE) at.port = 0;
    if (sandbox->listeners[i] < 0 && (sandbox->listeners[i] = network_listen(sandbox->nest.network, at)) < 0) return -1;
  }
  return start_init(sandbox, stage);
}

static void create(const struct message *message) {
  const char *stage = "create";
  if (message->sandbox == 0) return reply_failed(SBX_CREATE, 0, 0, EINVAL, stage);
  if (sandbox_find(message->sandbox)) return reply_failed(SBX_CREATE, message->sandbox, 0, EEXIST, stage);
  struct spec *spec = spec_read(message, &stage);
  if (!spec) return reply_failed(SBX_CREATE, message->sandbox, 0, errno, stage);
  if (snapshot_create(message, spec)) return;
  struct sandbox *sandbox = calloc(1, sizeof *sandbox);
  int slot = sandbox ? take_slot(spec) : -1;
  if (slot < 0) {
    spec_free(spec);
    free(sandbox);
    return reply_failed(SBX_CREATE, message->sandbox, 0, EAGAIN, "too many sandboxes");
  }
  *sandbox = (struct sandbox){
    .next = table[message->sandbox % 1024], .id = message->sandbox, .slot = (unsigned)slot, .spec = spec,
    .tmp = -1, .nest = {.network = -1, .init = -1, .pidfd = -1}};
  cgroups_none(&sandbox->nest.cgroups);
  hatchling_none(&sandbox->nest.fork);
  table[message->sandbox % 1024] = sandbox;
  sandbox_count++;
  if (set_up(sandbox, &stage) == 0) {
    if (sandbox->nest.cgroups.usage >= 0) watch_memory(sandbox);
    if (sandbox->nest.cgroups.alarm >= 0)
      watch_add(sandbox->nest.cgroups.alarm, WATCH_ALARM, sandbox->id, cgroup_is_v2(ROLE_MEMORY) ? EPOLLPRI : EPOLLIN);
    return;
  }
  reply_failed(SBX_CREATE, sandbox->id, 0, errno, stage);
  sandbox->state = DOOMED;
  if (sandbox->nest.pidfd >= 0) kill_init(sandbox);   // released when it is dead
  else release(sandbox);
}

// The listeners, which are the server's alone from now on.
static void reply_listeners(struct sandbox *sandbox, uint8_t *kinds) {
  packet_bytes(&packet, SBX_TAG_FD_KINDS, kinds, packet.fd_count);
  server_reply(&packet);
  for (unsigned i = 0; i < sandbox->listener_count; i++) close_fd(&sandbox->listeners[i]);
  sandbox->listener_count = 0;
}

static void add_listeners(struct sandbox *sandbox, uint8_t *kinds) {
  for (unsigned i = 0; i < sandbox->listener_count; i++) {
    kinds[packet.fd_count] = SBX_FD_LISTENER;
    packet_fd(&packet, sandbox->listeners[i]);
  }
}

// Without root, a new init has a new network, and with it new listeners.
static void reply_reset(struct sandbox *sandbox) {
  uint8_t kinds[SBX_MAX_FDS];
  packet_begin(&packet, SBX_RESET_DONE, sandbox->id);
  add_listeners(sandbox, kinds);
  reply_listeners(sandbox, kinds);
}

static void reply_created(struct sandbox *sandbox) {
  uint8_t kinds[SBX_MAX_FDS];
  packet_begin(&packet, SBX_CREATED, sandbox->id);
  add_listeners(sandbox, kinds);
  const struct { int fd; uint8_t kind; } others[] = {
    {sandbox->nest.cgroups.freeze, cgroup_is_v2(ROLE_FREEZE) ? SBX_FD_FREEZE_V2 : SBX_FD_FREEZE_V1},
    {sandbox->nest.cgroups.cpu, cgroup_is_v2(ROLE_CPU) ? SBX_FD_CPU_V2 : SBX_FD_CPU_V1},
    {sandbox->nest.cgroups.peak, SBX_FD_MEMORY_PEAK}, {sandbox->tmp, SBX_FD_TMP},
    {sandbox->spec->yields ? sandbox->nest.cgroups.idle : -1, SBX_FD_CPU_IDLE}};
  for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
    if (others[i].fd < 0) continue;
    kinds[packet.fd_count] = others[i].kind;
    packet_fd(&packet, others[i].fd);
  }
  reply_listeners(sandbox, kinds);
}

// A program may open /dev/stdout anew, which asks who owns the pipe: its owner was the server. Only a pipe without a
// name is given away: anything else the server could have opened somewhere, to have it made its own.
static void own_pipe(const struct sandbox *sandbox, int output) {
  struct statfs facts;
  uint32_t owner = options.uid_base + sandbox->slot;
  if (options.isolation != ISOLATION_FULL || fstatfs(output, &facts) < 0 || facts.f_type != PIPEFS_MAGIC) return;
  if (fchown(output, owner, owner) < 0) return;   // then opening it anew is refused, and that is all
}

// Has the init execute the program.
void spawn_plainly(struct sandbox *sandbox, struct process *process, const uint8_t *bytes, size_t length, int output) {
  uint32_t id = process->id;
  figures[PROGRAMS_EXECUTED]++;
  if (sandbox->nest.init >= 0
      && packet_send(sandbox->nest.init, bytes, length, &output, 1, MSG_DONTWAIT) >= 0) return;
  int error = sandbox->nest.init < 0 ? ESRCH : errno;
  *process = sandbox->processes[--sandbox->process_count];
  reply_failed(SBX_SPAWN, sandbox->id, id, error, "spawn");
}

static void spawn(struct sandbox *sandbox, const struct message *message, const uint8_t *bytes, size_t length,
    const int *fds, unsigned fd_count) {
  uint32_t process = 0, id = message->sandbox;
  const char *wrong = check_program(message, &process, false);
  if (!wrong && fd_count != 1) wrong = "spawn: one descriptor is needed";
  if (wrong) return reply_failed(SBX_SPAWN, id, process, EINVAL, wrong);
  if (sandbox->state == BROKEN) return reply_failed(SBX_SPAWN, id, process, ESRCH, "spawn: the sandbox ended");
  if (sandbox->state != STARTING && sandbox->state != RUNNING)
      return reply_failed(SBX_SPAWN, id, process, EBUSY, "spawn");
  for (unsigned i = 0; i < sandbox->process_count; i++)
    if (sandbox->processes[i].id == process) return reply_failed(SBX_SPAWN, id, process, EEXIST, "spawn");
  if (sandbox->process_count == MAX_PROCESSES)
      return reply_failed(SBX_SPAWN, id, process, EAGAIN, "spawn: too many processes");
  uint32_t follows = 0;
  message_u32(message, SBX_TAG_FOLLOWS, &follows);
  sandbox->follows |= follows;
  own_pipe(sandbox, fds[0]);
  struct process *entry = &sandbox->processes[sandbox->process_count++];
  *entry = (struct process){.id = process};
  if (!forked_spawn(sandbox, process, bytes, length, fds[0])) spawn_plainly(sandbox, entry, bytes, length, fds[0]);
}

static void signal_process(struct sandbox *sandbox, const struct message *message, const uint8_t *bytes,
    size_t length) {
  uint32_t process, number;
  if (!message_u32(message, SBX_TAG_PROCESS, &process) || !message_u32(message, SBX_TAG_SIGNO, &number) || number > 64)
    return reply_failed(SBX_SIGNAL, sandbox->id, 0, EINVAL, "signal");
  for (unsigned i = 0; i < sandbox->process_count; i++)
    if (sandbox->processes[i].id == process && sandbox->processes[i].forked)
      return forked_signal(sandbox, (int)number);
  if (sandbox->nest.init >= 0) packet_send(sandbox->nest.init, bytes, length, NULL, 0, MSG_DONTWAIT);
}

static void reply_connected(struct sandbox *sandbox, uint32_t process, int fd) {
  packet_begin(&packet, SBX_CONNECTED, sandbox->id);
  packet_u32(&packet, SBX_TAG_PROCESS, process);
  packet_fd(&packet, fd);
  server_reply(&packet);
}

static void connect_inside(struct sandbox *sandbox, const struct message *message, const uint8_t *bytes,
    size_t length) {
  uint32_t process = 0;
  uint16_t port;
  if (!message_u32(message, SBX_TAG_PROCESS, &process) || !message_port(message, &port))
    return reply_failed(SBX_CONNECT, sandbox->id, process, EINVAL, "connect");
  if (sandbox->state != RUNNING) return reply_failed(SBX_CONNECT, sandbox->id, process, EBUSY, "connect");
  if (options.isolation == ISOLATION_ROOTLESS) {   // we have no right to enter this network
    if (packet_send(sandbox->nest.init, bytes, length, NULL, 0, MSG_DONTWAIT) < 0)
      reply_failed(SBX_CONNECT, sandbox->id, process, errno, "connect");
    return;
  }
  int fd = network_connect(sandbox->nest.network, port);
  if (fd < 0) return reply_failed(SBX_CONNECT, sandbox->id, process, errno, "connect");
  reply_connected(sandbox, process, fd);
  close(fd);
}

static void reset(struct sandbox *sandbox) {
  const char *stage;
  if (sandbox->state == STARTING && !sandbox->reset_asked) {
    sandbox->reset_asked = true;
    return;
  }
  if (sandbox->state == RUNNING) {
    sandbox->state = RESETTING;
    kill_init(sandbox);
  } else if (sandbox->state == BROKEN && sandbox->nest.pidfd < 0) {
    if (restart(sandbox, &stage) == 0) return;
    sandbox->state = BROKEN;
    reply_failed(SBX_RESET, sandbox->id, 0, errno, stage);
  } else {
    reply_failed(SBX_RESET, sandbox->id, 0, EBUSY, "reset");
  }
}

static void destroy(struct sandbox *sandbox) {
  uint32_t id = sandbox->id;
  if (sandbox->state == DESTROYING || sandbox->state == DOOMED)
      return reply_failed(SBX_DESTROY, id, 0, EALREADY, "destroy");
  // What was asked for before and has no answer yet gets one now.
  if (sandbox->state == STARTING) reply_failed(SBX_CREATE, id, 0, ECANCELED, "destroyed");
  if (sandbox->state == RESETTING || sandbox->state == RESTARTING) reply_failed(SBX_RESET, id, 0, ECANCELED,
      "destroyed");
  graft_over(sandbox, ECANCELED, "destroyed");
  sandbox->state = DESTROYING;
  if (sandbox->nest.pidfd >= 0) return kill_init(sandbox);
  release(sandbox);
  reply_empty(SBX_DESTROYED, id);
}

static void hello(const struct message *message) {
  uint32_t version;
  if (!message_u32(message, SBX_TAG_VERSION, &version) || version != SBX_VERSION)
    return reply_failed(SBX_HELLO, message->sandbox, 0, EPROTO, "hello: another version of the protocol");
  packet_begin(&packet, SBX_WELCOME, 0);
  packet_u32(&packet, SBX_TAG_VERSION, SBX_VERSION);
  report_add_to(&packet);
  server_reply(&packet);
}

static void tell_figures(void) {
  unsigned nests, hatched;
  pool_census(&nests, &hatched);
  figures_reply(nests, hatched, sandbox_count);
}

void server_message(const uint8_t *bytes, size_t length, int *fds, unsigned fd_count, bool truncated) {
  struct message message;
  bool whole = message_parse(&message, bytes, length);
  if (!whole || truncated) return reply_failed(message.type, message.sandbox, 0, EBADMSG, "message");
  if (message.type == SBX_HELLO) return hello(&message);
  if (message.type == SBX_CREATE) return create(&message);
  if (message.type == SBX_ZYGOTE) return zygote_create(&message);
  if (message.type == SBX_LEVEL) return zygote_level(&message);
  if (message.type == SBX_FIGURES) return tell_figures();
  if (message.type == SBX_BASE) return pool_base(&message);
  if (message.type == SBX_DESTROY && zygote_destroy(message.sandbox)) return;
  if (snapshot_message(&message, bytes, length, fds, fd_count)) return;
  struct sandbox *sandbox = sandbox_find(message.sandbox);
  if ((message.type < SBX_SPAWN || message.type > SBX_CONNECT) && message.type != SBX_GRAFT)
    return reply_failed(message.type, message.sandbox, 0, EBADMSG, "message: unknown type");
  if (!sandbox) {
    uint32_t process = 0;
    message_u32(&message, SBX_TAG_PROCESS, &process);
    if (message.type == SBX_SIGNAL) return;
    return reply_failed(message.type, message.sandbox, process, ENOENT, "no such sandbox");
  }
  switch (message.type) {
    case SBX_SPAWN: return spawn(sandbox, &message, bytes, length, fds, fd_count);
    case SBX_SIGNAL: return signal_process(sandbox, &message, bytes, length);
    case SBX_RESET: return reset(sandbox);
    case SBX_DESTROY: return destroy(sandbox);
    case SBX_CONNECT: return connect_inside(sandbox, &message, bytes, length);
    case SBX_GRAFT: return sandbox_graft(sandbox, &message);
  }
}

// ---------------------------------------------------------------------------------------------- what an init says

static void init_ready(struct sandbox *sandbox, int *fds, unsigned fd_count) {
  unsigned listeners = options.isolation == ISOLATION_ROOTLESS ? sandbox->spec->listen_count : 0;
  if (fd_count != listeners + (options.isolation != ISOLATION_NONE)) return kill_init(sandbox);
  if (fd_count > 0) {
    close_fd(&sandbox->tmp);
    sandbox->tmp = fds[0];
    fds[0] = -1;
  }
  if (sandbox->state != RESTARTING && sandbox->state != STARTING) return;
  for (unsigned i = 0; i < listeners; i++) { sandbox->listeners[i] = fds[i + 1]; fds[i + 1] = -1; }
  sandbox->listener_count += listeners;
  bool restarted = sandbox->state == RESTARTING;
  sandbox->state = RUNNING;
  if (restarted) reply_reset(sandbox);
  else reply_created(sandbox);
  if (sandbox->reset_asked) {
    sandbox->reset_asked = false;
    return reset(sandbox);
  }
  forked_proceed(sandbox);
}

static void init_failed(struct sandbox *sandbox, const struct message *message, struct process *process) {
  uint32_t error = EIO;
  char stage[MAX_PATH + 64] = "init";
  struct message cursor = *message;
  struct field field;
  message_u32(message, SBX_TAG_ERRNO, &error);
  while (message_next(&cursor, &field))
    if (field.tag == SBX_TAG_STAGE) snprintf(stage, sizeof stage, "%.*s", (int)field.length, (const char *)field.bytes);
  if (process) {
    reply_failed(SBX_SPAWN, sandbox->id, process->id, (int)error, stage);
    *process = sandbox->processes[--sandbox->process_count];
  } else if (sandbox->state == STARTING) {
    reply_failed(SBX_CREATE, sandbox->id, 0, (int)error, stage);
    sandbox->state = DOOMED;
  } else if (sandbox->state == RESTARTING) {
    reply_failed(SBX_RESET, sandbox->id, 0, (int)error, stage);
    sandbox->state = BROKEN;
  }
}

// An init is our own code, but it shares a user with the code it runs: only what fits the state is believed.
void init_readable(struct sandbox *sandbox) {
  static uint8_t buffer[SBX_MAX_MESSAGE];
  int fds[SBX_MAX_FDS];
  unsigned fd_count;
  bool truncated;
  struct message message;
  ssize_t length = packet_receive(sandbox->nest.init, buffer, sizeof buffer, fds, &fd_count, &truncated);
  if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
  if (length <= 0) return watch_close(&sandbox->nest.init);   // its end is told by the pidfd
  uint32_t id = 0, status = 0, request = 0;
  struct process *process = NULL;
  if (!truncated && message_parse(&message, buffer, (size_t)length)) {
    message_u32(&message, SBX_TAG_PROCESS, &id);
    for (unsigned i = 0; i < sandbox->process_count; i++)
      if (sandbox->processes[i].id == id) process = &sandbox->processes[i];
    message_u32(&message, SBX_TAG_REQUEST, &request);
    bool rootless = options.isolation == ISOLATION_ROOTLESS;
    if (message.type == INIT_WARM) {}
    else if (message.type == SBX_CONNECTED && rootless && fd_count == 1) reply_connected(sandbox, id, fds[0]);
    else if (message.type == SBX_FAILED && rootless && request == SBX_CONNECT)
      reply_failed(SBX_CONNECT, sandbox->id, id, message_u32(&message, SBX_TAG_ERRNO, &status) ? (int)status : EIO,
          "connect");
    else if (message.type == INIT_READY) init_ready(sandbox, fds, fd_count);
    else if (message.type == INIT_JOINED) {
      message_u32(&message, SBX_TAG_ERRNO, &status);
      forked_joined(sandbox, status == 0);
    }
    else if (message.type == INIT_FOLLOWED && sandbox->grafting)
      graft_over(sandbox, message_u32(&message, SBX_TAG_ERRNO, &status) ? (int)status : EIO, "graft: follow");
    else if (message.type == SBX_FAILED && (!process || !process->started)) init_failed(sandbox, &message, process);
    else if (message.type == SBX_SPAWNED && process && !process->started) {
      process_started(sandbox, process);
    } else if (message.type == SBX_EXITED && process && process->started
        && message_u32(&message, SBX_TAG_STATUS, &status)) {
      process_ended(sandbox, process, status);
    } else kill_init(sandbox);
  }
  for (unsigned i = 0; i < fd_count; i++) close_fd(&fds[i]);
}

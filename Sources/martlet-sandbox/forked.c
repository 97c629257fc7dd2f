// The program of a sandbox that is forked from a zygote instead of executed. Whatever goes wrong before the fork has
// said that it runs, the program is executed: a zygote makes a start faster and is never a reason for a failure.
#include "sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

// The order holds secrets, and what is in the helper's memory is copied into every init that is made meanwhile:
// except this.
static uint8_t *secret_memory(size_t length) {
  uint8_t *bytes = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (bytes == MAP_FAILED) return NULL;
  madvise(bytes, length, MADV_WIPEONFORK);
  return bytes;
}

static void forget_pending(struct sandbox *sandbox) {
  struct pending *pending = sandbox->pending;
  if (!pending) return;
  sandbox->pending = NULL;
  munmap(pending->bytes, pending->length);
  close_fd(&pending->output);
  free(pending);
}

void forked_forget(struct sandbox *sandbox) {
  forget_pending(sandbox);
  hatchling_bury(&sandbox->nest.fork);
}

static struct process *process_of(struct sandbox *sandbox, uint32_t id) {
  for (unsigned i = 0; i < sandbox->process_count; i++)
    if (sandbox->processes[i].id == id) return &sandbox->processes[i];
  return NULL;
}

// Not forked, so executed.
static void fall_back(struct sandbox *sandbox) {
  struct pending *pending = sandbox->pending;
  hatchling_bury(&sandbox->nest.fork);
  if (!pending) return;
  figures[FORKS_FAILED]++;
  struct process *process = process_of(sandbox, pending->process);
  sandbox->pending = NULL;
  if (process) spawn_plainly(sandbox, process, pending->bytes, pending->length, pending->output);
  sandbox->pending = pending;
  forget_pending(sandbox);
}

// True if the order is kept and will be carried out, one way or the other.
bool forked_spawn(struct sandbox *sandbox, uint32_t process, const uint8_t *bytes, size_t length, int output) {
  struct message message;
  uint32_t zygote = 0;
  if (options.isolation != ISOLATION_FULL || sandbox->pending || sandbox->nest.fork.state >= ORDERED
      || !message_parse(&message, bytes, length) || !message_u32(&message, SBX_TAG_ZYGOTE, &zygote)) return false;
  bool has_fork = sandbox->nest.fork.state != NO_FORK && sandbox->nest.fork.zygote == zygote;
  bool is_snapshot = sandbox->nest.owner && snapshot_user(zygote) == sandbox->nest.owner;
  if (!has_fork && !is_snapshot && !zygote_is_up(zygote)) return false;
  struct pending *pending = calloc(1, sizeof *pending);
  if (!pending) return false;
  *pending = (struct pending){.process = process, .output = fcntl(output, F_DUPFD_CLOEXEC, 3), .length = length,
      .bytes = secret_memory(length)};
  if (pending->output < 0 || !pending->bytes) {
    close_fd(&pending->output);
    if (pending->bytes) munmap(pending->bytes, length);
    free(pending);
    return false;
  }
  memcpy(pending->bytes, bytes, length);
  if (sandbox->nest.fork.state != NO_FORK && !has_fork) hatchling_bury(&sandbox->nest.fork);
  sandbox->pending = pending;
  forked_proceed(sandbox);
  return true;
}

// The order as it came, with the limits that the fork sets itself, and what only now is there to be entered.
static int send_to(struct sandbox *sandbox, const struct pending *pending, const void *limits, size_t size,
    const int *fds, unsigned fd_count) {
  static uint8_t bytes[SBX_MAX_MESSAGE + 32];
  memcpy(bytes, pending->bytes, pending->length);
  memcpy(bytes + pending->length, limits, size);
  ssize_t sent = packet_send(sandbox->nest.fork.channel, bytes, pending->length + size, fds, fd_count, MSG_DONTWAIT);
  explicit_bzero(bytes, pending->length);
  return sent < 0 ? -1 : 0;
}

static int send_order(struct sandbox *sandbox) {
  struct pending *pending = sandbox->pending;
  const uint32_t limits[] = {SBX_TAG_NOFILE, 4, sandbox->spec->nofile, SBX_TAG_PIDS, 4, sandbox->spec->pids + 1};
  int fds[3] = {pending->output, -1, -1};
  char path[64];
  if (sandbox->nest.owner) return send_to(sandbox, pending, limits, sizeof limits, fds, 1);   // it has entered them
  snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)sandbox->nest.pid);
  fds[1] = open(path, O_RDONLY | O_CLOEXEC);
  snprintf(path, sizeof path, "/proc/%d/ns/user", (int)sandbox->nest.pid);
  fds[2] = open(path, O_RDONLY | O_CLOEXEC);
  int result = -1;
  if (fds[1] >= 0 && fds[2] >= 0) result = send_to(sandbox, pending, limits, sizeof limits, fds, 3);
  close_fd(&fds[1]);
  close_fd(&fds[2]);
  return result;
}

// Does the next step, if its time has come: the init must have built the sandbox, and the fork be ready.
void forked_proceed(struct sandbox *sandbox) {
  struct hatchling *fork = &sandbox->nest.fork;
  struct message message;
  uint32_t zygote = 0;
  if (!sandbox->pending || sandbox->state != RUNNING) return;
  if (fork->state == NO_FORK) {
    if (!message_parse(&message, sandbox->pending->bytes, sandbox->pending->length)
        || !message_u32(&message, SBX_TAG_ZYGOTE, &zygote)
        || (sandbox->nest.owner ? snapshot_hatch(zygote, &sandbox->nest)
            : zygote_hatch(zygote, &sandbox->nest, false)) < 0)
      return fall_back(sandbox);
    figures[FORKS_MADE_LATE]++;
    watch_add(fork->channel, WATCH_FORK, sandbox->id, EPOLLIN);
  } else if (fork->state == PARKED) {
    if (send_order(sandbox) < 0) return fall_back(sandbox);
    fork->state = ORDERED;
  }
}

// The number that a process has in the innermost of its pid namespaces; 0.
static uint32_t inner_pid(pid_t pid) {
  char path[64], text[4096];
  snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
  read_text(path, text, sizeof text);
  char *line = strstr(text, "\nNSpid:"), *end = line ? strchr(line + 1, '\n') : NULL;
  if (!end) return 0;
  *end = 0;
  char *last = strrchr(line, '\t');
  return last ? (uint32_t)strtoul(last + 1, NULL, 10) : 0;
}

// Nobody puts itself into a cgroup who runs a tenant's code: with the right to it, it could put others there.
static int order_join(struct sandbox *sandbox) {
  static struct packet packet;
  struct hatchling *fork = &sandbox->nest.fork;
  int procs[ROLE_COUNT], into, sent = -1;
  fork->state = JOINING;
  packet_begin(&packet, INIT_JOIN, 0);
  packet_u32(&packet, SBX_TAG_PROCESS, inner_pid(fork->pid));
  unsigned count = cgroups_open_procs(&sandbox->nest.cgroups, procs, &into);
  for (unsigned i = 0; i < count; i++) packet_fd(&packet, procs[i]);
  int leaf = into < 0 ? -1 : openat(into, "cgroup.procs", O_WRONLY | O_CLOEXEC);
  if (leaf >= 0) packet_fd(&packet, leaf);
  if (sandbox->nest.init >= 0) sent = packet_send(sandbox->nest.init, packet.bytes, packet.length, packet.fds,
      packet.fd_count, MSG_DONTWAIT) < 0 ? -1 : 0;
  for (unsigned i = 0; i < packet.fd_count; i++) close(packet.fds[i]);
  close_fd(&into);
  return sent;
}

void forked_joined(struct sandbox *sandbox, bool good) {
  if (sandbox->nest.fork.state != JOINING) return;
  if (!good) return fall_back(sandbox);
  sandbox->nest.fork.state = PARKED;
  forked_proceed(sandbox);
}

void forked_readable(struct sandbox *sandbox) {
  struct hatchling *fork = &sandbox->nest.fork;
  uint32_t said = 0;
  if (fork->state == NO_FORK) return;
  if (!hatchling_hear(fork, &said)) {
    if (fork->state == STARTED) return watch_close(&fork->channel);
    return fall_back(sandbox);
  }
  if (said == FORK_PARKED && sandbox->nest.owner) {
    if (order_join(sandbox) < 0) fall_back(sandbox);
    return;
  }
  if (said == FORK_PARKED) forked_proceed(sandbox);
  if (said != FORK_STARTED) return;
  watch_close(&fork->channel);
  watch_add(fork->pidfd, WATCH_FORK_END, sandbox->id, EPOLLIN);
  struct process *process = sandbox->pending ? process_of(sandbox, sandbox->pending->process) : NULL;
  forget_pending(sandbox);
  if (!process) return;
  process->forked = true;
  process_started(sandbox, process);
}

// Its process is dead, and its parent is to say how it died.
void forked_exited(struct sandbox *sandbox) {
  struct hatchling *fork = &sandbox->nest.fork;
  if (fork->state != STARTED || fork->pidfd < 0) return;
  if (poll(&(struct pollfd){.fd = fork->pidfd, .events = POLLIN}, 1, 0) <= 0) return;
  epoll_forget(fork->pidfd);
  zygote_reap(fork, sandbox->id);
}

void forked_reaped(uint32_t id, uint32_t serial, uint32_t status) {
  struct sandbox *sandbox = id ? sandbox_find(id) : NULL;
  if (!sandbox || sandbox->nest.fork.state != STARTED || sandbox->nest.fork.serial != serial) return;
  watch_close(&sandbox->nest.fork.pidfd);
  hatchling_none(&sandbox->nest.fork);
  for (unsigned i = 0; i < sandbox->process_count; i++)
    if (sandbox->processes[i].forked) return process_ended(sandbox, &sandbox->processes[i], status);
}

void forked_signal(struct sandbox *sandbox, int number) {
  if (sandbox->nest.fork.state == STARTED && sandbox->nest.fork.pidfd >= 0)
    signal_behind(sandbox->nest.fork.pidfd, number);
}

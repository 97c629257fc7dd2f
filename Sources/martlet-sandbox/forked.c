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
  if (!has_fork && !zygote_is_up(zygote)) return false;
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
static int send_order(struct sandbox *sandbox) {
  static uint8_t bytes[SBX_MAX_MESSAGE + 32];
  struct pending *pending = sandbox->pending;
  const uint32_t limits[] = {SBX_TAG_NOFILE, 4, sandbox->spec->nofile, SBX_TAG_PIDS, 4, sandbox->spec->pids + 1};
  int fds[3] = {pending->output, -1, -1};
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)sandbox->nest.pid);
  fds[1] = open(path, O_RDONLY | O_CLOEXEC);
  snprintf(path, sizeof path, "/proc/%d/ns/user", (int)sandbox->nest.pid);
  fds[2] = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t sent = -1;
  if (fds[1] >= 0 && fds[2] >= 0) {
    memcpy(bytes, pending->bytes, pending->length);
    memcpy(bytes + pending->length, limits, sizeof limits);
    sent = packet_send(sandbox->nest.fork.channel, bytes, pending->length + sizeof limits, fds, 3, MSG_DONTWAIT);
    explicit_bzero(bytes, pending->length);
  }
  close_fd(&fds[1]);
  close_fd(&fds[2]);
  return sent < 0 ? -1 : 0;
}

// Does the next step, if its time has come: the init must have built the sandbox, and the fork be ready.
void forked_proceed(struct sandbox *sandbox) {
  struct hatchling *fork = &sandbox->nest.fork;
  struct message message;
  uint32_t zygote = 0;
  if (!sandbox->pending || sandbox->state != RUNNING) return;
  if (fork->state == NO_FORK) {
    if (!message_parse(&message, sandbox->pending->bytes, sandbox->pending->length)
        || !message_u32(&message, SBX_TAG_ZYGOTE, &zygote) || zygote_hatch(zygote, &sandbox->nest, false) < 0)
      return fall_back(sandbox);
    figures[FORKS_MADE_LATE]++;
    watch_add(fork->channel, WATCH_FORK, sandbox->id, EPOLLIN);
  } else if (fork->state == PARKED) {
    if (send_order(sandbox) < 0) return fall_back(sandbox);
    fork->state = ORDERED;
  }
}

void forked_readable(struct sandbox *sandbox) {
  struct hatchling *fork = &sandbox->nest.fork;
  uint32_t said = 0;
  if (fork->state == NO_FORK) return;
  if (!hatchling_hear(fork, &said)) {
    if (fork->state == STARTED) return watch_close(&fork->channel);
    return fall_back(sandbox);
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
    syscall(SYS_pidfd_send_signal, sandbox->nest.fork.pidfd, number, NULL, 0);
}

// martlet-sandbox: the one privileged process. It makes sandboxes for a server that needs no privilege, on orders that
// come over a socket. This file: the command line, and the loop.
#include "sandbox.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

struct options options = {
  .server = -1, .isolation = ISOLATION_FULL, .name = "", .uid_base = 2000000, .pool = 8, .patience = 60,
};
enum { QUIET_MS = 4 };
static int loop = -1;
static bool server_gone;
static char **arguments;
extern char **environ;

uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void close_fd(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

// When the host has no memory left, whoever runs a function goes before everybody else. Done with privilege, so the
// kernel lets nobody inside take it back. The helper stays where the server is, which may be below 0.
void oom_first(void) { write_text("/proc/self/oom_score_adj", "500"); }

int write_text(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t written = write(fd, text, strlen(text));
  int error = errno;
  close(fd);
  errno = error;
  return written < 0 ? -1 : 0;
}

ssize_t read_text(const char *path, char *text, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  size_t length = 0;
  text[0] = 0;
  if (fd < 0) return -1;
  for (ssize_t got; length < size - 1 && (got = read(fd, text + length, size - 1 - length)) > 0;) length += (size_t)got;
  close(fd);
  text[length] = 0;
  return (ssize_t)length;
}

// ---------------------------------------------------------------------------------------------- the loop

// An event carries the number of a sandbox, not a pointer: a late event of one that is gone finds nothing.
void watch_add(int fd, enum watch kind, uint32_t sandbox, uint32_t events) {
  struct epoll_event event = {.events = events, .data.u64 = (uint64_t)sandbox << 8 | kind};
  if (epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event) < 0 && epoll_ctl(loop, EPOLL_CTL_MOD, fd, &event) < 0) abort();
}

void epoll_forget(int fd) { epoll_ctl(loop, EPOLL_CTL_DEL, fd, NULL); }

// Removed before it is closed, because a fork that is becoming an init still holds a copy for a moment.
void watch_close(int *fd) {
  if (*fd >= 0) epoll_ctl(loop, EPOLL_CTL_DEL, *fd, NULL);
  close_fd(fd);
}

// Answers that the server has not read yet. While there are any, no further request is read: the queue stays short.
static struct waiting {
  struct waiting *next;
  size_t length;
  unsigned fd_count;
  int fds[SBX_MAX_FDS];
  uint8_t bytes[];
} *first, *last;

static void server_writable(void) {
  while (first) {
    ssize_t sent = packet_send(options.server, first->bytes, first->length, first->fds, first->fd_count, MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (sent < 0) server_gone = true;
    struct waiting *done = first;
    for (unsigned i = 0; i < done->fd_count; i++) close(done->fds[i]);
    first = done->next;
    free(done);
  }
  watch_add(options.server, WATCH_SERVER, 0, EPOLLIN | EPOLLRDHUP);
}

void server_reply(struct packet *packet) {
  if (report_hears(packet)) return;
  if (!first && packet_send(options.server, packet->bytes, packet->length, packet->fds, packet->fd_count,
      MSG_DONTWAIT) >= 0) return;
  if (!first && errno != EAGAIN && errno != EWOULDBLOCK) { server_gone = true; return; }
  struct waiting *waiting = malloc(sizeof *waiting + packet->length);
  if (!waiting) { server_gone = true; return; }
  *waiting = (struct waiting){.length = packet->length, .fd_count = packet->fd_count};
  for (unsigned i = 0; i < packet->fd_count; i++) waiting->fds[i] = fcntl(packet->fds[i], F_DUPFD_CLOEXEC, 3);
  memcpy(waiting->bytes, packet->bytes, packet->length);
  if (first) last->next = waiting;
  else first = waiting;
  last = waiting;
  watch_add(options.server, WATCH_SERVER, 0, EPOLLOUT);
}

static void server_readable(uint32_t events) {
  static uint8_t buffer[SBX_MAX_MESSAGE + 1];
  int fds[SBX_MAX_FDS];
  unsigned fd_count;
  bool truncated;
  ssize_t length = packet_receive(options.server, buffer, sizeof buffer, fds, &fd_count, &truncated);
  if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
  if (length < 0 || (length == 0 && events & (EPOLLHUP | EPOLLRDHUP))) { server_gone = true; return; }
  server_message(buffer, (size_t)length, fds, fd_count, truncated);
  for (unsigned i = 0; i < fd_count; i++) close(fds[i]);
  explicit_bzero(buffer, (size_t)length);   // environments hold secrets, and every init is a fork of this memory
}

// Handles one event, or none within the time. False if there was none.
bool loop_turn(int timeout_ms) {
  struct epoll_event event;
  int count = epoll_wait(loop, &event, 1, timeout_ms);
  if (count <= 0) return false;
  struct sandbox *sandbox = sandbox_find((uint32_t)(event.data.u64 >> 8));
  switch (event.data.u64 & 255) {
    case WATCH_SERVER: if (first) server_writable(); else server_readable(event.events); break;
    case WATCH_INIT: if (sandbox) init_readable(sandbox); break;
    case WATCH_PID: if (sandbox) init_exited(sandbox); break;
    case WATCH_NEST: nest_readable(); break;
    case WATCH_FORK: if (sandbox) forked_readable(sandbox); break;
    case WATCH_FORK_END: if (sandbox) forked_exited(sandbox); break;
    case WATCH_HATCHING: pool_hatching_readable(); break;
    case WATCH_ZYGOTE: zygote_readable((uint32_t)(event.data.u64 >> 8)); break;
    case WATCH_ZYGOTE_END: zygote_exited((uint32_t)(event.data.u64 >> 8)); break;
    case WATCH_SNAPSHOT: snapshot_readable((uint32_t)(event.data.u64 >> 8)); break;
    case WATCH_SNAPSHOT_END: snapshot_exited((uint32_t)(event.data.u64 >> 8)); break;
    case WATCH_ALARM: if (sandbox) memory_alarm(sandbox); break;
  }
  return true;
}

static void run(void) {
  watch_add(options.server, WATCH_SERVER, 0, EPOLLIN | EPOLLRDHUP);
  while (!server_gone) {
    int timeout = memory_clock(now_ms());
    if (sandbox_ends_slowly() && (timeout < 0 || timeout > QUIET_MS)) timeout = QUIET_MS;
    bool wanted = pool_wants_more();
    // Filling the pool is for quiet moments: not while an order is being carried out whose answer is due in a moment.
    if (!loop_turn(wanted && (timeout < 0 || timeout > QUIET_MS) ? QUIET_MS : timeout) && wanted) pool_fill();
  }
}

// ---------------------------------------------------------------------------------------------- start

// The command line and environment of the helper are visible in every fork of it: an init calls this.
void hide_command_line(void) {
  char *start = arguments[0], *end = start + strlen(start) + 1;
  for (char **argument = arguments + 1; *argument; argument++) if (*argument == end) end += strlen(end) + 1;
  memset(start, 0, (size_t)(end - start));
  memcpy(start, "init", (size_t)(end - start) > 5 ? 5 : 0);
}

static void clear_environment(void) {
  for (char **entry = environ; entry && *entry; entry++) memset(*entry, 0, strlen(*entry));
  static char *none[] = {NULL};
  environ = none;
}

static void add_directory(struct directories *list, const char *option, const char *path) {
  char resolved[PATH_MAX];
  if (!realpath(path, resolved)) {
    fprintf(stderr, "martlet-sandbox: %s %s: %s\n", option, path, strerror(errno));
    exit(2);
  }
  if (list->count == MAX_EXPOSED) { fprintf(stderr, "martlet-sandbox: too many %s\n", option); exit(2); }
  list->paths[list->count++] = strcmp(resolved, "/") == 0 ? strdup("") : strdup(resolved);
}

static const char help[] =
  "martlet-sandbox --fd N --isolation full|none --name INSTANCE [--uid-base N] [--pool N] [--patience SECONDS]\n"
  "    [--expose DIRECTORY]... [--writable DIRECTORY]...\n"
  "    Serve sandboxes over the SOCK_SEQPACKET socket N until it is closed. Started by the server, with privilege.\n"
  "    Waits up to 60 seconds (--patience) for an instance of the same name to end.\n"
  "martlet-sandbox --report [--isolation full|none]\n"
  "    Try every guarantee on this host and print: name TAB yes|no TAB how it was checked.\n";

static uint32_t number(const char *text, uint32_t low, uint32_t high) {
  char *end;
  errno = 0;
  unsigned long value = strtoul(text, &end, 10);
  if (errno || *text < '0' || *text > '9' || *end || value < low || value > high) {
    fprintf(stderr, "martlet-sandbox: bad number %s\n%s", text, help);
    exit(2);
  }
  return (uint32_t)value;
}

static bool valid_name(const char *name) {
  size_t length = strlen(name);
  return length >= 1 && length <= 40 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static bool parse_arguments(int argc, char **argv) {
  bool report = false;
  for (int i = 1; i < argc; i++) {
    const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (strcmp(name, "--help") == 0) { fputs(help, stdout); exit(0); }
    if (strcmp(name, "--report") == 0) { report = true; continue; }
    if (!value) goto wrong;
    i++;
    if (strcmp(name, "--fd") == 0) options.server = (int)number(value, 0, 1 << 20);
    else if (strcmp(name, "--name") == 0 && valid_name(value)) strcpy(options.name, value);
    else if (strcmp(name, "--uid-base") == 0) options.uid_base = number(value, 1000, 4000000000u);
    else if (strcmp(name, "--pool") == 0) options.pool = number(value, 0, 1024);
    else if (strcmp(name, "--patience") == 0) options.patience = number(value, 0, 3600);
    else if (strcmp(name, "--expose") == 0) add_directory(&options.exposed, name, value);
    else if (strcmp(name, "--writable") == 0) add_directory(&options.writable, name, value);
    else if (strcmp(name, "--isolation") == 0 && strcmp(value, "none") == 0) options.isolation = ISOLATION_NONE;
    else if (strcmp(name, "--isolation") != 0 || strcmp(value, "full") != 0) goto wrong;
  }
  if (report) snprintf(options.name, sizeof options.name, "report-%d", (int)getpid());
  if (options.name[0] && (report || options.server >= 0)) return report;
wrong:
  fputs(help, stderr);
  exit(2);
}

static void die(const char *what) {
  fprintf(stderr, "martlet-sandbox: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void prepare(void) {
  struct sigaction ignore = {.sa_handler = SIG_IGN}, usual = {.sa_handler = SIG_DFL};
  // the server decides our end, by its socket
  static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT};
  for (int number = 1; number < 65; number++) sigaction(number, &usual, NULL);   // whatever we were started with
  for (unsigned i = 0; i < sizeof ignored / sizeof *ignored; i++) sigaction(ignored[i], &ignore, NULL);
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  clear_environment();
  if (options.isolation == ISOLATION_FULL && geteuid() != 0) options.isolation = ISOLATION_ROOTLESS;
  if (options.server >= 0) fcntl(options.server, F_SETFD, FD_CLOEXEC);
  if (options.isolation == ISOLATION_NONE) return;
  if (seccomp_compile() < 0) die("seccomp filter");
  if (options.isolation == ISOLATION_ROOTLESS) return;
  prctl(PR_SET_CHILD_SUBREAPER, 1);   // what a dead zygote leaves behind is ours to bury
  if (network_start() < 0) die("network");
  if (cgroups_start() < 0 || slowly_start() < 0) die("cgroups (does another instance of this name run, and not end?)");
}

int main(int argc, char **argv) {
  arguments = argv;
  bool report = parse_arguments(argc, argv);
  prepare();
  if ((loop = epoll_create1(EPOLL_CLOEXEC)) < 0) die("epoll");
  report_collect(report);
  if (report) report_print();
  else run();
  sandbox_destroy_all();
  network_outbound_stop();
  slowly_stop();
  if (options.isolation == ISOLATION_FULL) cgroups_stop();
  return 0;
}

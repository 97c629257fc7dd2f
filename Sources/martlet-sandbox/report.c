// What holds on this host, each guarantee by trying it: a probe sandbox is made by the ordinary path, and its init is
// told to look around (probe_inside). At every start the quick checks run; `--report` also spends memory, processes
// and time.
#include "sandbox.h"

#include <sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>

enum { PROBE_QUICK = 1, PROBE_PROCESSES, PROBE_MEMORY, PROBE_CPU };
enum { PROBE_MEMORY_BYTES = 32 << 20, PROBE_TMP_BYTES = 1 << 20, PROBE_PIDS = 8, PROBE_NOFILE = 32 };

static struct guarantee { const char *name; bool holds; char how[160]; } guarantees[] = {
  {.name = "user namespace"}, {.name = "pid namespace"}, {.name = "mount namespace"}, {.name = "network namespace"},
  {.name = "ipc namespace"}, {.name = "uts namespace"}, {.name = "cgroup namespace"}, {.name = "read-only root"},
  {.name = "own uid"}, {.name = "no capabilities"}, {.name = "no new privileges"}, {.name = "seccomp allow-list"},
  {.name = "memory limit"}, {.name = "cpu limit"}, {.name = "process limit"}, {.name = "descriptor limit"},
  {.name = "/tmp size limit"}, {.name = "freezing"}, {.name = "outbound network"}};
enum { GUARANTEES = sizeof guarantees / sizeof *guarantees };
static const char *const namespaces[] = {"user", "pid", "mnt", "net", "ipc", "uts", "cgroup"};
static ino_t host_namespaces[7];
static uint32_t heard;               // type of the last answer while a probe runs; 0: none yet
static bool listening;
static char heard_stage[128];
static uint32_t heard_error;

static void conclude(const char *name, bool holds, const char *how) {
  for (int i = 0; i < GUARANTEES; i++) {
    if (strcmp(guarantees[i].name, name) != 0) continue;
    guarantees[i].holds = holds;
    snprintf(guarantees[i].how, sizeof guarantees[i].how, "%.150s", how);
  }
}

static ino_t namespace_of(const char *name) {
  char path[64];
  struct stat facts;
  snprintf(path, sizeof path, "/proc/self/ns/%s", name);
  return stat(path, &facts) < 0 ? 0 : facts.st_ino;
}

// ---------------------------------------------------------------------------------------------- inside

static void say(int out, const char *name, bool holds, const char *how) {
  dprintf(out, "%s\t%s\t%s\n", name, holds ? "yes" : "no", how);
}

static bool status_is_zero(const char *field) {
  char text[8192];
  if (read_text("/proc/self/status", text, sizeof text) < 0) return false;
  const char *line = strstr(text, field);
  return line && strtoull(line + strlen(field), NULL, 16) == 0;
}

static void probe_quick(int out) {
  char name[40], text[128];
  for (int i = 0; i < 7; i++) {
    ino_t here = namespace_of(namespaces[i]);
    snprintf(name, sizeof name, "%s namespace", strcmp(namespaces[i], "mnt") == 0 ? "mount"
             : strcmp(namespaces[i], "net") == 0 ? "network" : namespaces[i]);
    say(out, name, here != 0 && here != host_namespaces[i], "a probe compared its namespace with the host's");
  }
  say(out, "read-only root", mkdir("/probe", 0700) < 0 && errno == EROFS, "a probe could not make a directory in /");
  unsigned inside = 0, outside = 0;
  read_text("/proc/self/uid_map", text, sizeof text);
  sscanf(text, "%u %u", &inside, &outside);
  bool own = inside == UID_INSIDE && getuid() == UID_INSIDE && outside >= options.uid_base
      && outside < options.uid_base + MAX_SANDBOXES;
  say(out, "own uid", own, own ? "a probe ran as its own uid of the host's"
      : "sandboxes share the uid of the sandbox process");
  bool none = status_is_zero("\nCapEff:") && status_is_zero("\nCapPrm:") && status_is_zero("\nCapBnd:")
      && status_is_zero("\nCapAmb:");
  say(out, "no capabilities", none, "a probe read its capability sets");
  say(out, "no new privileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "a probe asked prctl");
  bool filtered = unshare(CLONE_NEWUSER) < 0 && errno == EPERM;
  filtered = filtered && socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == EAFNOSUPPORT;
  filtered = filtered && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2;
  say(out, "seccomp allow-list", filtered, "unshare and a packet socket were refused to a probe");
  struct statfs tmp;
  bool sized = statfs("/tmp", &tmp) == 0 && (uint64_t)tmp.f_blocks * (uint64_t)tmp.f_bsize == PROBE_TMP_BYTES;
  int file = open("/tmp/probe", O_CREAT | O_WRONLY, 0600);
  sized = sized && file >= 0 && posix_fallocate(file, 0, PROBE_TMP_BYTES * 2) == ENOSPC;
  say(out, "/tmp size limit", sized, "a probe could not write past it");
  init_limit_files();
  int count = 0;
  while (count < PROBE_NOFILE * 2 && dup(0) >= 0) count++;
  say(out, "descriptor limit", count < PROBE_NOFILE && errno == EMFILE, "a probe could not open more");
}

static void probe_processes(int out) {
  int forks = 0, error = 0;
  while (forks < PROBE_PIDS * 2 && !error) {
    pid_t pid = fork();
    if (pid == 0) for (;;) pause();
    if (pid < 0) error = errno;
    else forks++;
  }
  say(out, "process limit", error == EAGAIN && forks < PROBE_PIDS, "a probe could not fork more");
}

static void probe_memory(void) {
  for (size_t done = 0; done < PROBE_MEMORY_BYTES * 2ul; done += 1 << 20) {
    char *block = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) return;
    memset(block, 1, 1 << 20);
  }
}

static void probe_cpu(int out) {
  uint64_t end = now_ms() + 100;
  while (now_ms() < end) {}
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  say(out, "cpu limit", used.tv_sec == 0 && used.tv_nsec < 50000000,
      "a probe with a twentieth of a core was slowed down");
}

_Noreturn void probe_inside(int out, uint32_t kind) {
  switch (kind) {
    case PROBE_QUICK: probe_quick(out); break;
    case PROBE_PROCESSES: probe_processes(out); break;
    case PROBE_MEMORY: probe_memory(); dprintf(out, "survived\n"); break;
    case PROBE_CPU: probe_cpu(out); break;
  }
  if (kind == PROBE_PROCESSES) {   // its children would hold the pipe open
    kill(-1, SIGKILL);
  }
  _exit(0);
}

// ---------------------------------------------------------------------------------------------- outside

// While a probe runs, the answers come here instead of to the server.
bool report_hears(const struct packet *packet) {
  if (!listening) return false;
  struct message message;
  struct field field;
  if (!message_parse(&message, packet->bytes, packet->length)) return true;
  heard = message.type;
  while (message_next(&message, &field)) {
    if (field.tag == SBX_TAG_ERRNO) field_u32(&field, &heard_error);
    if (field.tag == SBX_TAG_STAGE) snprintf(heard_stage, sizeof heard_stage, "%.*s", (int)field.length,
        (const char *)field.bytes);
  }
  return true;
}

static bool wait_to_hear(void) {
  uint64_t end = now_ms() + 3000;
  while (!heard && now_ms() < end) loop_turn(100);
  return heard != 0;
}

// Runs one probe to its end and returns what it wrote. The loop runs meanwhile, so that the memory limit is kept.
static ssize_t run_probe(struct sandbox *sandbox, uint32_t kind, char *text, size_t size) {
  struct packet packet;
  int ends[2];
  size_t length = 0;
  text[0] = 0;
  if (pipe2(ends, O_CLOEXEC) < 0) return -1;
  packet_begin(&packet, INIT_PROBE, kind);
  packet_send(sandbox->nest.init, packet.bytes, packet.length, &ends[1], 1, 0);
  close(ends[1]);
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  for (uint64_t end = now_ms() + 3000; now_ms() < end && length < size - 1;) {
    ssize_t got = read(ends[0], text + length, size - 1 - length);
    if (got == 0) break;
    if (got > 0) { length += (size_t)got; continue; }
    int wait = memory_clock(now_ms());
    while (loop_turn(0)) {}
    poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, wait >= 0 && wait < 5 ? wait : 5);
  }
  text[length] = 0;
  close(ends[0]);
  return (ssize_t)length;
}

static void read_lines(char *text) {
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
    char *holds = strchr(line, '\t'), *how = holds ? strchr(holds + 1, '\t') : NULL;
    if (!how) continue;
    *holds = *how = 0;
    conclude(line, strcmp(holds + 1, "yes") == 0, how + 1);
  }
}

static bool try_freezing(struct sandbox *sandbox) {
  bool v2 = cgroup_is_v2(ROLE_FREEZE), frozen = false;
  char text[256] = "";
  if (sandbox->nest.cgroups.freeze < 0
      || pwrite(sandbox->nest.cgroups.freeze, v2 ? "1" : "FROZEN", v2 ? 1 : 6, 0) < 0) return false;
  int state = cgroups_open(&sandbox->nest.cgroups, ROLE_FREEZE, v2 ? "cgroup.events" : "freezer.state", O_RDONLY);
  for (int i = 0; i < 200 && !frozen && state >= 0; i++) {
    ssize_t length = pread(state, text, sizeof text - 1, 0);
    text[length > 0 ? length : 0] = 0;
    frozen = strstr(text, v2 ? "frozen 1" : "FROZEN") != NULL;
    if (!frozen) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
  close_fd(&state);
  cgroups_thaw(&sandbox->nest.cgroups);
  return frozen;
}

static void conclude_cgroup(const char *name, enum role role) {
  if (cgroup_served(role)) conclude(name, true, cgroup_is_v2(role) ? "set through cgroup v2" : "set through cgroup v1");
  else conclude(name, false, "no cgroup hierarchy of this host serves it");
}

static void probe_deeply(struct sandbox *sandbox, char *text, size_t size) {
  run_probe(sandbox, PROBE_PROCESSES, text, size);
  read_lines(text);
  if (cgroup_served(ROLE_CPU)) {
    const char *low = cgroup_is_v2(ROLE_CPU) ? "1000 20000" : "1000", *off = cgroup_is_v2(ROLE_CPU) ? "max 20000"
        : "-1";
    bool set = pwrite(sandbox->nest.cgroups.cpu, low, strlen(low), 0) > 0;
    run_probe(sandbox, PROBE_CPU, text, size);
    read_lines(text);
    if (!set || pwrite(sandbox->nest.cgroups.cpu, off, strlen(off), 0) < 0) conclude("cpu limit", false,
        "the quota could not be written");
  }
  conclude("freezing", try_freezing(sandbox), "a probe was frozen and thawed");
  if (cgroup_served(ROLE_MEMORY)) {
    run_probe(sandbox, PROBE_MEMORY, text, size);
    bool killed = text[0] == 0 && (sandbox->oom || cgroups_oom_kills(&sandbox->nest.cgroups) > sandbox->oom_before);
    conclude("memory limit", killed, "a probe that used twice its memory was killed");
  }
}

static size_t put(uint8_t *at, uint32_t tag, const void *bytes, uint32_t length) {
  memcpy(at, &tag, 4);
  memcpy(at + 4, &length, 4);
  memcpy(at + 8, bytes, length);
  return 8 + length;
}

static struct sandbox *probe_sandbox(void) {
  uint8_t message[256];
  uint32_t header[2] = {SBX_CREATE, UINT32_MAX}, cpu = 1000, pids = PROBE_PIDS, files = PROBE_NOFILE;
  uint64_t memory = PROBE_MEMORY_BYTES, tmp = PROBE_TMP_BYTES;
  size_t length = 8;
  memcpy(message, header, 8);
  length += put(message + length, SBX_TAG_MEMORY, &memory, 8);
  length += put(message + length, SBX_TAG_TMP, &tmp, 8);
  length += put(message + length, SBX_TAG_CPU, &cpu, 4);
  length += put(message + length, SBX_TAG_PIDS, &pids, 4);
  length += put(message + length, SBX_TAG_NOFILE, &files, 4);
  heard = 0;
  server_message(message, length, NULL, 0, false);
  return wait_to_hear() && heard == SBX_CREATED ? sandbox_find(UINT32_MAX) : NULL;
}

// Nothing holds where no sandbox can be made. One that only took too long says nothing about the host.
static void conclude_failure(void) {
  char how[160];
  if (heard != SBX_FAILED) {
    fprintf(stderr, "martlet-sandbox: the probe sandbox took too long\n");
    return;
  }
  bool is_forbidden = strcmp(heard_stage, "user namespace") == 0 && (heard_error == EPERM || heard_error == ENOSPC);
  snprintf(how, sizeof how, "the probe failed: %.60s: %.40s%s", heard_stage, strerror((int)heard_error),
      is_forbidden ? " (a chroot, a container or a sysctl forbids it)" : "");
  for (int i = 0; i < GUARANTEES; i++) conclude(guarantees[i].name, false, how);
}

void report_collect(bool deep) {
  char text[8192];
  for (int i = 0; i < GUARANTEES; i++)
    conclude(guarantees[i].name, false, options.isolation == ISOLATION_NONE ? "started with --isolation none"
        : "the probe failed");
  if (options.isolation == ISOLATION_NONE) return;
  for (int i = 0; i < 7; i++) host_namespaces[i] = namespace_of(namespaces[i]);
  conclude_cgroup("memory limit", ROLE_MEMORY);
  conclude_cgroup("cpu limit", ROLE_CPU);
  conclude_cgroup("process limit", ROLE_PIDS);
  conclude_cgroup("freezing", ROLE_FREEZE);
  bool outbound = network_outbound_works(deep, text, sizeof text);
  conclude("outbound network", outbound, text);
  listening = true;
  struct sandbox *sandbox = probe_sandbox();
  if (sandbox) {
    run_probe(sandbox, PROBE_QUICK, text, sizeof text);
    read_lines(text);
    if (deep && options.isolation == ISOLATION_FULL) probe_deeply(sandbox, text, sizeof text);
    uint32_t destroy[2] = {SBX_DESTROY, UINT32_MAX};
    heard = 0;
    server_message((uint8_t *)destroy, sizeof destroy, NULL, 0, false);
    for (uint64_t end = now_ms() + 3000; heard != SBX_DESTROYED && now_ms() < end;) loop_turn(100);
  } else {
    conclude_failure();
  }
  listening = false;
}

void report_add_to(struct packet *packet) {
  char line[256];
  for (int i = 0; i < GUARANTEES; i++) {
    snprintf(line, sizeof line, "%s\t%s\t%s", guarantees[i].name, guarantees[i].holds ? "yes" : "no",
        guarantees[i].how);
    packet_text(packet, SBX_TAG_GUARANTEE, line);
  }
}

void report_print(void) {
  for (int i = 0; i < GUARANTEES; i++)
    printf("%s\t%s\t%s\n", guarantees[i].name, guarantees[i].holds ? "yes" : "no", guarantees[i].how);
}

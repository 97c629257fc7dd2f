// cgroups: which hierarchy of this host serves which limit (decided purely from two texts, so that hosts which are not
// ours can be tested), and one set of directories per sandbox below `martlet-INSTANCE` at the root of each hierarchy.
//
// v1 and v2 can both be mounted. v2's own files (cgroup.kill, cgroup.freeze) work there even if v1 holds the
// controllers.
#include "sandbox.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

// nothing, before cgroups_start and without it
struct cgroup_plan cgroup_plan = {.directory_of = {-1, -1, -1, -1, -1}};
static int parents[ROLE_COUNT] = {-1, -1, -1, -1, -1};   // descriptors of `martlet-INSTANCE`; flock of [0] = "in use"
static uint64_t sequence;

// ---------------------------------------------------------------------------------------------- the pure part

static bool word_in(const char *word, const char *list, char separator) {
  size_t length = strlen(word);
  for (const char *at = list; at && *at;) {
    const char *next = at;
    while (*next && *next != separator && *next != '\n') next++;
    if ((size_t)(next - at) == length && memcmp(at, word, length) == 0) return true;
    at = *next ? next + 1 : NULL;
  }
  return false;
}

// One line of mountinfo: mount point, type, and the options of the file system. False at the end of the text.
static bool next_mount(const char **text, char point[256], char type[32], char super[256]) {
  while (**text) {
    char line[2048];
    size_t length = strcspn(*text, "\n"), kept = length < sizeof line ? length : sizeof line - 1;
    memcpy(line, *text, kept);
    line[kept] = 0;
    *text += length + (*(*text + length) == '\n');
    char *rest = strstr(line, " - ");
    if (rest && sscanf(line, "%*s %*s %*s %*s %255s", point) == 1
        && sscanf(rest + 3, "%31s %*s %255s", type, super) == 2) return true;
  }
  return false;
}

bool cgroup_find_v2(const char *mountinfo, char *path, size_t size) {
  char point[256], type[32], super[256];
  while (next_mount(&mountinfo, point, type, super))
    if (strcmp(type, "cgroup2") == 0) return snprintf(path, size, "%s", point) < (int)size;
  return false;
}

static bool find_v1(const char *mountinfo, const char *controller, char point[256]) {
  char type[32], super[256];
  while (next_mount(&mountinfo, point, type, super))
    if (strcmp(type, "cgroup") == 0 && word_in(controller, super, ',')) return true;
  return false;
}

static int plan_directory(struct cgroup_plan *plan, const char *path, bool v2) {
  for (unsigned i = 0; i < plan->directory_count; i++)
    if (strcmp(plan->directories[i].path, path) == 0) return (int)i;
  unsigned i = plan->directory_count++;
  snprintf(plan->directories[i].path, sizeof plan->directories[i].path, "%s", path);
  plan->directories[i].v2 = v2;
  return (int)i;
}

// v2 wins where it has the controller. Freezing and killing want v2 in any case; v1's freezer is the second best
// (a task frozen by it does not even die before it is thawed), and v1 has no way to kill a group.
void cgroup_make_plan(struct cgroup_plan *plan, const char *mountinfo, const char *v2_controllers) {
  static const char *const controllers[] = {[ROLE_MEMORY] = "memory", [ROLE_CPU] = "cpu", [ROLE_PIDS] = "pids"};
  char v2[256], v1[256];
  bool has_v2 = cgroup_find_v2(mountinfo, v2, sizeof v2);
  memset(plan, 0, sizeof *plan);
  for (int role = 0; role < ROLE_COUNT; role++) plan->directory_of[role] = -1;
  if (has_v2) plan->directory_of[ROLE_FREEZE] = plan->directory_of[ROLE_KILL] = plan_directory(plan, v2, true);
  for (int role = ROLE_MEMORY; role <= ROLE_PIDS; role++) {
    if (has_v2 && word_in(controllers[role], v2_controllers, ' '))
      plan->directory_of[role] = plan_directory(plan, v2, true);
    else if (find_v1(mountinfo, controllers[role], v1)) plan->directory_of[role] = plan_directory(plan, v1, false);
  }
  if (!has_v2 && find_v1(mountinfo, "freezer", v1)) plan->directory_of[ROLE_FREEZE] = plan_directory(plan, v1, false);
}

// ---------------------------------------------------------------------------------------------- start and end

bool cgroup_served(enum role role) { return cgroup_plan.directory_of[role] >= 0; }
bool cgroup_is_v2(enum role role) {
  return cgroup_served(role) && cgroup_plan.directories[cgroup_plan.directory_of[role]].v2;
}

static int write_at(int directory, const char *file, const char *text) {
  int fd = openat(directory, file, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t written = write(fd, text, strlen(text));
  int error = errno;
  close(fd);
  errno = error;
  return written < 0 ? -1 : 0;
}

// Kills what a crashed predecessor left in one cgroup and removes it. Bounded: gives up after two seconds.
static void remove_stale(int parent, const char *name, bool v2) {
  for (int attempt = 0; attempt < 400; attempt++) {
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return;
    int directory = openat(parent, name, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    if (directory < 0) return;
    if (!v2) write_at(directory, "freezer.state", "THAWED");
    if (!v2 || write_at(directory, "cgroup.kill", "1") < 0) {
      int procs = openat(directory, "cgroup.procs", O_RDONLY | O_CLOEXEC);
      FILE *list = procs < 0 ? NULL : fdopen(procs, "r");
      int pid;
      while (list && fscanf(list, "%d", &pid) == 1) if (pid > 1) kill(pid, SIGKILL);
      if (list) fclose(list);
    }
    close(directory);
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
  }
}

static void clean(int parent, bool v2) {
  int copy = openat(parent, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
  DIR *list = copy < 0 ? NULL : fdopendir(copy);
  if (!list) return;
  for (struct dirent *entry; (entry = readdir(list));)
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.') remove_stale(parent, entry->d_name, v2);
  closedir(list);
}

// Two helpers of one name would kill each other's sandboxes. The lock dies with its holder, however that ends. One that
// has lost its server ends its sandboxes first, which takes seconds if they are many or the host is busy. -1 with EBUSY
// after `options.patience`, with EPIPE as soon as our own server is gone.
static int take_lock(int directory) {
  static uint64_t began;
  static bool told;
  if (!began) began = now_ms();
  while (flock(directory, LOCK_EX | LOCK_NB) < 0) {
    uint64_t waited = now_ms() - began;
    if (waited >= options.patience * 1000ull) { errno = EBUSY; return -1; }
    if (waited >= 1000 && !told)
      fprintf(stderr, "martlet-sandbox: waits for the sandboxes of the instance before, martlet-%s, to end: "
          "%u s at most\n", options.name, options.patience);
    told |= waited >= 1000;
    struct pollfd server = {.fd = options.server};   // nothing is asked of it: that it is gone is told in any case
    if (poll(&server, 1, 10) > 0) { errno = EPIPE; return -1; }
  }
  return 0;
}

// Opens and locks `martlet-INSTANCE`, made if need be. A helper that is just ending removes that directory with the
// lock in its hand, so a lock counts only if the directory still has its name. -1 with EBUSY: another helper lives;
// with EPIPE: nobody waits for this one any more; with anything else: this host serves nothing here.
static int open_parent(const char *path) {
  for (int attempt = 0; attempt < 20; attempt++) {
    struct stat named, locked;
    if (mkdir(path, 0755) < 0 && errno != EEXIST) return -1;
    int directory = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    if (directory < 0 && errno == ENOENT) continue;
    if (directory < 0) return -1;
    if (take_lock(directory) < 0) {
      int error = errno;
      close_fd(&directory);
      errno = error;
      return -1;
    }
    if (stat(path, &named) == 0 && fstat(directory, &locked) == 0 && named.st_ino == locked.st_ino) return directory;
    close_fd(&directory);
  }
  errno = EBUSY;
  return -1;
}

int cgroups_start(void) {
  static char mountinfo[65536], controllers[1024];
  char path[512];
  read_text("/proc/self/mountinfo", mountinfo, sizeof mountinfo);
  if (cgroup_find_v2(mountinfo, path, 256)) {
    strcat(path, "/cgroup.controllers");
    read_text(path, controllers, sizeof controllers);
  }
  cgroup_make_plan(&cgroup_plan, mountinfo, controllers);
  for (unsigned i = 0; i < cgroup_plan.directory_count; i++) {
    const char *root = cgroup_plan.directories[i].path;
    bool v2 = cgroup_plan.directories[i].v2;
    snprintf(path, sizeof path, "%s/martlet-%s", root, options.name);
    if ((parents[i] = open_parent(path)) < 0 && (errno == EBUSY || errno == EPIPE)) return -1;
    if (parents[i] < 0) {   // mounted read-only, say: this host serves nothing here, and the report says so
      for (int role = 0; role < ROLE_COUNT; role++)
        if (cgroup_plan.directory_of[role] == (int)i) cgroup_plan.directory_of[role] = -1;
      continue;
    }
    clean(parents[i], v2);
    for (int role = ROLE_MEMORY; v2 && role <= ROLE_PIDS; role++) {
      static const char *const enable[] = {"+memory", "+cpu", "+pids"};
      if (cgroup_plan.directory_of[role] != (int)i) continue;
      snprintf(path, sizeof path, "%s/cgroup.subtree_control", root);
      if (write_text(path, enable[role]) < 0 || write_at(parents[i], "cgroup.subtree_control", enable[role]) < 0)
        cgroup_plan.directory_of[role] = -1;
    }
  }
  return 0;
}

void cgroups_stop(void) {
  char path[512];
  for (unsigned i = 0; i < cgroup_plan.directory_count; i++) {
    if (parents[i] < 0) continue;
    clean(parents[i], cgroup_plan.directories[i].v2);
    snprintf(path, sizeof path, "%s/martlet-%s", cgroup_plan.directories[i].path, options.name);
    rmdir(path);
    close_fd(&parents[i]);
  }
}

// ---------------------------------------------------------------------------------------------- one set

void cgroups_none(struct cgroups *groups) { *groups = (struct cgroups){"", -1, -1, -1, -1, -1, -1, -1, -1, false}; }

int cgroups_open(const struct cgroups *groups, enum role role, const char *file, int flags) {
  char path[128];
  if (!groups->name[0] || !cgroup_served(role)) { errno = ENOENT; return -1; }
  snprintf(path, sizeof path, "%s/%s", groups->name, file);
  return openat(parents[cgroup_plan.directory_of[role]], path, flags | O_CLOEXEC);
}

static int set(const struct cgroups *groups, enum role role, const char *file, const char *text) {
  int fd = cgroups_open(groups, role, file, O_WRONLY);
  if (fd < 0) return -1;
  ssize_t written = write(fd, text, strlen(text));
  int error = errno;
  close(fd);
  errno = error;
  return written < 0 ? -1 : 0;
}

// Makes the directories and opens what stays open. Everything that does not depend on the limits, so it can be pooled.
int cgroups_make(struct cgroups *groups) {
  cgroups_none(groups);
  snprintf(groups->name, sizeof groups->name, "s%llu", (unsigned long long)++sequence);
  for (unsigned i = 0; i < cgroup_plan.directory_count; i++)
    if (parents[i] >= 0 && mkdirat(parents[i], groups->name, 0755) < 0) {
      int error = errno;
      cgroups_remove(groups);
      errno = error;
      return -1;
    }
  if (cgroup_served(ROLE_FREEZE))
    groups->freeze = cgroups_open(groups, ROLE_FREEZE, cgroup_is_v2(ROLE_FREEZE) ? "cgroup.freeze" : "freezer.state",
        O_WRONLY);
  if (cgroup_served(ROLE_KILL)) groups->kill = cgroups_open(groups, ROLE_KILL, "cgroup.kill", O_WRONLY);
  if (cgroup_served(ROLE_CPU)) {
    bool v2 = cgroup_is_v2(ROLE_CPU);
    if (!v2) set(groups, ROLE_CPU, "cpu.cfs_period_us", "20000");
    groups->cpu = cgroups_open(groups, ROLE_CPU, v2 ? "cpu.max" : "cpu.cfs_quota_us", O_WRONLY);
    groups->idle = cgroups_open(groups, ROLE_CPU, "cpu.idle", O_WRONLY);   // from 5.15 on, in both
  }
  if (cgroup_served(ROLE_MEMORY)) {
    bool v2 = cgroup_is_v2(ROLE_MEMORY);
    groups->usage = cgroups_open(groups, ROLE_MEMORY, v2 ? "memory.current" : "memory.usage_in_bytes", O_RDONLY);
    groups->peak = cgroups_open(groups, ROLE_MEMORY, v2 ? "memory.peak" : "memory.max_usage_in_bytes", O_RDONLY);
    groups->oom = cgroups_open(groups, ROLE_MEMORY, v2 ? "memory.events" : "memory.oom_control", O_RDONLY);
    // before 5.19
    if (v2 && groups->peak < 0) groups->peak = cgroups_open(groups, ROLE_MEMORY, "memory.current", O_RDONLY);
  }
  return 0;
}

// Arms the alarm at `level` bytes of usage: v1 has an eventfd for it; v2 raises an event on memory.events when
// memory.high is passed. Arming takes its time on v1, so until then the clock of sandbox.c watches.
int cgroups_arm(struct cgroups *groups, uint64_t level) {
  char text[64];
  if (cgroup_is_v2(ROLE_MEMORY)) {
    snprintf(text, sizeof text, "%llu", (unsigned long long)level);
    return set(groups, ROLE_MEMORY, "memory.high", text);
  }
  if (groups->alarm < 0) groups->alarm = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int control = cgroups_open(groups, ROLE_MEMORY, "cgroup.event_control", O_WRONLY);
  bool possible = groups->alarm >= 0 && control >= 0;
  groups->unarmed = possible && !slowly_arm(groups->alarm, groups->usage, control, level);
  int error = errno;
  close_fd(&control);
  errno = error;
  return possible ? 0 : -1;
}

// The kernel's own limit allows for a full /tmp; memory.c keeps the processes to `memory`.
int cgroups_limit(struct cgroups *groups, const struct spec *spec) {
  char text[32];
  if (cgroup_served(ROLE_PIDS)) {
    snprintf(text, sizeof text, "%u", spec->pids + 1);   // and init
    if (set(groups, ROLE_PIDS, "pids.max", text) < 0) return -1;
  }
  if (spec->yields && groups->idle >= 0 && pwrite(groups->idle, "1", 1, 0) < 0) close_fd(&groups->idle);
  if (!cgroup_served(ROLE_MEMORY)) return 0;
  snprintf(text, sizeof text, "%llu", (unsigned long long)(spec->memory + spec->tmp));
  if (cgroup_is_v2(ROLE_MEMORY)) {
    if (set(groups, ROLE_MEMORY, "memory.max", text) < 0) return -1;
    set(groups, ROLE_MEMORY, "memory.swap.max", "0");      // absent without swap accounting
    set(groups, ROLE_MEMORY, "memory.oom.group", "1");
    // its own, since reading clears an event
    groups->alarm = cgroups_open(groups, ROLE_MEMORY, "memory.events", O_RDONLY);
  } else {
    if (set(groups, ROLE_MEMORY, "memory.limit_in_bytes", text) < 0) return -1;
    set(groups, ROLE_MEMORY, "memory.memsw.limit_in_bytes", text);
  }
  return cgroups_arm(groups, spec->memory);
}

// What the new init must join: v1 directories by writing to `cgroup.procs`, the v2 leaf by being cloned into it.
unsigned cgroups_open_procs(const struct cgroups *groups, int fds[ROLE_COUNT], int *into) {
  unsigned count = 0;
  *into = -1;
  if (!groups->name[0]) return 0;
  for (unsigned i = 0; i < cgroup_plan.directory_count; i++) {
    char path[64];
    if (parents[i] < 0) continue;
    bool v2 = cgroup_plan.directories[i].v2;
    snprintf(path, sizeof path, "%s%s", groups->name, v2 ? "" : "/cgroup.procs");
    int fd = openat(parents[i], path, (v2 ? O_RDONLY | O_DIRECTORY : O_WRONLY) | O_CLOEXEC);
    if (v2) *into = fd;
    else fds[count++] = fd;
  }
  return count;
}

void cgroups_thaw(const struct cgroups *groups) {
  const char *text = cgroup_is_v2(ROLE_FREEZE) ? "0" : "THAWED";
  if (groups->freeze >= 0 && pwrite(groups->freeze, text, strlen(text), 0) < 0) return;   // nothing was frozen then
}

// Kills every process at once, frozen or not. False if the host cannot: then killing init must do.
bool cgroups_kill(const struct cgroups *groups) {
  if (groups->kill >= 0 && pwrite(groups->kill, "1", 1, 0) == 1) return true;
  cgroups_thaw(groups);
  return false;
}

// The same where no process 1 takes the others along: whatever is in there, and is forked meanwhile. False if some may
// live on.
bool cgroups_kill_members(const struct cgroups *groups) {
  if (cgroups_kill(groups)) return true;
  for (int attempt = 0; attempt < 200; attempt++) {
    int procs = -1, pid, count = 0;
    for (int role = 0; role < ROLE_COUNT && procs < 0; role++)
      procs = cgroups_open(groups, role, "cgroup.procs", O_RDONLY);
    FILE *list = procs < 0 ? NULL : fdopen(procs, "r");
    if (!list) { close_fd(&procs); return false; }
    for (; fscanf(list, "%d", &pid) == 1; count++) if (pid > 1) kill(pid, SIGKILL);
    fclose(list);
    if (count == 0) return true;
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
  return false;
}

// False while the kernel still holds a dying process in one of them.
bool cgroups_unlink(const char *name) {
  bool gone = true;
  for (unsigned i = 0; i < cgroup_plan.directory_count; i++)
    if (parents[i] >= 0 && unlinkat(parents[i], name, AT_REMOVEDIR) < 0 && errno != ENOENT) gone = false;
  return gone;
}

void cgroups_remove(struct cgroups *groups) {
  int *fds[] = {&groups->freeze, &groups->cpu, &groups->kill, &groups->peak, &groups->usage, &groups->oom,
      &groups->alarm, &groups->idle};
  for (unsigned i = 0; i < sizeof fds / sizeof *fds; i++) close_fd(fds[i]);
  if (groups->name[0] && !slowly_remove(groups->name)) cgroups_unlink(groups->name);
  groups->name[0] = 0;
}

uint64_t cgroups_oom_kills(const struct cgroups *groups) {
  char text[512];
  ssize_t length = groups->oom < 0 ? -1 : pread(groups->oom, text, sizeof text - 1, 0);
  if (length <= 0) return 0;
  text[length] = 0;
  for (char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
    if (strncmp(line, "oom_kill ", 9) == 0) return strtoull(line + 9, NULL, 10);
  return 0;
}

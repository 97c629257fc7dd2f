// What a sandbox gets when somebody's work comes to it that was made for nobody yet: mounts upon directories that were
// left empty for them. Its processes live on and see them at once.
#include "sandbox.h"

#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static const struct mount_entry *entry_at(const struct spec *spec, const char *target) {
  for (unsigned i = 0; i < spec->mount_count; i++)
    if (strcmp(spec->mounts[i].target, target) == 0) return &spec->mounts[i];
  return NULL;
}

// What cannot be changed any more must be the same, and whatever is new must have had its place kept.
static const char *difference(const struct spec *old, const struct spec *new) {
  if (old->memory != new->memory || old->tmp != new->tmp || old->cpu != new->cpu || old->pids != new->pids
      || old->nofile != new->nofile || old->network != new->network || strcmp(old->hostname, new->hostname) != 0)
    return "graft: other limits";
  if (old->listen_count != new->listen_count) return "graft: other listeners";
  for (unsigned i = 0; i < old->listen_count; i++)
    if (old->listen[i].port != new->listen[i].port || old->listen[i].kind != new->listen[i].kind)
      return "graft: other listeners";
  for (unsigned i = 0; i < old->mount_count; i++) {
    const struct mount_entry *entry = &old->mounts[i], *now = entry_at(new, entry->target);
    if (!now || (!spec_same_mount(entry, now) && (entry->kind != SBX_MOUNT_DIRECTORY || now->kind != SBX_MOUNT_BIND)))
      return "graft: other mounts";
  }
  for (unsigned i = 0; i < new->mount_count; i++)
    if (!entry_at(old, new->mounts[i].target)) return "graft: no place for a mount";
  return NULL;
}

// What the child does, who shares our memory and may therefore only make system calls.
struct graft { int namespace, count, mounts[MAX_GRAFTS], error; const char *targets[MAX_GRAFTS]; };

static int enter_and_attach(void *argument) {
  struct graft *graft = argument;
  struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
  if (setns(graft->namespace, CLONE_NEWNS) < 0) goto failed;
  for (int i = 0; i < graft->count; i++) {
    int target = (int)syscall(SYS_openat2, AT_FDCWD, graft->targets[i], &how, sizeof how);
    if (target < 0 || syscall(SYS_move_mount, graft->mounts[i], "", target, "",
        MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0) goto failed;
    close(target);
  }
  _exit(0);
failed:
  graft->error = errno;
  _exit(1);
}

// A process may change its mount namespace only if it shares its directories with nobody, so it is not we who enter.
static int attach_all(struct graft *graft) {
  static char stack[65536] __attribute__((aligned(16)));
  pid_t pid = clone(enter_and_attach, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, graft);
  if (pid < 0) return -1;
  int status;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
  errno = graft->error;
  return status == 0 ? 0 : -1;
}

static int open_all(struct graft *graft, const struct spec *old, const struct spec *new, uint32_t user, pid_t init) {
  char path[64];
  bool is_directory;
  snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)init);
  if ((graft->namespace = open(path, O_RDONLY | O_CLOEXEC)) < 0) return -1;
  for (unsigned i = 0; i < new->mount_count; i++) {
    const struct mount_entry *entry = &new->mounts[i];
    if (spec_same_mount(entry, entry_at(old, entry->target))) continue;
    errno = E2BIG;
    if (graft->count == MAX_GRAFTS) return -1;
    int mount = mounts_source(entry->source, false, user, &is_directory);
    if (mount < 0) return -1;
    graft->targets[graft->count] = entry->target;
    graft->mounts[graft->count++] = mount;
    errno = ENOTDIR;
    if (!is_directory) return -1;
  }
  return 0;
}

void sandbox_graft(struct sandbox *sandbox, const struct message *message) {
  const char *stage = "graft";
  if (sandbox->state != RUNNING || sandbox->grafting || options.isolation != ISOLATION_FULL)
    return reply_failed(SBX_GRAFT, sandbox->id, 0, EBUSY, stage);
  struct spec *spec = spec_read(message, &stage);
  if (!spec) return reply_failed(SBX_GRAFT, sandbox->id, 0, errno, stage);
  struct graft graft = {.namespace = -1};
  const char *different = difference(sandbox->spec, spec);
  int error = 0;
  if (different) {
    error = EINVAL;
    stage = different;
  } else {
    stage = "graft: open";
    if (open_all(&graft, sandbox->spec, spec, options.uid_base + sandbox->slot, sandbox->nest.pid) < 0) error = errno;
    else {
      stage = "graft: attach";
      if (attach_all(&graft) < 0) error = errno;
    }
  }
  for (int i = 0; i < graft.count; i++) close_fd(&graft.mounts[i]);
  close_fd(&graft.namespace);
  if (error) {
    spec_free(spec);
    return reply_failed(SBX_GRAFT, sandbox->id, 0, error, stage);
  }
  // A reset makes the sandbox anew, with all that it has now.
  spec_free(sandbox->spec);
  sandbox->spec = spec;
  sandbox->grafting = true;
  if (!sandbox->follows) return graft_over(sandbox, 0, NULL);
  const uint32_t order[2] = {INIT_FOLLOW, 0};
  if (sandbox->nest.init < 0) return graft_over(sandbox, ESRCH, "graft: follow");
  if (packet_send(sandbox->nest.init, order, sizeof order, NULL, 0, MSG_DONTWAIT) < 0)
    graft_over(sandbox, errno, "graft: follow");
}

// Answers, if that is due.
void graft_over(struct sandbox *sandbox, int error, const char *stage) {
  if (!sandbox->grafting) return;
  sandbox->grafting = false;
  if (error) reply_failed(SBX_GRAFT, sandbox->id, 0, error, stage);
  else reply_empty(SBX_GRAFTED, sandbox->id);
}

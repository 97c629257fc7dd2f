// What a sandbox gets when somebody's work comes to it that was made for nobody yet: mounts upon directories that were
// left empty for them. Its processes live on and see them at once.
#include "sandbox.h"

#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>

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

struct graft { int namespace, count, mounts[MAX_GRAFTS]; const char *targets[MAX_GRAFTS]; };

static int home = -1, root = -1;   // our own mount namespace, and the root directory that we have in it

static int remember_home(void) {
  if (home < 0) home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  if (root < 0) root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  return home < 0 || root < 0 ? -1 : 0;
}

// Anywhere else we would open files of a tenant's.
static void go_home(void) {
  if (setns(home, CLONE_NEWNS) < 0 || fchdir(root) < 0 || chroot(".") < 0) abort();
}

static int attach(int mount, const char *path) {
  struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
  int target = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
  if (target < 0) return -1;
  long result = syscall(SYS_move_mount, mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
  int error = errno;
  close(target);
  errno = error;
  return result < 0 ? -1 : 0;
}

// Mounts can be moved only within the mount namespace that one is in. We enter it for these few system calls: a child
// that did it took three times as long as all the rest.
static int attach_all(struct graft *graft) {
  if (remember_home() < 0 || setns(graft->namespace, CLONE_NEWNS) < 0) return -1;
  int result = 0;
  for (int i = 0; i < graft->count && result == 0; i++) result = attach(graft->mounts[i], graft->targets[i]);
  int error = errno;
  go_home();
  errno = error;
  return result;
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

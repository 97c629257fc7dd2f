// The file system of a sandbox: a small tmpfs that holds what the server asked for (bind mounts, links, directories,
// small files), /proc, /dev and /tmp; it becomes the root, the host's tree is detached, and the root is made
// read-only.
//
// Sources and targets come from the server, which is not trusted. A source is opened first and the path of what was
// opened is compared with the exposed directories, so nothing can be exchanged in between. A target is resolved by
// the kernel with the new root as "/", so no link can lead out of it.
#include "sandbox.h"

#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

int mounts_root = -1;   // the new root, between the two steps
bool mounts_are_given;
int mounts_given[MAX_MOUNTS];
unsigned mounts_given_count, mounts_given_from;
static unsigned given_next;
static bool sealed;     // the new root is the root already, and holds what BASE says: the host's tree is gone

#define LOCKED (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

static int sys_open_tree(int dirfd, const char *path, unsigned flags) {
  return (int)syscall(SYS_open_tree, dirfd, path, flags | OPEN_TREE_CLOEXEC);
}
static int sys_move_mount(int from, int to, const char *to_path, unsigned flags) {
  return (int)syscall(SYS_move_mount, from, "", to, to_path, flags | MOVE_MOUNT_F_EMPTY_PATH);
}
static int set_attributes(int mount, uint64_t attributes, unsigned flags) {
  struct mount_attr attr = {.attr_set = attributes};
  return (int)syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | flags, &attr, sizeof attr);
}
static int sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t resolve) {
  struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = resolve};
  return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof how);
}

// A new file system that is mounted nowhere yet. `settings` is NAME, VALUE, ..., NULL.
static int new_mount(const char *type, uint64_t attributes, const char *const *settings) {
  int context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
  if (context < 0) return -1;
  int mount = -1;
  for (; *settings; settings += 2)
    if (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, settings[0], settings[1], 0) < 0) goto end;
  if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) goto end;
  mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);
end:;
  int error = errno;
  close(context);
  errno = error;
  return mount;
}

// ---------------------------------------------------------------------------------------------- sources

// True if `path` is one of the directories or lies below one.
static bool is_below(const struct directories *list, const char *path) {
  for (unsigned i = 0; i < list->count; i++) {
    size_t length = strlen(list->paths[i]);
    if (strncmp(path, list->paths[i], length) == 0 && (path[length] == '/' || path[length] == 0)) return true;
  }
  return false;
}

static int write_map(pid_t process, const char *map, uint32_t inside, uint32_t outside) {
  char path[64], text[64];
  snprintf(path, sizeof path, "proc/%d/%s", (int)process, map);
  int length = snprintf(text, sizeof text, "%u %u 1", inside, outside);
  int fd = openat(mounts_root, path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t written = write(fd, text, (size_t)length);
  int error = errno;
  close(fd);
  errno = error;
  return written == length ? 0 : -1;
}

// A user namespace that says: the files of `owner` are `user`'s. No process lives in it.
static int ownership(uid_t owner, gid_t group, uint32_t user) {
  int gate[2], result = -1;
  if (pipe2(gate, O_CLOEXEC) < 0) return -1;
  pid_t process = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (process == 0) {
    char byte;
    close(gate[1]);
    _exit(read(gate[0], &byte, 1) < 0);
  }
  if (process > 0 && write_map(process, "uid_map", owner, user) == 0
      && write_map(process, "gid_map", group, user) == 0) {
    char path[64];
    snprintf(path, sizeof path, "proc/%d/ns/user", (int)process);
    result = openat(mounts_root, path, O_RDONLY | O_CLOEXEC);
  }
  int error = errno;
  close(gate[0]);
  close(gate[1]);
  if (process > 0) while (waitpid(process, NULL, 0) < 0 && errno == EINTR) {}
  errno = error;
  return result;
}

// Makes a mount writable by the sandbox's user, to whom it looks as if it were the owner of the top. Without root the
// user is the one who started the server, and may do there what that one may.
static int make_writable(int mount, const struct stat *top, uint32_t user) {
  struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
  int map = -1;
  if (options.isolation == ISOLATION_FULL) {
    // A file of root's that a function may change could become anybody's program.
    if (top->st_uid == 0 || top->st_gid == 0) { errno = EPERM; return -1; }
    if ((map = ownership(top->st_uid, top->st_gid, user)) < 0) return -1;
    attr.attr_set |= MOUNT_ATTR_IDMAP;
    attr.userns_fd = (uint64_t)map;
  }
  int result = (int)syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &attr, sizeof attr);
  int error = errno;
  close_fd(&map);
  errno = error;
  return result;
}

// Opens a path of the host and returns a mount of it that is attached nowhere, read-only throughout unless it is to be
// writable by `user`.
int mounts_source(const char *source, bool writable, uint32_t user, bool *is_directory) {
  int mount = -1;
  int fd = source[0] == '/' ? sys_openat2(AT_FDCWD, source, O_PATH, RESOLVE_NO_MAGICLINKS) : (errno = EINVAL, -1);
  if (fd < 0) return -1;
  char link[64], path[MAX_PATH];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  struct stat facts;
  if (length < 0 || fstat(fd, &facts) < 0) goto end;
  path[length] = 0;
  *is_directory = S_ISDIR(facts.st_mode);
  errno = EACCES;
  // A removed file reads as "PATH (deleted)"; other kinds of file (devices, sockets) are nobody's code.
  if (!is_below(writable ? &options.writable : &options.exposed, path) || facts.st_nlink == 0) goto end;
  if (!*is_directory && (writable || !S_ISREG(facts.st_mode))) goto end;
  // What others have mounted below is theirs; but without root a part of the tree cannot be had.
  unsigned below = writable && options.isolation == ISOLATION_FULL ? 0 : AT_RECURSIVE;
  mount = sys_open_tree(fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | below);
  if (mount >= 0 && (writable ? make_writable(mount, &facts, user) : set_attributes(mount, LOCKED, AT_RECURSIVE)) < 0) {
    int error = errno;
    close_fd(&mount);
    errno = error;
  }
end:;
  int error = errno;
  close(fd);
  errno = error;
  return mount;
}

// ---------------------------------------------------------------------------------------------- targets

// Opens the directory above `target`, making what is missing, and points *name at the last component.
static int open_parent(int top, const char *target, char *copy, const char **name) {
  snprintf(copy, MAX_PATH, "%s", target);
  char *last = strrchr(copy, '/');
  *name = last + 1;
  int parent = sys_openat2(top, ".", O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
  for (char *part = copy + 1; parent >= 0 && part < last;) {
    char *end = strchr(part, '/');
    *end = 0;   // copy is now the prefix that ends with this component
    int next = sys_openat2(top, copy, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    if (next < 0 && errno == ENOENT && mkdirat(parent, part, 0755) == 0)
      next = sys_openat2(top, copy, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    int error = errno;
    close(parent);
    errno = error;
    parent = next;
    *end = '/';
    part = end + 1;
  }
  return parent;
}

// Attaches `mount` (which it closes) at `name`, made if missing.
static int attach(int mount, int parent, const char *name, bool is_directory) {
  int result = -1;
  int made = is_directory ? mkdirat(parent, name, 0755)
      : openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
  if (made < 0 && errno != EEXIST && errno != EROFS) goto end;
  if (!is_directory && made >= 0) close(made);
  int target = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  struct stat facts;
  if (target < 0) goto end;
  if (fstat(target, &facts) == 0) {
    if (S_ISLNK(facts.st_mode)) errno = ELOOP;
    else result = sys_move_mount(mount, target, "", MOVE_MOUNT_T_EMPTY_PATH);
  }
  int error = errno;
  close(target);
  errno = error;
end:;
  int kept = errno;
  close(mount);
  errno = kept;
  return result;
}

static int write_file(int parent, const char *name, const char *content) {
  int fd = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (fd < 0) return -1;
  size_t length = strlen(content);
  ssize_t written = write(fd, content, length);
  close(fd);
  if (written == (ssize_t)length) return 0;
  errno = ENOSPC;
  return -1;
}

// `is_given`: the helper has opened its source.
static int place(int top, const struct mount_entry *entry, uint32_t user, bool is_given) {
  char copy[MAX_PATH];
  const char *name;
  bool is_directory = true;
  int mount = -1;
  bool writable = entry->kind == SBX_MOUNT_WRITABLE;
  struct stat facts;
  if (is_given && entry->kind == SBX_MOUNT_BIND) {
    if (given_next == mounts_given_count) { errno = EBADMSG; return -1; }
    mount = mounts_given[given_next++];
    if (fstat(mount, &facts) < 0) return -1;
    is_directory = S_ISDIR(facts.st_mode);
  } else if ((writable || entry->kind == SBX_MOUNT_BIND)
      && (mount = mounts_source(entry->source, writable, user, &is_directory)) < 0) {
    return -1;
  }
  int parent = open_parent(top, entry->target, copy, &name);
  if (parent < 0) { int error = errno; close_fd(&mount); errno = error; return -1; }
  int result = -1;
  switch (entry->kind) {
    case SBX_MOUNT_WRITABLE:
    case SBX_MOUNT_BIND: result = attach(mount, parent, name, is_directory); break;
    case SBX_MOUNT_SYMLINK: result = symlinkat(entry->source, parent, name); break;
    case SBX_MOUNT_DIRECTORY: result = mkdirat(parent, name, 0755) == 0 || errno == EEXIST ? 0 : -1; break;
    case SBX_MOUNT_FILE: result = write_file(parent, name, entry->source); break;
    default: errno = EINVAL;
  }
  int error = errno;
  close(parent);
  errno = error;
  return result;
}

// ---------------------------------------------------------------------------------------------- what is always there

static int build_dev(int top) {
  static const char *const settings[] = {"mode", "0755", "size", "64k", "nr_inodes", "64", NULL};
  static const struct { const char *name; unsigned major, minor; } devices[] = {
    {"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};
  static const char *const links[][2] = {
    {"/proc/self/fd", "fd"}, {"/proc/self/fd/0", "stdin"}, {"/proc/self/fd/1", "stdout"},
        {"/proc/self/fd/2", "stderr"}};
  int dev = new_mount("tmpfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, settings);
  if (dev < 0 || (mkdirat(top, "dev", 0755) < 0 && errno != EEXIST) || sys_move_mount(dev, top, "dev", 0) < 0)
      return -1;
  mode_t mask = umask(0);
  for (unsigned i = 0; i < sizeof devices / sizeof *devices; i++) {
    if (mknodat(dev, devices[i].name, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)) == 0) continue;
    char path[32];   // not allowed in a user namespace: bind the host's
    snprintf(path, sizeof path, "/dev/%s", devices[i].name);
    int mount = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE);
    if (mount < 0 || attach(mount, dev, devices[i].name, false) < 0) return -1;
  }
  umask(mask);
  for (unsigned i = 0; i < sizeof links / sizeof *links; i++)
    if (symlinkat(links[i][0], dev, links[i][1]) < 0) return -1;
  static const char *const shm_settings[] = {"mode", "1777", "size", "64m", NULL};
  int shm = new_mount("tmpfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, shm_settings);
  if (shm < 0 || attach(shm, dev, "shm", true) < 0) return -1;
  int result = set_attributes(dev, MOUNT_ATTR_RDONLY, 0);   // device files can still be written to
  close(dev);
  return result;
}

// A fresh /proc shows this sandbox's processes only. What steers the host in it is read-only or hidden besides.
static int build_proc(int top, enum proc what) {
  static const char *const none[] = {NULL}, *const own[] = {"hidepid", "2", NULL};
  static const char *const read_only[] = {"sys", "irq", "bus", "fs", "sysrq-trigger"};
  static const char *const hidden[] = {"kcore", "keys", "timer_list", "latency_stats", "sched_debug"};
  int proc = new_mount("proc", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
      what == PROC_OWN ? own : none);
  if (proc < 0 || (mkdirat(top, "proc", 0755) < 0 && errno != EEXIST) || sys_move_mount(proc, top, "proc", 0) < 0)
      return -1;
  for (unsigned i = 0; i < sizeof read_only / sizeof *read_only; i++) {
    int mount = sys_open_tree(proc, read_only[i], OPEN_TREE_CLONE);
    if (mount < 0 && errno == ENOENT) continue;
    if (mount < 0 || set_attributes(mount, LOCKED, 0) < 0 || sys_move_mount(mount, proc, read_only[i], 0) < 0)
        return -1;
    close(mount);
  }
  for (unsigned i = 0; i < sizeof hidden / sizeof *hidden; i++) {
    int mount;
    if (faccessat(proc, hidden[i], F_OK, 0) < 0) continue;
    if ((mount = sys_open_tree(top, "dev/null", OPEN_TREE_CLONE)) < 0
        || sys_move_mount(mount, proc, hidden[i], 0) < 0) return -1;
    close(mount);
  }
  close(proc);
  return 0;
}

// /tmp outlives a reset: the helper keeps a detached copy of the mount, which is attached here and copied again (only
// the namespace that holds a mount may copy it, before Linux 6.15).
static int build_tmp(int top, const struct spec *spec, int tmp, int *again) {
  char size[32];
  // size=0 means no limit
  snprintf(size, sizeof size, "%llu", (unsigned long long)(spec->tmp > 4096 ? spec->tmp : 4096));
  const char *const settings[] = {"mode", "1777", "size", size, NULL};
  if (tmp < 0) tmp = new_mount("tmpfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, settings);
  if (tmp < 0 || (mkdirat(top, "tmp", 0755) < 0 && errno != EEXIST) || sys_move_mount(tmp, top, "tmp", 0) < 0)
      return -1;
  *again = sys_open_tree(top, "tmp", OPEN_TREE_CLONE);
  close(tmp);
  return *again < 0 ? -1 : 0;
}

// The part that does not depend on the order, done ahead.
int mounts_begin(enum proc proc, char *stage, size_t stage_size) {
  static const char *const settings[] = {"mode", "0755", "size", "4m", "nr_inodes", "4096", NULL};
  snprintf(stage, stage_size, "mount /");
  umask(022);
  // Nothing that is mounted or unmounted from here on may reach the host.
  if (syscall(SYS_mount, NULL, "/", NULL, 0x44000 /* MS_REC|MS_PRIVATE */, NULL) < 0) return -1;
  mounts_root = new_mount("tmpfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, settings);
  // It has to hang somewhere while it is built, and hides what is there: nobody's sources are in /sys. (On top of "/"
  // would do too, but then a source path with enough ".." in a link ends in the new root.)
  if (mounts_root < 0 || sys_move_mount(mounts_root, AT_FDCWD, "/sys", 0) < 0) return -1;
  snprintf(stage, stage_size, "mount /dev");
  if (build_dev(mounts_root) < 0) return -1;
  snprintf(stage, stage_size, "mount /proc");
  return proc != PROC_NONE ? build_proc(mounts_root, proc) : 0;
}

// The new root becomes the root. Detaching the host's tree waits for all processors, and changing the root looks at
// every process of the host: what can be done ahead should be.
static int change_root(void) {
  if (fchdir(mounts_root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0
      || syscall(SYS_umount2, ".", 2 /* MNT_DETACH */) < 0) return -1;
  return chdir("/");
}

// From the beginning: what was placed is of no use. After a change of the root the next one hangs in the first.
static int begin_again(char *stage, size_t stage_size) {
  snprintf(stage, stage_size, "give up the base");
  if (sealed ? mkdirat(mounts_root, "sys", 0755) < 0 && errno != EEXIST
      : syscall(SYS_umount2, "/sys", 2 /* MNT_DETACH */) < 0) return -1;
  sealed = false;
  close_fd(&mounts_root);
  return mounts_begin(PROC_ALL, stage, stage_size);
}

// Places what most orders begin with before there is one, and gives up the host's tree: the helper gives what is still
// missing. For which user that will be is not known yet, so nothing of it is writable. If it cannot be done, nothing is
// placed.
int mounts_place_base(const struct spec *base, char *stage, size_t stage_size) {
  for (unsigned i = 0; i < base->mount_count; i++)
    if (place(mounts_root, &base->mounts[i], 0, false) < 0) return begin_again(stage, stage_size);
  snprintf(stage, stage_size, "pivot_root");
  if (change_root() < 0) return -1;
  sealed = true;
  return 0;
}

int mounts_finish(const struct spec *spec, uint32_t user, int tmp, int *tmp_again, char *stage, size_t stage_size) {
  unsigned done = sealed ? mounts_given_from : 0;
  snprintf(stage, stage_size, "mounts");
  errno = EBADMSG;
  if ((sealed && !mounts_are_given) || done > spec->mount_count) return -1;
  if (sealed && done == 0 && begin_again(stage, stage_size) < 0) return -1;
  for (unsigned i = done; i < spec->mount_count; i++) {
    snprintf(stage, stage_size, "mount %.200s", spec->mounts[i].target);
    if (place(mounts_root, &spec->mounts[i], user, mounts_are_given && i >= mounts_given_from) < 0) return -1;
  }
  snprintf(stage, stage_size, "mount /tmp");
  if (build_tmp(mounts_root, spec, tmp, tmp_again) < 0) return -1;
  snprintf(stage, stage_size, "pivot_root");
  if ((!sealed && change_root() < 0) || set_attributes(mounts_root, LOCKED, 0) < 0) return -1;
  close(mounts_root);
  return 0;
}

// The system calls a sandbox may make: a list of what is allowed. Compiled once by libseccomp into BPF at start, then
// installed raw by every init. What is not in the lists gets ENOSYS, as from a kernel that does not have it, because
// that is the answer for which libraries have a second way; what is refused on purpose gets EPERM.
#include "sandbox.h"

#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

static struct sock_fprog program, zygote_program, snapshot_program;
static int program_file = -1;   // the first one, for zygotes, whose forks install it themselves

static const char *const allowed[] = {
  "_newselect", "accept", "accept4", "access", "alarm", "arch_prctl", "bind", "brk", "cachestat", "capget", "chdir",
  "chmod", "chown", "clock_getres", "clock_gettime", "clock_nanosleep", "close", "close_range", "connect",
  "copy_file_range", "creat", "dup", "dup2", "dup3", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait",
  "epoll_pwait2", "epoll_wait", "eventfd", "eventfd2", "execve", "execveat", "exit", "exit_group", "faccessat",
  "faccessat2", "fadvise64", "fallocate", "fchdir", "fchmod", "fchmodat", "fchmodat2", "fchown", "fchownat", "fcntl",
  "fdatasync", "fgetxattr", "flistxattr", "flock", "fork", "fremovexattr", "fsetxattr", "fstat", "fstatfs", "fsync",
  "ftruncate", "futex", "futex_requeue", "futex_wait", "futex_waitv", "futex_wake", "futimesat", "get_mempolicy",
  "get_robust_list", "get_thread_area", "getcpu", "getcwd", "getdents", "getdents64", "getegid", "geteuid", "getgid",
  "getgroups", "getitimer", "getpeername", "getpgid", "getpgrp", "getpid", "getppid", "getpriority", "getrandom",
  "getresgid", "getresuid", "getrlimit", "getrusage", "getsid", "getsockname", "getsockopt", "gettid", "gettimeofday",
  "getuid", "getxattr", "getxattrat", "inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch",
  "io_cancel", "io_destroy", "io_getevents", "io_pgetevents", "io_setup", "io_submit", "ioctl", "ioprio_get",
  "ioprio_set", "kill", "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "lchown",
  "lgetxattr", "link", "linkat", "listen", "listxattr", "listxattrat", "llistxattr", "lremovexattr", "lseek",
  "lsetxattr", "lstat", "madvise", "map_shadow_stack", "membarrier", "memfd_create", "memfd_secret", "mincore",
  "mkdir", "mkdirat", "mknod", "mknodat", "mlock", "mlock2", "mlockall", "mmap", "mprotect", "mq_getsetattr",
  "mq_notify", "mq_open", "mq_timedreceive", "mq_timedsend", "mq_unlink", "mremap", "mseal", "msgctl", "msgget",
  "msgrcv", "msgsnd", "msync", "munlock", "munlockall", "munmap", "nanosleep", "newfstatat", "open", "openat",
  "openat2", "pause", "pidfd_open", "pidfd_send_signal", "pipe", "pipe2", "pkey_alloc", "pkey_free", "pkey_mprotect",
  "poll", "ppoll", "prctl", "pread64", "preadv", "preadv2", "prlimit64", "process_madvise", "process_mrelease",
  "pselect6", "pwrite64", "pwritev", "pwritev2", "read", "readahead", "readlink", "readlinkat", "readv", "recvfrom",
  "recvmmsg", "recvmsg", "remap_file_pages", "removexattr", "removexattrat", "rename", "renameat", "renameat2",
  "restart_syscall", "riscv_flush_icache", "riscv_hwprobe", "rmdir", "rseq", "rt_sigaction", "rt_sigpending",
  "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "rt_tgsigqueueinfo",
  "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity", "sched_getattr", "sched_getparam",
  "sched_getscheduler", "sched_rr_get_interval", "sched_setaffinity", "sched_setattr", "sched_setparam",
  "sched_setscheduler", "sched_yield", "seccomp", "select", "semctl", "semget", "semop", "semtimedop", "sendfile",
  "sendmmsg", "sendmsg", "sendto", "set_mempolicy", "set_robust_list", "set_thread_area", "set_tid_address",
  "setfsgid", "setfsuid", "setgid", "setgroups", "setitimer", "setpgid", "setpriority", "setregid", "setresgid",
  "setresuid", "setreuid", "setrlimit", "setsid", "setsockopt", "setuid", "setxattr", "setxattrat", "shmat", "shmctl",
  "shmdt", "shmget", "shutdown", "sigaltstack", "signalfd", "signalfd4", "socketpair", "splice", "stat", "statfs",
  "statx", "symlink", "symlinkat", "sync_file_range", "sysinfo", "tee", "tgkill", "time", "timer_create",
  "timer_delete", "timer_getoverrun", "timer_gettime", "timer_settime", "timerfd_create", "timerfd_gettime",
  "timerfd_settime", "times", "tkill", "truncate", "umask", "uname", "unlink", "unlinkat", "utime", "utimensat",
  "utimes", "vfork", "wait4", "waitid", "write", "writev", NULL};

// Real calls that a sandbox has no business with.
static const char *const refused[] = {
  "_sysctl", "acct", "add_key", "adjtimex", "bpf", "capset", "chroot", "clock_adjtime", "clock_settime",
  "create_module", "delete_module", "fanotify_init", "fanotify_mark", "finit_module", "fsconfig", "fsmount", "fsopen",
  "fspick", "get_kernel_syms", "init_module", "ioperm", "iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl",
  "lookup_dcookie", "mbind", "migrate_pages", "modify_ldt", "mount", "mount_setattr", "move_mount", "move_pages",
  "name_to_handle_at", "nfsservctl", "open_by_handle_at", "open_tree", "open_tree_attr", "perf_event_open",
  "pidfd_getfd", "pivot_root", "process_vm_readv", "process_vm_writev", "ptrace", "query_module", "quotactl",
  "quotactl_fd", "reboot", "request_key", "setdomainname", "sethostname", "setns", "settimeofday", "statmount",
  "listmount", "swapoff", "swapon", "sync", "syncfs", "sysfs", "syslog", "umount", "umount2", "unshare", "uselib",
  "userfaultfd", "ustat", "vhangup", "vm86", "vm86old", "vmsplice", NULL};

// A zygote enters namespaces and gives up what allows it to; nothing else that needs a privilege is left to it.
static const char *const zygotes[] = {"setns", "capset", NULL};

static bool is_listed(const char *name, const char *const *list) {
  for (; *list; list++) if (strcmp(name, *list) == 0) return true;
  return false;
}

// A process that enters a user namespace has every capability over it until it gives them up; whether it does is up to
// the tenant's code that made the snapshot. So these calls, which an ordinary sandbox may make because it has none, are
// not made by a snapshot and its forks: network devices and addresses, packet filters, sockets below TCP and UDP. A
// second filter beside the zygotes': of two, the stricter one decides.
static int snapshot_rules(scmp_filter_ctx filter) {
  static const int families[] = {AF_INET, AF_INET6};
  static const unsigned readable[] = {  // SIOCGIFNAME and its kin: what an interface is
    0x8910, 0x8912, 0x8913, 0x8915, 0x8917, 0x8919, 0x891b, 0x891d, 0x8921, 0x8927, 0x8933, 0x8942, 0x8970};
  static const struct { unsigned level, least, most; } options[] = {
    {0, 64, 255}, {0, 1024, 1279},   // IP: iptables, arptables, ebtables, multicast routing, IPVS
    {41, 64, 65}, {41, 200, 212},    // IPv6
    {6, 19, 22}};                    // TCP_REPAIR and what belongs to it
  int bad = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
      SCMP_A0(SCMP_CMP_EQ, AF_NETLINK));
  for (int i = 0; i < 2; i++)
    for (unsigned kind = 0; kind < 16; kind++)
      if (kind != SOCK_STREAM && kind != SOCK_DGRAM)
        bad |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 2,
            SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]), SCMP_A1(SCMP_CMP_MASKED_EQ, 15, kind));
  for (unsigned request = 0x890b; request <= 0x89ff; request++) {
    bool is_readable = false;
    for (unsigned i = 0; i < sizeof readable / sizeof *readable; i++) is_readable |= readable[i] == request;
    if (!is_readable) bad |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
        SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, request));
  }
  for (unsigned i = 0; i < sizeof options / sizeof *options; i++)
    for (unsigned option = options[i].least; option <= options[i].most; option++)
      bad |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(setsockopt), 2,
          SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, options[i].level), SCMP_A2(SCMP_CMP_MASKED_EQ, 0xffffffff, option));
  return bad;
}

static int rules(scmp_filter_ctx filter, bool is_zygote) {
  int bad = 0;
  for (int i = 0; is_zygote && zygotes[i]; i++)
    bad |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(zygotes[i]), 0);
  for (int i = 0; allowed[i]; i++) {
    int number = seccomp_syscall_resolve_name(allowed[i]);   // a name that this libseccomp or machine lacks is skipped
    if (number >= 0) bad |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
  }
  for (int i = 0; refused[i]; i++) {
    if (is_zygote && is_listed(refused[i], zygotes)) continue;
    int number = seccomp_syscall_resolve_name(refused[i]);
    if (number >= 0) bad |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
  }
  // clone without any new namespace. clone3 keeps its flags in memory, where a filter cannot look: ENOSYS (the default)
  // makes the C library fall back to clone.
  const uint64_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER
      | CLONE_NEWPID | CLONE_NEWNET;
  bad |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, namespaces, 0));
  for (int bit = 0; bit < 64; bit++)
    if (namespaces >> bit & 1)
      bad |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
          SCMP_A0(SCMP_CMP_MASKED_EQ, 1ull << bit, 1ull << bit));
  // Sockets of the three ordinary families. Netlink, vsock, packet and kernel crypto are wide doors into the kernel.
  static const int families[] = {AF_UNIX, AF_INET, AF_INET6};
  for (int i = 0; i < 3; i++) bad |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
      SCMP_A0(SCMP_CMP_EQ, families[i]));
  // Of netlink only the reading of one's own interfaces: without it Node's os.networkInterfaces() throws (measured),
  // and changing anything needs a capability over the network namespace that nobody inside has.
  bad |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, AF_NETLINK),
      SCMP_A2(SCMP_CMP_EQ, 0));
  bad |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, AF_NETLINK),
      SCMP_A2(SCMP_CMP_GT, 0));
  bad |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_GT, AF_NETLINK));
  for (unsigned family = 3; family < AF_NETLINK; family++)
    if (family != AF_INET6)
      bad |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, family));
  static const uint64_t personalities[] = {0, 8, 0x20000, 0x20008, 0xffffffff};
  for (int i = 0; i < 5; i++)
    bad |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(personality), 1, SCMP_A0(SCMP_CMP_EQ, personalities[i]));
  return bad;
}

// The compiled filter, and the file that it is in; -1.
enum kind { SANDBOXES, ZYGOTES, SNAPSHOTS };
static int compile(struct sock_fprog *program, enum kind kind) {
  int result = -1, file = memfd_create("filter", MFD_CLOEXEC);
  scmp_filter_ctx filter = seccomp_init(kind == SNAPSHOTS ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(ENOSYS));
  if (!filter || file < 0) goto end;
  // a tree instead of a chain of comparisons; older ones do without
  seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  if ((kind == SNAPSHOTS ? snapshot_rules(filter) : rules(filter, kind == ZYGOTES)) < 0
      || seccomp_export_bpf(filter, file) < 0) goto end;
  off_t size = lseek(file, 0, SEEK_END);
  program->filter = malloc((size_t)size);
  program->len = (unsigned short)((size_t)size / sizeof *program->filter);
  if (program->filter && pread(file, program->filter, (size_t)size, 0) == size) result = file;
end:
  if (filter) seccomp_release(filter);
  if (result < 0 && file >= 0) close(file);
  return result;
}

int seccomp_compile(void) {
  int file = compile(&zygote_program, ZYGOTES), other = compile(&snapshot_program, SNAPSHOTS);
  program_file = compile(&program, SANDBOXES);
  if (file >= 0) close(file);
  if (other >= 0) close(other);
  return file < 0 || other < 0 || program_file < 0 ? -1 : 0;
}

int seccomp_install(void) { return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program); }
int seccomp_install_zygote(void) { return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &zygote_program); }
int seccomp_install_snapshot(void) {
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &snapshot_program) < 0) return -1;
  return seccomp_install_zygote();
}
// At its beginning.
int seccomp_file(void) { return lseek(program_file, 0, SEEK_SET) < 0 ? -1 : program_file; }

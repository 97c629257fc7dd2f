#define _GNU_SOURCE
// Programs of the host that the server runs, and files of trees that strangers have made.
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CMartlet.h"

int cm_open_in_root(int root, const char *path, int flags) {
  struct open_how how = {
      .flags = (unsigned)flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
  return fd < 0 ? -errno : fd;
}

int cm_look_in_root(int root, const char *path) { return cm_open_in_root(root, path, O_PATH); }

int cm_sync(int fd) { return syncfs(fd) == 0 ? 0 : -errno; }

// Between fork and exec in a process with threads only system calls are allowed.
pid_t cm_run(const char *path, char *const argv[], char *const envp[], int output, int errors, uint64_t file_limit) {
  pid_t server = getpid(), pid = fork();
  if (pid != 0) return pid < 0 ? -errno : pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != server) _exit(127);   // it died before it could be told
  setpgid(0, 0);
  for (int number = 1; number < 32; number++)
    if (number != SIGKILL && number != SIGSTOP) sigaction(number, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  setrlimit(RLIMIT_FSIZE, &(struct rlimit){file_limit, file_limit});
  int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  // The ends of pipes are high and close-on-exec, so these three go on top of nothing that is still needed.
  if (input >= 0 && dup2(input, 0) >= 0 && dup2(output, 1) >= 0 && dup2(errors, 2) >= 0) {
    syscall(SYS_close_range, 3, ~0U, 0);
    execve(path, argv, envp);
  }
  _exit(127);
}

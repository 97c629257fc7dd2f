// Signals for programs. The kernel hands a process's signal to its first thread if that one takes it at once, else to
// any other, and a thread that has just been thawed takes none for a moment. An interpreter whose first thread waits in
// a system call does not notice what another thread was handed: its handler would run never, or with the next answer.
#include "sandbox.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

enum { THREAD_ONLY = 1 };   // PIDFD_SIGNAL_THREAD, which older headers do not have

// True if the first thread is alive and has not blocked the signal; others may wait for it with sigwait(3).
static bool first_thread_takes(pid_t pid, int number) {
  char path[32], text[4096];
  snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
  ssize_t length = read_text(path, text, sizeof text);
  const char *state = length > 0 ? strstr(text, "\nState:\t") : NULL;
  const char *blocked = state ? strstr(state, "\nSigBlk:\t") : NULL;
  if (!blocked || strchr("ZX", state[strlen("\nState:\t")])) return false;
  return !(strtoull(blocked + strlen("\nSigBlk:\t"), NULL, 16) >> (number - 1) & 1);
}

// 0 if a descriptor tells nothing of a process any more.
static pid_t pid_behind(int pidfd) {
  char path[48], text[512];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
  const char *line = read_text(path, text, sizeof text) > 0 ? strstr(text, "\nPid:\t") : NULL;
  long pid = line ? strtol(line + strlen("\nPid:\t"), NULL, 10) : 0;
  return pid > 0 ? (pid_t)pid : 0;
}

void signal_child(pid_t pid, int number) {
  if (number <= 0 || number == SIGKILL || number == SIGSTOP || !first_thread_takes(pid, number)) kill(pid, number);
  else syscall(SYS_tgkill, pid, pid, number);
}

void signal_behind(int pidfd, int number) {
  pid_t pid = number <= 0 || number == SIGKILL || number == SIGSTOP ? 0 : pid_behind(pidfd);
  if (pid == 0 || !first_thread_takes(pid, number)) syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0);
  // Linux before 6.9 cannot. The process is still there: its number is nobody else's.
  else if (syscall(SYS_pidfd_send_signal, pidfd, number, NULL, THREAD_ONLY) < 0 && errno == EINVAL
      && poll(&(struct pollfd){.fd = pidfd, .events = POLLIN}, 1, 0) == 0)
    syscall(SYS_tgkill, pid, pid, number);
}

#define _GNU_SOURCE
// Starts the privileged process, and the pipes that go with processes.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include "CMartlet.h"

int cm_pipe(int fds[2]) { return pipe2(fds, O_CLOEXEC) == 0 ? 0 : -errno; }

pid_t cm_start(const char *path, char *const argv[], int descriptor) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  // dup2 onto itself would keep close-on-exec, so the descriptor goes by way of another number.
  int lifted = dup(descriptor);
  if (lifted < 0) return -errno;
  posix_spawn_file_actions_adddup2(&actions, lifted, 3);
  posix_spawn_file_actions_addclosefrom_np(&actions, 4);
  sigset_t defaults, mask;
  sigfillset(&defaults);
  sigemptyset(&mask);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setsigmask(&attributes, &mask);
  // A group of its own: Ctrl-C in the terminal is for the server, which then ends this process in its own time.
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  char *environment[] = {0};
  pid_t pid;
  int error = posix_spawn(&pid, path, &actions, &attributes, argv, environment);
  close(lifted);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error ? -error : pid;
}

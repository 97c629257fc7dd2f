// A second process for what waits inside the kernel. Arming a v1 memory alarm waits for every processor (5 to 15 ms
// on a quiet machine), removing a cgroup can wait for somebody else's arming or joining; meanwhile the helper would
// answer nobody. Orders come over a socket; there are no answers. It ends with the helper.
#include "sandbox.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

enum { ORDER_ARM = 1, ORDER_REMOVE };
struct order { uint32_t kind; uint64_t level; char name[24]; };
static int lane = -1;
static char waiting[MAX_SANDBOXES][24];   // to be removed when the lane has room
static unsigned waiting_count;
static pid_t lane_pid;

static void arm(const struct order *order, const int *fds) {
  char text[64];
  snprintf(text, sizeof text, "%d %d %llu", fds[0], fds[1], (unsigned long long)order->level);
  if (write(fds[2], text, strlen(text)) < 0) return;   // the sandbox is gone already; till now the clock looks after it
}

static void remove_named(const char *name) {
  for (int attempt = 0; attempt < 200 && !cgroups_unlink(name); attempt++)   // a process may be dying yet
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

_Noreturn static void work(int orders) {
  struct order order;
  int fds[SBX_MAX_FDS];
  unsigned fd_count;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, "slowly");
  close_fd(&options.server);
  for (;;) {
    bool truncated;
    struct pollfd ready = {.fd = orders, .events = POLLIN};
    if (poll(&ready, 1, -1) < 0) continue;
    ssize_t length = packet_receive(orders, (uint8_t *)&order, sizeof order, fds, &fd_count, &truncated);
    if (length == 0) _exit(0);
    if (length == sizeof order && order.kind == ORDER_ARM && fd_count == 3) arm(&order, fds);
    if (length == sizeof order && order.kind == ORDER_REMOVE) remove_named(order.name);
    for (unsigned i = 0; i < fd_count; i++) close(fds[i]);
  }
}

int slowly_start(void) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return -1;
  lane_pid = fork();
  if (lane_pid == 0) {
    close(pair[0]);
    work(pair[1]);
  }
  close(pair[1]);
  lane = pair[0];
  return lane_pid < 0 ? -1 : 0;
}

void slowly_stop(void) {
  if (lane < 0) return;
  close_fd(&lane);
  while (waitpid(lane_pid, NULL, 0) < 0 && errno == EINTR) {}
  while (waiting_count > 0) remove_named(waiting[--waiting_count]);
}

bool slowly_is(pid_t pid) { return pid == lane_pid; }

// False if the lane is full or dead; the caller then lives without, or comes again.
bool slowly_arm(int alarm, int usage, int control, uint64_t level) {
  struct order order = {.kind = ORDER_ARM, .level = level};
  int fds[3] = {alarm, usage, control};
  return lane >= 0 && packet_send(lane, &order, sizeof order, fds, 3, MSG_DONTWAIT) > 0;
}

static bool order_removal(const char *name) {
  struct order order = {.kind = ORDER_REMOVE};
  snprintf(order.name, sizeof order.name, "%s", name);
  return lane >= 0 && packet_send(lane, &order, sizeof order, NULL, 0, MSG_DONTWAIT) > 0;
}

// False if it cannot be done here at all.
bool slowly_remove(const char *name) {
  if (!slowly_catch_up() || !order_removal(name)) {
    if (waiting_count == MAX_SANDBOXES) return false;
    snprintf(waiting[waiting_count++], sizeof waiting[0], "%s", name);
  }
  return true;
}

// Orders what had to wait. False if something waits yet: then it is to be called again in a while.
bool slowly_catch_up(void) {
  while (waiting_count > 0 && order_removal(waiting[waiting_count - 1])) waiting_count--;
  return waiting_count == 0;
}

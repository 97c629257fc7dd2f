// Network namespaces, and listening sockets made inside them. A socket keeps its namespace for life, so the server
// can serve it from outside, and the socket says who calls.
#include "sandbox.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int home = -1;         // the helper's own namespace

// Staying in a sandbox's namespace by mistake would make the next one share it: better to die.
void network_go_home(void) {
  int error = errno;
  if (setns(home, CLONE_NEWNET) < 0) abort();
  errno = error;
}

int loopback_up(void) {
  int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_fd < 0) return -1;
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  int result = ioctl(socket_fd, SIOCSIFFLAGS, &request);
  close(socket_fd);
  return result;
}

int network_make(void) {
  if (unshare(CLONE_NEWNET) < 0) return -1;
  int fd = loopback_up() < 0 ? -1 : open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  network_go_home();
  return fd;
}

int network_start(void) {
  home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  return home < 0 ? -1 : 0;
}

int listen_here(uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;
  if (fd < 0) return -1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1024) < 0) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

int network_listen(int network, uint16_t port) {
  if (network < 0) return listen_here(port);
  if (setns(network, CLONE_NEWNET) < 0) return -1;
  int fd = listen_here(port);
  network_go_home();
  return fd;
}

// Loopback connects without waiting for anybody. If the listener's queue is full, the socket's owner waits, not we.
int connect_here(uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EINPROGRESS) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

int network_connect(int network, uint16_t port) {
  if (network < 0) return connect_here(port);
  if (setns(network, CLONE_NEWNET) < 0) return -1;
  int fd = connect_here(port);
  network_go_home();
  return fd;
}

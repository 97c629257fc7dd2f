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

static const uint32_t link_address = 0xa9fe4f81;   // 169.254.79.129

// A second address beside 127.0.0.1. The mask comes after it: the address alone would take all of 169.254.0.0/16.
static int add_link_address(int socket_fd) {
  struct ifreq request = {.ifr_name = "lo:1"};
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(link_address)};
  memcpy(&request.ifr_addr, &address, sizeof address);
  if (ioctl(socket_fd, SIOCSIFADDR, &request) < 0) return -1;
  address.sin_addr.s_addr = INADDR_NONE;
  memcpy(&request.ifr_netmask, &address, sizeof address);
  return ioctl(socket_fd, SIOCSIFNETMASK, &request);
}

int loopback_up(void) {
  int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_fd < 0) return -1;
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  int result = ioctl(socket_fd, SIOCSIFFLAGS, &request);
  if (result == 0) result = add_link_address(socket_fd);
  close(socket_fd);
  return result;
}

int network_make(void) {
  if (unshare(CLONE_NEWNET) < 0) return -1;
  int fd = loopback_up() < 0 ? -1 : open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  network_go_home();
  return fd;
}

// The network of a process that has one of its own since its birth.
int network_of(pid_t pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || setns(fd, CLONE_NEWNET) < 0) goto failed;
  int result = loopback_up();
  network_go_home();
  if (result == 0) return fd;
failed:;
  int error = errno;
  close_fd(&fd);
  errno = error;
  return -1;
}

int network_start(void) {
  home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  return home < 0 ? -1 : 0;
}

int listen_here(struct listen_at at) {
  bool datagrams = at.kind == SBX_LISTEN_DATAGRAMS;
  int fd = socket(AF_INET, (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;
  if (fd < 0) return -1;
  bool linked = at.kind != SBX_LISTEN_LOOPBACK && options.isolation != ISOLATION_NONE;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(at.port),
      .sin_addr.s_addr = htonl(linked ? link_address : INADDR_LOOPBACK)};
  if (!datagrams) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || (!datagrams && listen(fd, 1024) < 0)) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

int network_listen(int network, struct listen_at at) {
  if (network < 0) return listen_here(at);
  if (setns(network, CLONE_NEWNET) < 0) return -1;
  int fd = listen_here(at);
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

#define _GNU_SOURCE
// Packets with descriptors over SOCK_SEQPACKET.
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "CMartlet.h"

int cm_packet_pair(int fds[2]) {
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) return -errno;
  // A packet must fit into the send buffer whole.
  int size = 4 * SBX_MAX_MESSAGE;
  for (int i = 0; i < 2; i++) setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  return 0;
}

int cm_send_packet(int fd, const void *bytes, size_t length, const int *fds, size_t fd_count) {
  union {
    char space[CMSG_SPACE(SBX_MAX_FDS * sizeof(int))];
    struct cmsghdr align;
  } control;
  if (fd_count > SBX_MAX_FDS) return -EINVAL;
  struct iovec vector = {.iov_base = (void *)bytes, .iov_len = length};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
  if (fd_count > 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = control.space;
    message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, fd_count * sizeof(int));
  }
  ssize_t sent;
  do sent = sendmsg(fd, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : 0;
}

ssize_t cm_receive_packet(int fd, void *bytes, size_t capacity, int *fds, size_t *fd_count) {
  union {
    char space[CMSG_SPACE(SBX_MAX_FDS * sizeof(int))];
    struct cmsghdr align;
  } control;
  struct iovec vector = {.iov_base = bytes, .iov_len = capacity};
  struct msghdr message = {
      .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
  ssize_t received;
  do received = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  while (received < 0 && errno == EINTR);
  *fd_count = 0;
  if (received < 0) return -errno;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    const int *received_fds = (const int *)CMSG_DATA(header);
    for (size_t i = 0; i < count && *fd_count < SBX_MAX_FDS; i++) fds[(*fd_count)++] = received_fds[i];
  }
  return received;
}

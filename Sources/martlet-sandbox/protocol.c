// Packets: reading and writing the messages of sandbox_protocol.h. Nothing here trusts the bytes it reads.
#include "sandbox.h"

#include <sys/socket.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the wire is little-endian and read with memcpy");

static uint32_t read_u32(const uint8_t *bytes) {
  uint32_t value;
  memcpy(&value, bytes, 4);
  return value;
}

bool message_next(struct message *cursor, struct field *field) {
  if (cursor->end - cursor->body < 8) return false;
  field->tag = read_u32(cursor->body);
  field->length = read_u32(cursor->body + 4);
  field->bytes = cursor->body + 8;
  if (field->length > (size_t)(cursor->end - field->bytes)) return false;
  cursor->body = field->bytes + field->length;
  return true;
}

// True if the whole packet is a header followed by whole fields.
bool message_parse(struct message *message, const uint8_t *bytes, size_t length) {
  memset(message, 0, sizeof *message);
  if (length >= 4) message->type = read_u32(bytes);   // so that the refusal can name what was refused
  if (length < 8 || length > SBX_MAX_MESSAGE) return false;
  message->sandbox = read_u32(bytes + 4);
  message->body = bytes + 8;
  message->end = bytes + length;
  struct message cursor = *message;
  struct field field;
  while (message_next(&cursor, &field)) {}
  return cursor.body == cursor.end;
}

bool field_u32(const struct field *field, uint32_t *value) {
  if (field->length != 4) return false;
  *value = read_u32(field->bytes);
  return true;
}

bool field_u64(const struct field *field, uint64_t *value) {
  if (field->length != 8) return false;
  memcpy(value, field->bytes, 8);
  return true;
}

bool field_is_text(const struct field *field) { return memchr(field->bytes, 0, field->length) == NULL; }

bool message_u32(const struct message *message, uint32_t tag, uint32_t *value) {
  struct message cursor = *message;
  struct field field;
  while (message_next(&cursor, &field))
    if (field.tag == tag) return field_u32(&field, value);
  return false;
}

bool message_port(const struct message *message, uint16_t *port) {
  struct message cursor = *message;
  struct field field;
  while (message_next(&cursor, &field))
    if (field.tag == SBX_TAG_LISTEN && field.length == 2) {
      memcpy(port, field.bytes, 2);
      return *port != 0;
    }
  return false;
}

void packet_begin(struct packet *packet, uint32_t type, uint32_t sandbox) {
  memcpy(packet->bytes, &type, 4);
  memcpy(packet->bytes + 4, &sandbox, 4);
  packet->length = 8;
  packet->fd_count = 0;
}

void packet_bytes(struct packet *packet, uint32_t tag, const void *bytes, size_t length) {
  if (length > sizeof packet->bytes || packet->length + 8 + length > sizeof packet->bytes) abort();
  uint32_t header[2] = {tag, (uint32_t)length};
  memcpy(packet->bytes + packet->length, header, 8);
  memcpy(packet->bytes + packet->length + 8, bytes, length);
  packet->length += 8 + length;
}

void packet_u32(struct packet *packet, uint32_t tag, uint32_t value) { packet_bytes(packet, tag, &value, 4); }
void packet_text(struct packet *packet, uint32_t tag, const char *text) {
  packet_bytes(packet, tag, text, strlen(text));
}

void packet_fd(struct packet *packet, int fd) {
  if (packet->fd_count == SBX_MAX_FDS) abort();
  packet->fds[packet->fd_count++] = fd;
}

ssize_t packet_send(int socket, const void *bytes, size_t length, const int *fds, unsigned fd_count, int flags) {
  union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(int) * SBX_MAX_FDS)]; } control;
  struct iovec part = {(void *)bytes, length};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
  if (fd_count > 0) {
    memset(&control, 0, sizeof control);
    header.msg_control = control.bytes;
    header.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
    memcpy(CMSG_DATA(rights), fds, sizeof(int) * fd_count);
  }
  ssize_t sent;
  do sent = sendmsg(socket, &header, flags | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent;
}

// Receives one packet. `truncated` tells that bytes or descriptors did not fit: then the packet must be refused.
ssize_t packet_receive(int socket, uint8_t *bytes, size_t capacity, int *fds, unsigned *fd_count, bool *truncated) {
  union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(int) * SBX_MAX_FDS)]; } control;
  struct iovec part = {bytes, capacity};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
      .msg_controllen = sizeof control};
  *fd_count = 0;
  *truncated = false;
  ssize_t length;
  do length = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  while (length < 0 && errno == EINTR);
  if (length < 0) return length;
  *truncated = (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  for (struct cmsghdr *part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    unsigned count = (unsigned)((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    for (unsigned i = 0; i < count; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      if (*fd_count < SBX_MAX_FDS) fds[(*fd_count)++] = fd;
      else { close(fd); *truncated = true; }
    }
  }
  return length;
}

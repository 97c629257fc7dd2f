// The floor: the least that can stand where Martlet stands. One thread, epoll, keep-alive HTTP/1.1; a port on which
// callers invoke and a port on which runtimes ask for events. No isolation, limits, time-outs or logs: a number to
// divide by. Usage: floor INVOKE_PORT RUNTIME_PORT
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum kind { LISTENS_FOR_CALLERS, LISTENS_FOR_RUNTIMES, CALLER, RUNTIME };

struct connection {
  enum kind kind;
  int fd;
  char *bytes;  // a request, as far as it has come
  size_t length, capacity;
  struct connection *caller;  // whom a runtime works for
  struct connection *next;    // in the stack of parked runtimes, or in the queue of callers
  size_t head, body;          // of a caller that waits: where its event is
};

static int epoll;
static struct connection *parked;             // runtimes in /next, the last one first
static struct connection *first, **last = &first;  // callers that wait for one
static unsigned long serial;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void put(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t count = write(fd, bytes, length);
    if (count < 0 && errno != EAGAIN) return;
    if (count > 0) bytes += count, length -= (size_t)count;
  }
}

static void put_two(int fd, const char *head, size_t head_length, const char *body, size_t body_length) {
  static char both[32768];
  if (head_length + body_length > sizeof both) {
    put(fd, head, head_length);
    put(fd, body, body_length);
    return;
  }
  memcpy(both, head, head_length);
  memcpy(both + head_length, body, body_length);
  put(fd, both, head_length + body_length);
}

static void consume(struct connection *c, size_t count) {
  memmove(c->bytes, c->bytes + count, c->length - count);
  c->length -= count;
}

static void deliver(struct connection *runtime, struct connection *caller) {
  char head[512];
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  int length = snprintf(head, sizeof head,
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
      "Lambda-Runtime-Aws-Request-Id: 00000000-0000-4000-8000-%012lu\r\nLambda-Runtime-Deadline-Ms: %lld\r\n"
      "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:000000000000:function:floor\r\n"
      "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0\r\n"
      "Content-Length: %zu\r\n\r\n", ++serial, (long long)now.tv_sec * 1000 + 60000, caller->body);
  runtime->caller = caller;
  put_two(runtime->fd, head, (size_t)length, caller->bytes + caller->head, caller->body);
  consume(caller, caller->head + caller->body);
}

static void answer(struct connection *runtime, const char *body, size_t length) {
  static const char accepted[] =
      "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"status\":\"OK\"}\n";
  char head[128];
  if (runtime->caller) {
    int size = snprintf(head, sizeof head,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Amz-Executed-Version: $LATEST\r\nContent-Length: %zu\r\n\r\n",
        length);
    put_two(runtime->caller->fd, head, (size_t)size, body, length);
    runtime->caller = NULL;
  }
  put(runtime->fd, accepted, sizeof accepted - 1);
}

// Handles one complete request; false if there is none.
static int handle(struct connection *c) {
  char *end = memmem(c->bytes, c->length, "\r\n\r\n", 4);
  if (!end) return 0;
  size_t head = (size_t)(end - c->bytes) + 4, body = 0;
  for (char *line = c->bytes; line < end; line = (char *)memchr(line, '\n', (size_t)(end - line) + 2) + 1)
    if (!strncasecmp(line, "content-length:", 15)) body = strtoul(line + 15, NULL, 10);
  if (c->length < head + body) return 0;
  if (c->kind == CALLER) {
    c->head = head;
    c->body = body;
    if (parked) {
      struct connection *runtime = parked;
      parked = runtime->next;
      deliver(runtime, c);
    } else {
      c->next = NULL;
      *last = c;
      last = &c->next;
      return 0;
    }
  } else if (c->bytes[0] == 'G') {
    consume(c, head);
    if (first) {
      struct connection *caller = first;
      if (!(first = caller->next)) last = &first;
      deliver(c, caller);
    } else {
      c->next = parked;
      parked = c;
    }
  } else {
    answer(c, c->bytes + head, body);
    consume(c, head + body);
  }
  return 1;
}

static void forget(struct connection *c) {
  for (struct connection **p = &parked; *p; p = &(*p)->next)
    if (*p == c) { *p = c->next; break; }
  close(c->fd);
  c->fd = -1;  // the rest is leaked: others may point at it, and the floor does not live long
}

static void readable(struct connection *c) {
  for (;;) {
    if (c->capacity - c->length < 4096) {
      c->capacity = c->capacity ? c->capacity * 2 : 16384;
      if (!(c->bytes = realloc(c->bytes, c->capacity))) fail("realloc");
    }
    ssize_t count = read(c->fd, c->bytes + c->length, c->capacity - c->length);
    if (count == 0 || (count < 0 && errno != EAGAIN)) return forget(c);
    if (count < 0) return;
    c->length += (size_t)count;
    while (handle(c)) {}
    if (c->length < c->capacity / 2) return;
  }
}

static void watch(int fd, enum kind kind) {
  struct connection *c = calloc(1, sizeof *c);
  if (!c) fail("calloc");
  c->fd = fd;
  c->kind = kind;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
}

static void listen_on(const char *port, enum kind kind) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1024) < 0) fail("listen");
  watch(fd, kind);
}

int main(int count, char **arguments) {
  if (count != 3) return fputs("usage: floor INVOKE_PORT RUNTIME_PORT\n", stderr), 2;
  signal(SIGPIPE, SIG_IGN);  // a caller may leave in the midst of its answer
  epoll = epoll_create1(EPOLL_CLOEXEC);
  listen_on(arguments[1], LISTENS_FOR_CALLERS);
  listen_on(arguments[2], LISTENS_FOR_RUNTIMES);
  for (;;) {
    struct epoll_event events[64];
    int ready = epoll_wait(epoll, events, 64, -1);
    for (int i = 0; i < ready; i++) {
      struct connection *c = events[i].data.ptr;
      if (c->kind == CALLER || c->kind == RUNTIME) {
        readable(c);
        continue;
      }
      int fd = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
      if (fd < 0) continue;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      watch(fd, c->kind == LISTENS_FOR_CALLERS ? CALLER : RUNTIME);
    }
  }
}

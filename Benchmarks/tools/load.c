// Closed-loop callers: each connection sends its next invocation when the last one is answered. Prints one line of JSON:
// invocations per second, microseconds at p50 and p99, and how many answers were not 200.
// Usage: load PORT FUNCTION CONNECTIONS SECONDS [BODY_BYTES]
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct connection {
  int fd;
  char *bytes;
  size_t length, capacity;
  double sent;
};

static char *request;
static size_t request_length;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void send_request(struct connection *c) {
  c->sent = now();
  for (size_t done = 0; done < request_length;) {
    ssize_t count = write(c->fd, request + done, request_length - done);
    if (count <= 0) fail("write");
    done += (size_t)count;
  }
}

// The length of a complete answer at the beginning of the buffer, or 0.
static size_t complete(const struct connection *c) {
  char *end = memmem(c->bytes, c->length, "\r\n\r\n", 4);
  if (!end) return 0;
  size_t body = 0;
  for (char *line = c->bytes; line < end; line = (char *)memchr(line, '\n', (size_t)(end - line) + 2) + 1)
    if (!strncasecmp(line, "content-length:", 15)) body = strtoul(line + 15, NULL, 10);
  size_t whole = (size_t)(end - c->bytes) + 4 + body;
  return c->length < whole ? 0 : whole;
}

static int by_value(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static void prepare(const char *port, const char *function, size_t body) {
  request = malloc(body + 1024);
  if (!request) fail("malloc");
  request_length = (size_t)sprintf(request,
      "POST /2015-03-31/functions/%s/invocations HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n"
      "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n", function, port, body);
  memset(request + request_length, 'x', body);
  memcpy(request + request_length, "{\"k\":\"", 6);
  memcpy(request + request_length + body - 2, "\"}", 2);
  request_length += body;
}

int main(int count, char **arguments) {
  if (count < 5) return fputs("usage: load PORT FUNCTION CONNECTIONS SECONDS [BODY_BYTES]\n", stderr), 2;
  int connections = atoi(arguments[3]), epoll = epoll_create1(0);
  double seconds = atof(arguments[4]);
  prepare(arguments[1], arguments[2], count > 5 ? strtoul(arguments[5], NULL, 10) : 16);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1])),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct connection *all = calloc((size_t)connections, sizeof *all);
  size_t capacity = 1 << 22, samples = 0, refused = 0;
  float *latencies = malloc(capacity * sizeof *latencies);
  if (!all || !latencies) fail("malloc");
  double begin = now(), measured = begin + seconds * 1e5, end = measured + seconds * 1e6;
  for (int i = 0; i < connections; i++) {
    struct connection *c = &all[i];
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->bytes = malloc(c->capacity = 65536);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
    send_request(c);
  }
  for (double t = begin; t < end;) {
    struct epoll_event events[128];
    int ready = epoll_wait(epoll, events, 128, 1000);
    for (int i = 0; i < ready; i++) {
      struct connection *c = events[i].data.ptr;
      if (c->capacity - c->length < 4096 && !(c->bytes = realloc(c->bytes, c->capacity *= 2))) fail("realloc");
      ssize_t got = read(c->fd, c->bytes + c->length, c->capacity - c->length);
      if (got <= 0) fail("the server closed a connection");
      c->length += (size_t)got;
      if (!complete(c)) continue;
      t = now();
      if (strncmp(c->bytes, "HTTP/1.1 200", 12)) refused++;
      if (t > measured && samples < capacity) latencies[samples++] = (float)(t - c->sent);
      c->length = 0;
      send_request(c);
    }
    t = now();
  }
  qsort(latencies, samples, sizeof *latencies, by_value);
  if (samples == 0) return fputs("no answer at all\n", stderr), 1;
  printf("{\"rate\": %.0f, \"p50\": %.1f, \"p99\": %.1f, \"refused\": %zu}\n", (double)samples / seconds,
      (double)latencies[samples / 2], (double)latencies[samples * 99 / 100], refused);
}

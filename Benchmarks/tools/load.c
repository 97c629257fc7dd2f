// Closed-loop callers: each connection sends its next invocation when the last one is answered. Prints one line of JSON:
// invocations per second, microseconds at p50 and p99, how many answers were not 200, how many told of a failed function,
// and when the first of those came (seconds of CLOCK_MONOTONIC).
// With COUNT the load ends after so many answers instead of SECONDS, each event has a number of its own, and the answer must be
// that event (with or without a space behind the colon): "wrong" counts those that are not.
// Usage: load PORT FUNCTION CONNECTIONS SECONDS [BODY_BYTES [COUNT]]
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
  unsigned number;   // of its invocation
};

enum { MOST_FAILURES = 4096 };
static char *request;
static size_t request_length, body_length, count_wanted, count_sent, answered, failed, wrong;
static double failures[MOST_FAILURES];

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
  char digits[9];
  if (count_wanted) {
    snprintf(digits, sizeof digits, "%08x", c->number = (unsigned)++count_sent);
    memcpy(request + request_length - body_length + 6, digits, 8);
  }
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

// Whether the function failed, and whether the answer is the connection's own event.
static void check(const struct connection *c) {
  char *body = (char *)memmem(c->bytes, c->length, "\r\n\r\n", 4) + 4, digits[9];
  size_t length = c->length - (size_t)(body - c->bytes), shift;
  answered++;
  if (memmem(c->bytes, (size_t)(body - c->bytes), "X-Amz-Function-Error", 20)) {
    if (failed < MOST_FAILURES) failures[failed] = now() / 1e6;
    failed++;
    return;
  }
  if (!count_wanted) return;
  shift = length > body_length;
  snprintf(digits, sizeof digits, "%08x", c->number);
  if (length != body_length + shift || memcmp(body + 6 + shift, digits, 8)
      || memcmp(body + 14 + shift, request + request_length - body_length + 14, body_length - 14)) wrong++;
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
  body_length = body;
}

int main(int count, char **arguments) {
  if (count < 5) return fputs("usage: load PORT FUNCTION CONNECTIONS SECONDS [BODY_BYTES [COUNT]]\n", stderr), 2;
  int connections = atoi(arguments[3]), epoll = epoll_create1(0);
  double seconds = atof(arguments[4]);
  prepare(arguments[1], arguments[2], count > 5 ? strtoul(arguments[5], NULL, 10) : 16);
  if (count > 6) count_wanted = strtoul(arguments[6], NULL, 10);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1])),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct connection *all = calloc((size_t)connections, sizeof *all);
  size_t capacity = 1 << 22, samples = 0, refused = 0;
  float *latencies = malloc(capacity * sizeof *latencies);
  if (!all || !latencies) fail("malloc");
  double begin = now(), measured = begin + seconds * 1e5, end = measured + seconds * 1e6;
  if (count_wanted) measured = begin, end = begin + 1e12;
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
  for (double t = begin; t < end && (!count_wanted || answered < count_wanted);) {
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
      check(c);
      c->length = 0;
      if (!count_wanted || count_sent < count_wanted) send_request(c);
    }
    t = now();
  }
  if (count_wanted) seconds = (now() - begin) / 1e6;
  qsort(latencies, samples, sizeof *latencies, by_value);
  if (samples == 0) return fputs("no answer at all\n", stderr), 1;
  printf("{\"rate\": %.0f, \"p50\": %.1f, \"p99\": %.1f, \"refused\": %zu, \"answered\": %zu, \"failed\": %zu, \"wrong\": %zu, \"failures\": [",
      (double)(count_wanted ? answered : samples) / seconds, (double)latencies[samples / 2], (double)latencies[samples * 99 / 100],
      refused, answered, failed, wrong);
  for (size_t i = 0; i < failed && i < MOST_FAILURES; i++) printf("%s%.6f", i ? ", " : "", failures[i]);
  puts("]}");
}

// A Lambda runtime in C: raw sockets, one kept connection, static. Echoes the event. What it can be asked instead, for tests:
//   {"action": "error"}  answers with an error         {"action": "exit"}   ends with status 7
//   {"action": "crash"}  dies of a segmentation fault  {"action": "hang"}   never answers
//   {"action": "memory"} touches memory until it is killed
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_BYTES = 7 * 1024 * 1024, STEP_BYTES = 1024 * 1024 };

static char input[MOST_BYTES + 1];
static const char *api;
static int connection;

static void give_up(const char *reason) {
  perror(reason);
  exit(1);
}

static void send_all(const char *bytes, size_t count, int flags) {
  while (count > 0) {
    ssize_t sent = send(connection, bytes, count, flags | MSG_NOSIGNAL);
    if (sent <= 0) give_up("send");
    bytes += sent;
    count -= (size_t)sent;
  }
}

/* The value of a header in a head that ends with an empty line, copied to `value`; empty when it is not there. */
static void header(const char *head, const char *name, char *value, size_t room) {
  size_t length = strlen(name);
  value[0] = 0;
  for (const char *line = strstr(head, "\r\n"); line && line[2] != '\r'; line = strstr(line + 2, "\r\n")) {
    if (strncasecmp(line + 2, name, length) != 0 || line[2 + length] != ':') continue;
    const char *start = line + 3 + length;
    start += strspn(start, " ");
    size_t size = strcspn(start, "\r");
    if (size >= room) size = room - 1;
    memcpy(value, start, size);
    value[size] = 0;
    return;
  }
}

/* Reads one answer into `input`; returns its body (ended by a zero), its head before it. */
static char *receive(size_t *body_length) {
  size_t have = 0;
  char *body = NULL;
  while (1) {
    if (have == MOST_BYTES) give_up("answer too long");
    ssize_t count = recv(connection, input + have, MOST_BYTES - have, 0);
    if (count <= 0) give_up("the Runtime API is gone");
    have += (size_t)count;
    input[have] = 0;
    if (!body) {
      char length[32];
      if (!(body = strstr(input, "\r\n\r\n"))) continue;
      body += 4;
      header(input, "Content-Length", length, sizeof length);
      *body_length = strtoul(length, NULL, 10);
    }
    if (have >= (size_t)(body - input) + *body_length) return body;
  }
}

static char *request(const char *method, const char *path, const char *body, size_t length, size_t *answer_length) {
  char head[512];
  int size = snprintf(head, sizeof head, "%s /2018-06-01/runtime/%s HTTP/1.1\r\nHost: %s\r\nContent-Length: %zu\r\n\r\n", method,
                      path, api, length);
  send_all(head, (size_t)size, length ? MSG_MORE : 0);
  if (length) send_all(body, length, 0);
  return receive(answer_length);
}

static int asks(const char *event, const char *action) {
  const char *found = strstr(event, "\"action\"");
  if (!found) return 0;
  found += 8;
  found += strspn(found, " \t\r\n:");
  size_t length = strlen(action);
  return found[0] == '"' && strncmp(found + 1, action, length) == 0 && found[1 + length] == '"';
}

static void connect_to_api(void) {
  char host[64];
  const char *colon = strrchr(api, ':');
  if (!colon || (size_t)(colon - api) >= sizeof host) give_up("AWS_LAMBDA_RUNTIME_API");
  memcpy(host, api, (size_t)(colon - api));
  host[colon - api] = 0;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(colon + 1))};
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) give_up(host);
  connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0) give_up("connect");
}

int main(void) {
  static const char failure[] = "{\"errorMessage\":\"failed as asked\",\"errorType\":\"Function.Asked\"}";
  api = getenv("AWS_LAMBDA_RUNTIME_API");
  if (!api) give_up("AWS_LAMBDA_RUNTIME_API");
  setvbuf(stdout, NULL, _IOLBF, 0);
  connect_to_api();
  while (1) {
    size_t length, ignored;
    char id[64], path[128];
    char *event = request("GET", "invocation/next", NULL, 0, &length);
    header(input, "Lambda-Runtime-Aws-Request-Id", id, sizeof id);
    printf("event of %zu bytes\n", length);
    if (asks(event, "exit")) exit(7);
    if (asks(event, "crash")) raise(SIGSEGV);
    while (asks(event, "hang")) pause();
    while (asks(event, "memory")) memset(malloc(STEP_BYTES), 1, STEP_BYTES);
    int fails = asks(event, "error");
    snprintf(path, sizeof path, "invocation/%s/%s", id, fails ? "error" : "response");
    request("POST", path, fails ? failure : event, fails ? sizeof failure - 1 : length, &ignored);
  }
}

// The least of a runtime: asks for an event, sends it back, prints nothing. What is left of an invocation is the platform.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static char input[8 << 20], output[8 << 20];

static void put(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t count = write(fd, bytes, length);
    if (count <= 0) exit(1);
    bytes += count;
    length -= (size_t)count;
  }
}

// Reads one answer into `input`. Returns where its body begins, and how long it is.
static char *take(int fd, size_t *body) {
  size_t length = 0, whole = 0;
  char *end = NULL;
  while (!end || length < whole) {
    ssize_t count = read(fd, input + length, sizeof input - 1 - length);
    if (count <= 0) exit(1);
    input[length += (size_t)count] = 0;
    if (!end && (end = strstr(input, "\r\n\r\n"))) {
      char *field = strcasestr(input, "\r\ncontent-length:");
      *body = field && field < end ? strtoul(field + 17, NULL, 10) : 0;
      whole = (size_t)(end + 4 - input) + *body;
    }
  }
  return end + 4;
}

int main(void) {
  const char *api = getenv("AWS_LAMBDA_RUNTIME_API"), *colon = api ? strchr(api, ':') : NULL;
  if (!colon) return 2;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1)),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) return 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  static const char next[] = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: a\r\n\r\n";
  for (;;) {
    size_t body, ignored;
    put(fd, next, sizeof next - 1);
    char *event = take(fd, &body), *id = strcasestr(input, "lambda-runtime-aws-request-id: ");
    if (!id) return 1;
    int head = sprintf(output, "POST /2018-06-01/runtime/invocation/%.36s/response HTTP/1.1\r\nHost: a\r\n"
        "Content-Length: %zu\r\n\r\n", id + 31, body);
    memcpy(output + head, event, body);
    put(fd, output, (size_t)head + body);
    take(fd, &ignored);
  }
}

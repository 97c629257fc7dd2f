// The way out of a sandbox, for those that are created with SBX_NETWORK_OUTBOUND: a pair of virtual cables between
// its network namespace and the host's, with two addresses of 100.64.0.0/10 (the range for carriers, which no private
// network uses), a default route, and a rule set that masquerades what leaves and drops everything else: other
// sandboxes, the host's own listeners, link-local addresses (where clouds keep their credentials), and answers that
// nobody asked for.
#include "sandbox.h"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>

static const char rules[] =
  "table inet %1$s {}\ndelete table inet %1$s\ntable inet %1$s {\n"
  "  chain forwarded { type filter hook forward priority -10; policy accept;\n"
  "    iifname \"mt*\" ip saddr != 100.64.0.0/10 drop\n"
  "    iifname \"mt*\" ip daddr { 127.0.0.0/8, 169.254.0.0/16, 100.64.0.0/10, 224.0.0.0/3 } drop\n"
  "    iifname \"mt*\" oifname \"mt*\" drop\n"
  "    iifname \"mt*\" meta nfproto != ipv4 drop\n"
  "    oifname \"mt*\" ct state established,related accept\n"
  "    oifname \"mt*\" drop\n  }\n"
  "  chain arriving { type filter hook input priority -10; policy accept;\n    iifname \"mt*\" drop\n  }\n"
  "  chain leaving { type nat hook postrouting priority 100; policy accept;\n"
  "    ip saddr 100.64.0.0/10 oifname != \"mt*\" masquerade\n  }\n}\n";

static bool prepared;
// a number for the next pair; not that of the sandbox, since the kernel takes old pairs away late
static uint32_t cable;

static const char *nft_path(void) {
  static const char *const paths[] = {"/usr/sbin/nft", "/usr/bin/nft", "/sbin/nft", "/usr/local/sbin/nft"};
  for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) if (access(paths[i], X_OK) == 0) return paths[i];
  return NULL;
}

static void table_name(char name[64]) {
  snprintf(name, 64, "martlet_%s", options.name);
  for (char *at = name; *at; at++) if (*at == '-') *at = '_';
}

// Runs nft on a text. The one program that the helper starts besides inits.
static int nft(const char *text) {
  const char *path = nft_path();
  int pair[2], status;
  if (!path) { errno = ENOENT; return -1; }
  if (pipe2(pair, O_CLOEXEC) < 0) return -1;
  pid_t pid = fork();
  if (pid == 0) {
    int null = open("/dev/null", O_RDWR);
    if (dup2(pair[0], 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0) _exit(126);
    execle(path, "nft", "-f", "-", (char *)NULL, (char *[]){NULL});
    _exit(127);
  }
  close(pair[0]);
  ssize_t written = write(pair[1], text, strlen(text));   // shorter than a pipe holds
  close(pair[1]);
  if (pid < 0) return -1;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
  errno = EIO;
  return written == (ssize_t)strlen(text) && status == 0 ? 0 : -1;
}

static int prepare(const char **stage) {
  char name[64], text[2048];
  if (prepared) return 0;
  table_name(name);
  snprintf(text, sizeof text, rules, name);
  *stage = "network outbound: nft";
  if (nft(text) < 0) return -1;
  *stage = "network outbound: ip_forward";
  if (write_text("/proc/sys/net/ipv4/ip_forward", "1") < 0) return -1;
  // instances begin at different numbers
  for (const char *at = options.name; *at; at++) cable = cable * 31 + (uint8_t)*at;
  prepared = true;
  return 0;
}

// ---------------------------------------------------------------------------------------------- rtnetlink

struct request {
  struct nlmsghdr header;
  union { struct ifinfomsg link; struct ifaddrmsg address; struct rtmsg route; } body;
  uint8_t attributes[512];
};

static void begin(struct request *request, uint16_t type, uint16_t flags, size_t body) {
  memset(request, 0, sizeof *request);
  request->header.nlmsg_type = type;
  request->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
  request->header.nlmsg_len = NLMSG_LENGTH(body);
}

static struct rtattr *add(struct request *request, uint16_t type, const void *bytes, size_t length) {
  struct rtattr *attribute = (struct rtattr *)((uint8_t *)request + NLMSG_ALIGN(request->header.nlmsg_len));
  attribute->rta_type = type;
  attribute->rta_len = (uint16_t)RTA_LENGTH(length);
  if (length > 0) memcpy(RTA_DATA(attribute), bytes, length);
  request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
  return attribute;
}

static void end(struct request *request, struct rtattr *nest) {
  nest->rta_len = (uint16_t)((uint8_t *)request + request->header.nlmsg_len - (uint8_t *)nest);
}

static int ask(int socket_fd, struct request *request) {
  struct { struct nlmsghdr header; struct nlmsgerr error; uint8_t more[1024]; } answer;
  if (send(socket_fd, request, request->header.nlmsg_len, 0) < 0) return -1;
  ssize_t length = recv(socket_fd, &answer, sizeof answer, 0);
  if (length < (ssize_t)NLMSG_LENGTH(sizeof answer.error) || answer.header.nlmsg_type != NLMSG_ERROR) {
    errno = EPROTO;
    return -1;
  }
  errno = -answer.error.error;
  return answer.error.error == 0 ? 0 : -1;
}

// The pair: `name` here, eth0 in the sandbox's namespace.
static int make_pair(int socket_fd, const char *name, int network) {
  struct request request;
  struct ifinfomsg peer_header = {0};
  begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof request.body.link);
  add(&request, IFLA_IFNAME, name, strlen(name) + 1);
  struct rtattr *info = add(&request, IFLA_LINKINFO, NULL, 0);
  add(&request, IFLA_INFO_KIND, "veth", 4);
  struct rtattr *data = add(&request, IFLA_INFO_DATA, NULL, 0);
  struct rtattr *peer = add(&request, VETH_INFO_PEER, &peer_header, sizeof peer_header);
  add(&request, IFLA_IFNAME, "eth0", 5);
  add(&request, IFLA_NET_NS_FD, &network, sizeof network);
  end(&request, peer);
  end(&request, data);
  end(&request, info);
  return ask(socket_fd, &request);
}

static int set_up(int socket_fd, const char *name, uint32_t address) {
  struct request request;
  unsigned index = if_nametoindex(name);
  if (index == 0) return -1;
  begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof request.body.address);
  request.body.address = (struct ifaddrmsg){.ifa_family = AF_INET, .ifa_prefixlen = 30, .ifa_index = index};
  add(&request, IFA_LOCAL, &address, 4);
  add(&request, IFA_ADDRESS, &address, 4);
  if (ask(socket_fd, &request) < 0) return -1;
  begin(&request, RTM_NEWLINK, 0, sizeof request.body.link);
  request.body.link = (struct ifinfomsg){.ifi_index = (int)index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  return ask(socket_fd, &request);
}

static int add_default_route(int socket_fd, uint32_t gateway) {
  struct request request;
  begin(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof request.body.route);
  request.body.route = (struct rtmsg){.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC,
                                      .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST};
  add(&request, RTA_GATEWAY, &gateway, 4);
  return ask(socket_fd, &request);
}

static int open_route(void) { return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE); }

static int set_up_inside(int network, uint32_t own, uint32_t gateway) {
  if (setns(network, CLONE_NEWNET) < 0) return -1;
  int route = open_route();
  int result = route < 0 || set_up(route, "eth0", own) < 0 || add_default_route(route, gateway) < 0 ? -1 : 0;
  network_go_home();
  close_fd(&route);
  return result;
}

int network_outbound(int network, const char **stage) {
  char name[IFNAMSIZ];
  int result = -1;
  *stage = "network outbound";
  if (network < 0) { errno = ENOSYS; return -1; }   // without root there is no namespace of ours to put a cable into
  if (prepare(stage) < 0) return -1;
  *stage = "network outbound: interface";
  int route = open_route();
  if (route < 0) return -1;
  for (int attempt = 0; attempt < 16 && result < 0; attempt++) {
    cable = (cable + 1) % (1 << 20);
    snprintf(name, sizeof name, "mt%u", cable);
    result = make_pair(route, name, network);
    if (result < 0 && errno != EEXIST) break;
  }
  uint32_t subnet = 0x64400000 + cable * 4;   // 100.64.0.0, four addresses each
  if (result == 0) result = set_up(route, name, htonl(subnet + 1));
  if (result == 0) result = set_up_inside(network, htonl(subnet + 2), htonl(subnet + 1));
  close_fd(&route);
  return result;
}

void network_outbound_stop(void) {
  char name[64], text[128];
  if (!prepared) return;
  table_name(name);
  snprintf(text, sizeof text, "delete table inet %s\n", name);
  nft(text);
}

// Quickly: whether the means are there. Deeply: a pair is made and the rules are loaded.
bool network_outbound_works(bool deep, char *how, size_t size) {
  const char *stage = "network namespace";
  if (options.isolation != ISOLATION_FULL) { snprintf(how, size, "needs root"); return false; }
  if (!nft_path()) { snprintf(how, size, "nft is not installed"); return false; }
  if (!deep) { snprintf(how, size, "nft is installed; rules are loaded at first use"); return true; }
  int network = network_make();
  bool works = network >= 0 && network_outbound(network, &stage) == 0;
  if (works) snprintf(how, size, "a cable, addresses, a route and the rules were made");
  else snprintf(how, size, "%s: %s", stage, strerror(errno));
  close_fd(&network);
  return works;
}

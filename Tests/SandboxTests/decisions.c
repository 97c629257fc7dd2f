// The pure decisions of martlet-sandbox on hosts that are not this one: which hierarchy serves what, when memory is exceeded,
// who gets which user when there are few.
#include "sandbox.h"

struct options options;
int write_text(const char *path, const char *text) { (void)path, (void)text; return -1; }
ssize_t read_text(const char *path, char *text, size_t size) { (void)path, (void)text, (void)size; return -1; }
void close_fd(int *fd) { *fd = -1; }
uint64_t now_ms(void) { return 0; }

static int failures;
#define CHECK(condition) do { if (!(condition)) { printf("line %d: %s\n", __LINE__, #condition); failures++; } } while (0)

static const char pure_v2[] =
  "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n"
  "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n";
static const char split_v1[] =
  "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
  "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
  "33 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
  "35 31 0:32 / /sys/fs/cgroup/memory rw shared:12 master:1 - cgroup cgroup rw,memory\n"
  "37 31 0:34 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer\n"
  "39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n";
static const char hybrid[] =
  "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
  "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
  "39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
  "37 31 0:34 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer\n"
  "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

static const char *served_by(const struct cgroup_plan *plan, enum role role) {
  return plan->directory_of[role] < 0 ? "nothing" : plan->directories[plan->directory_of[role]].path;
}

static void plans(void) {
  struct cgroup_plan plan;
  cgroup_make_plan(&plan, pure_v2, "cpuset cpu io memory hugetlb pids rdma\n");
  CHECK(plan.directory_count == 1 && plan.directories[0].v2);
  for (int role = 0; role < ROLE_COUNT; role++) CHECK(strcmp(served_by(&plan, role), "/sys/fs/cgroup") == 0);

  cgroup_make_plan(&plan, pure_v2, "cpuset pids\n");   // a container that was given little
  CHECK(plan.directory_of[ROLE_MEMORY] < 0 && plan.directory_of[ROLE_CPU] < 0 && plan.directory_of[ROLE_PIDS] == 0);

  cgroup_make_plan(&plan, split_v1, "");
  CHECK(plan.directory_count == 4);
  CHECK(strcmp(served_by(&plan, ROLE_CPU), "/sys/fs/cgroup/cpu,cpuacct") == 0);
  CHECK(strcmp(served_by(&plan, ROLE_MEMORY), "/sys/fs/cgroup/memory") == 0);
  CHECK(strcmp(served_by(&plan, ROLE_FREEZE), "/sys/fs/cgroup/freezer") == 0);
  CHECK(plan.directory_of[ROLE_KILL] < 0);

  cgroup_make_plan(&plan, hybrid, "hugetlb\n");
  CHECK(plan.directory_count == 4);
  CHECK(strcmp(served_by(&plan, ROLE_MEMORY), "/sys/fs/cgroup/memory") == 0);
  CHECK(strcmp(served_by(&plan, ROLE_FREEZE), "/sys/fs/cgroup/unified") == 0);
  CHECK(strcmp(served_by(&plan, ROLE_KILL), "/sys/fs/cgroup/unified") == 0);
  CHECK(!plan.directories[plan.directory_of[ROLE_MEMORY]].v2 && plan.directories[plan.directory_of[ROLE_KILL]].v2);

  cgroup_make_plan(&plan, hybrid, "memory pids\n");     // half moved to v2
  CHECK(strcmp(served_by(&plan, ROLE_MEMORY), "/sys/fs/cgroup/unified") == 0);
  CHECK(strcmp(served_by(&plan, ROLE_CPU), "/sys/fs/cgroup/cpu") == 0);

  cgroup_make_plan(&plan, "", "");
  for (int role = 0; role < ROLE_COUNT; role++) CHECK(plan.directory_of[role] < 0);
  cgroup_make_plan(&plan, "nonsense\n - \n1 2 3 4 5 6 - cgroup2\n\n - cgroup cgroup rw,memory", "memory");
  for (int role = 0; role < ROLE_COUNT; role++) CHECK(plan.directory_of[role] < 0);
}

static struct memory_verdict decide(uint64_t usage, uint64_t unreclaimable, uint64_t tmp) {
  return memory_decide(&(struct memory_reading){.limit = 128 << 20, .tmp = tmp << 20, .usage = usage << 20, .unreclaimable = unreclaimable << 20});
}

static void verdicts(void) {
  CHECK(!decide(100, 0, 0).kill && !decide(100, 0, 0).watch);
  CHECK(decide(140, 130, 0).kill);                                    // really above
  CHECK(!decide(140, 60, 0).kill && decide(140, 60, 0).watch);        // page cache
  CHECK(!decide(400, 380, 300).kill && decide(400, 380, 300).watch);  // files in /tmp
  CHECK(decide(450, 440, 300).kill);                                  // files in /tmp, and above
  CHECK(!decide(400, 200, 300).kill);                                 // /tmp swapped out or counted twice: never below zero
  CHECK(decide(400, 380, 300).alarm >= (uint64_t)(300 + 128) << 20);  // v2: files must not slow the writer down
  CHECK(decide(140, 60, 0).alarm == 128 << 20);                       // v2: page cache above the limit is the kernel's to drop

  CHECK(memory_unreclaimable("cache 5\nrss 1\nshmem 1\ntotal_cache 9\ntotal_rss 100\ntotal_rss_huge 7\ntotal_shmem 20\ntotal_swap 3\n", false) == 123);
  CHECK(memory_unreclaimable("anon 100\nfile 5\nkernel 9\nkernel_stack 4\npagetables 2\nshmem 20\nanon_thp 9\n", true) == 126);
  CHECK(memory_unreclaimable("", false) == 0 && memory_unreclaimable("total_rss", false) == 0);
}

static void users(void) {
  enum { ONE = 77001, OTHER = 77002, NEW = 77003 };
  CHECK(users_take(0) == 0 && users_take(ONE) == 1);
  users_keep(1, ONE);
  users_give_back(0);
  users_give_back(1);
  CHECK(users_take(ONE) == 1);                                        // what it has had already, before what is anybody's
  users_give_back(1);
  CHECK(users_take(0) == 0 && users_take(0) == 2 && users_take(OTHER) == 3);
  users_keep(3, OTHER);
  CHECK(users_may_be(ONE, options.uid_base + 1) && users_may_be(ONE, ONE));
  CHECK(!users_may_be(ONE, options.uid_base + 3) && !users_may_be(ONE, options.uid_base + 2) && !users_may_be(ONE, OTHER));
  for (int place = 4; place < MAX_SANDBOXES; place++) CHECK(users_take(0) == place);
  CHECK(users_take(NEW) < 0 && errno == EAGAIN && users_hoarder() == ONE);   // 1 is free, but not for everybody
  users_forget(ONE);
  CHECK(users_hoarder() == 0 && users_take(NEW) == 1 && users_take(0) < 0 && users_hoarder() == 0);
}

int main(void) {
  plans();
  verdicts();
  users();
  return failures > 0;
}

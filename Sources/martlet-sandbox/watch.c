// Keeps the processes of every sandbox to their memory: looks when the kernel's alarm says so, and by the clock where
// it is not armed yet or use is close to the limit. What follows from a look is decided in memory.c.
#include "sandbox.h"

#include <sys/socket.h>
#include <sys/vfs.h>

enum { ARMING_MS = 10000 };   // by then a v1 alarm is armed: removals in the same lane may take a second each
static unsigned watched_count;
static struct packet packet;

// An alarm that is armed later says nothing of what was before.
void watch_memory(struct sandbox *sandbox) {
  if (!sandbox->watched) watched_count++;
  sandbox->watched = true;
  sandbox->watch_interval = 20;
  sandbox->watch_at = now_ms() + sandbox->watch_interval;
  sandbox->watch_until = now_ms() + (cgroup_is_v2(ROLE_MEMORY) ? 0 : ARMING_MS);
}

void unwatch_memory(struct sandbox *sandbox) {
  if (sandbox->watched) watched_count--;
  sandbox->watched = false;
}

static void look_at_memory(struct sandbox *sandbox) {
  char text[8192];
  struct statfs files;
  struct memory_reading reading = {.limit = sandbox->spec->memory};
  ssize_t length = pread(sandbox->nest.cgroups.usage, text, sizeof text - 1, 0);
  if (length <= 0) return;
  text[length] = 0;
  reading.usage = strtoull(text, NULL, 10);
  if (sandbox->tmp >= 0 && fstatfs(sandbox->tmp, &files) == 0)
    reading.tmp = (uint64_t)(files.f_blocks - files.f_bfree) * (uint64_t)files.f_bsize;
  if (reading.usage > reading.limit + reading.tmp) {   // only then the dear question: how much of it is page cache?
    int stat = cgroups_open(&sandbox->nest.cgroups, ROLE_MEMORY, "memory.stat", O_RDONLY);
    length = stat < 0 ? -1 : read(stat, text, sizeof text - 1);
    close_fd(&stat);
    text[length > 0 ? length : 0] = 0;
    reading.unreclaimable = memory_unreclaimable(text, cgroup_is_v2(ROLE_MEMORY));
  }
  struct memory_verdict verdict = memory_decide(&reading);
  if (verdict.kill) {
    sandbox->oom = true;
    packet_begin(&packet, INIT_KILL_ALL, sandbox->id);
    if (sandbox->nest.init >= 0) packet_send(sandbox->nest.init, packet.bytes, packet.length, NULL, 0, MSG_DONTWAIT);
  }
  if (sandbox->nest.cgroups.unarmed) {   // hundreds were started at once
    cgroups_arm(&sandbox->nest.cgroups, reading.limit);
    sandbox->watch_until = now_ms() + ARMING_MS;
  }
  bool watch = verdict.watch || verdict.kill || now_ms() < sandbox->watch_until;
  if (watch != sandbox->watched) watched_count += watch ? 1u : -1u;
  uint64_t change = reading.usage > sandbox->watch_usage ? reading.usage - sandbox->watch_usage
      : sandbox->watch_usage - reading.usage;
  bool busy = !sandbox->watched || change > 1 << 20 || verdict.kill;
  sandbox->watch_interval = busy ? 10 : sandbox->watch_interval >= 125 ? 250 : sandbox->watch_interval * 2;
  sandbox->watch_at = now_ms() + sandbox->watch_interval;
  sandbox->watch_usage = reading.usage;
  sandbox->watched = watch;
  if (cgroup_is_v2(ROLE_MEMORY)) cgroups_arm(&sandbox->nest.cgroups, verdict.alarm);
}

void memory_alarm(struct sandbox *sandbox) {
  char text[512];
  if (cgroup_is_v2(ROLE_MEMORY)) { if (pread(sandbox->nest.cgroups.alarm, text, sizeof text, 0) < 0) return; }
  else if (read(sandbox->nest.cgroups.alarm, text, 8) < 0) return;
  look_at_memory(sandbox);
}

static uint64_t clock_now, clock_next;

static void look_if_due(struct sandbox *sandbox, uint32_t unused) {
  (void)unused;
  if (!sandbox->watched) return;
  if (sandbox->watch_at <= clock_now) look_at_memory(sandbox);
  if (sandbox->watched && sandbox->watch_at < clock_next) clock_next = sandbox->watch_at;
}

// Looks at the sandboxes whose time has come; says how many ms the loop may sleep, -1 for ever.
int memory_clock(uint64_t now) {
  clock_now = now;
  clock_next = slowly_catch_up() ? UINT64_MAX : now + 50;
  if (watched_count > 0) sandbox_each(look_if_due, 0);
  return clock_next == UINT64_MAX ? -1 : clock_next <= now ? 0 : (int)(clock_next - now);
}

// Memory: the kernel charges files in /tmp to whoever wrote them, but to the user they are disk. So the kernel's
// limit is memory + /tmp, and here the processes are kept to memory alone. The decision is pure; acting on it is in
// sandbox.c.
//
// An alarm of the kernel tells when usage passes the limit. From then on the clock looks at it (page cache and /tmp
// can keep usage above the limit for ever, and then no further alarm would come), rarely if nothing changes, until
// usage falls again. Page cache is not squeezed out for the alarm's sake: dropping the interpreter's own pages costs
// disk reads.
#include "sandbox.h"

enum { HEADROOM = 16 << 20 };   // v2: how far usage may run before the next alarm; passing memory.high slows the writer

struct memory_verdict memory_decide(const struct memory_reading *reading) {
  struct memory_verdict verdict = {0};
  uint64_t used = reading->unreclaimable > reading->tmp ? reading->unreclaimable - reading->tmp : 0;
  verdict.kill = used > reading->limit;
  verdict.watch = !verdict.kill && reading->usage > reading->limit;
  // Page cache above this level may be reclaimed by the kernel; memory and files in /tmp must not be slowed down.
  uint64_t occupied = reading->tmp + (used < reading->limit ? reading->limit : used);
  verdict.alarm = occupied + (reading->tmp ? HEADROOM : 0);
  return verdict;
}

static uint64_t line_value(const char *text, const char *name) {
  size_t length = strlen(name);
  for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
    if (strncmp(line, name, length) == 0 && line[length] == ' ') return strtoull(line + length, NULL, 10);
  return 0;
}

// What no reclaim can take away, from the text of memory.stat. Swapped pages count: swap is no way round the limit.
uint64_t memory_unreclaimable(const char *stat, bool v2) {
  if (v2) return line_value(stat, "anon") + line_value(stat, "shmem")
    + line_value(stat, "kernel_stack") + line_value(stat, "pagetables");
  return line_value(stat, "total_rss") + line_value(stat, "total_shmem") + line_value(stat, "total_swap");
}

// How often what was made ahead has served, and how much of it there is now.
#include "sandbox.h"

uint64_t figures[FIGURES];

void figures_reply(unsigned nests, unsigned hatched, unsigned sandboxes) {
  static const char *const names[FIGURES] = {
    [NESTS_TAKEN] = "nestsTaken", [NESTS_MADE_LATE] = "nestsMadeLate", [FORKS_TAKEN] = "forksTaken",
    [FORKS_MADE_LATE] = "forksMadeLate", [FORKS_FAILED] = "forksFailed", [PROGRAMS_EXECUTED] = "programsExecuted"};
  static struct packet packet;
  char line[64];
  packet_begin(&packet, SBX_FIGURES_ARE, 0);
  const struct { const char *name; unsigned value; } now[] = {
    {"nestsReady", nests}, {"forksReady", hatched}, {"sandboxes", sandboxes}};
  for (unsigned i = 0; i < sizeof now / sizeof *now; i++) {
    snprintf(line, sizeof line, "%s\t%u", now[i].name, now[i].value);
    packet_text(&packet, SBX_TAG_FIGURE, line);
  }
  for (unsigned i = 0; i < FIGURES; i++) {
    snprintf(line, sizeof line, "%s\t%llu", names[i], (unsigned long long)figures[i]);
    packet_text(&packet, SBX_TAG_FIGURE, line);
  }
  server_reply(&packet);
}

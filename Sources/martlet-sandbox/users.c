// Users, and when another one may have them: whoever has the user of somebody else's processes has power over those.
//
// A sandbox's user is its place. A snapshot (snapshot.c) has one of its own, to which the namespaces of its forks
// belong; no other snapshot may have that before the last of these nests is gone, which may outlive the snapshot. And
// as long as any process of a snapshot lives, it may take the user of any sandbox that was ever made for its forks,
// because it can keep the namespaces in which that is allowed: such a place is for its own forks only.
#include "sandbox.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct { bool is_taken; uid_t owner; } places[MAX_SANDBOXES];   // of sandboxes; owner: the snapshot's user
static struct { int claim; unsigned holders; } snapshots[MAX_SNAPSHOTS];

static uid_t user_at(unsigned place) { return options.uid_base + MAX_SANDBOXES + MAX_ZYGOTES + place; }

// ---------------------------------------------------------------------------------------------- sandboxes

// A free place for a sandbox, which is to be for forks of the snapshot with the user `owner`, if that is not 0. -1: all
// are taken, or kept for somebody else.
int users_take(uid_t owner) {
  int found = -1;
  for (int place = 0; place < MAX_SANDBOXES; place++) {
    if (places[place].is_taken || (places[place].owner && places[place].owner != owner)) continue;
    if (found < 0) found = place;
    if (places[place].owner != owner) continue;
    found = place;
    break;
  }
  if (found >= 0) places[found].is_taken = true;
  else errno = EAGAIN;
  return found;
}

void users_give_back(unsigned place) { places[place].is_taken = false; }

// The namespaces in which processes of `owner` can be the sandbox's user are made.
void users_keep(unsigned place, uid_t owner) { places[place].owner = owner; }

// No process of the snapshot lives any more.
void users_forget(uid_t owner) {
  for (unsigned place = 0; place < MAX_SANDBOXES; place++) if (places[place].owner == owner) places[place].owner = 0;
}

// For whom free places are kept; 0.
uid_t users_hoarder(void) {
  for (unsigned place = 0; place < MAX_SANDBOXES; place++)
    if (!places[place].is_taken && places[place].owner) return places[place].owner;
  return 0;
}

// True if a process of the snapshot may have this user.
bool users_may_be(uid_t owner, uid_t user) {
  uid_t place = user - options.uid_base;
  return user == owner || (place < MAX_SANDBOXES && places[place].owner == owner);
}

// ---------------------------------------------------------------------------------------------- snapshots

// A user for one snapshot of all servers on this host, because everything of that user ends with it: a name in the
// kernel that one process can have, and has until it ends. 0: none is left.
uid_t users_claim(void) {
  for (unsigned place = 0; place < MAX_SNAPSHOTS; place++) {
    if (snapshots[place].holders > 0) continue;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int length = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "martlet-user-%u", (unsigned)user_at(place));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return 0;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
    if (bind(fd, (struct sockaddr *)&name, size) == 0) {
      snapshots[place].claim = fd;
      snapshots[place].holders = 1;
      return user_at(place);
    }
    close(fd);
  }
  errno = EAGAIN;
  return 0;
}

// One more that the user belongs to: a nest for forks.
void users_hold(uid_t user) { snapshots[user - user_at(0)].holders++; }

void users_leave(uid_t user) {
  unsigned place = user - user_at(0);
  if (--snapshots[place].holders == 0) close_fd(&snapshots[place].claim);
}

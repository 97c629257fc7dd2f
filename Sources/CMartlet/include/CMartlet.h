// What Swift cannot call itself: packets with descriptors, starting the privileged process, the allocator's settings.
#ifndef CMARTLET_H
#define CMARTLET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sandbox_protocol.h"

/// Makes a connected pair of SOCK_SEQPACKET sockets, close-on-exec. 0, or -errno.
int cm_packet_pair(int fds[2]);

/// Sends one packet with descriptors. 0, or -errno.
int cm_send_packet(int fd, const void *bytes, size_t length, const int *fds, size_t fd_count);

/// Receives one packet; waits for it. Received descriptors are close-on-exec. Length, 0 at the end of file, or -errno.
ssize_t cm_receive_packet(int fd, void *bytes, size_t capacity, int *fds, size_t *fd_count);

/// pipe2(2): a close-on-exec pipe, reading end first. 0, or -errno.
int cm_pipe(int fds[2]);

/// Starts `path` with `descriptor` as its descriptor 3 and nothing else open but 0, 1 and 2. The process id, or -errno.
pid_t cm_start(const char *path, char *const argv[], int descriptor);

/// Starts a program of the host that dies with the calling thread, in a group of its own, with /dev/null as its input
/// and files of at most `file_limit` bytes. A program that cannot be executed exits with 127. Process id, or -errno.
pid_t cm_run(const char *path, char *const argv[], char *const envp[], int output, int errors, uint64_t file_limit);

/// openat2(2) with the directory `root` as "/": no link leads out of it. Close-on-exec. A descriptor, or -errno.
int cm_open_in_root(int root, const char *path, int flags);

/// The same for a look at it only (O_PATH).
int cm_look_in_root(int root, const char *path);

/// Blocks of up to `largest_block` bytes are taken from memory that was freed before, of which so many bytes are kept at
/// the end of each thread's part.
void cm_keep_freed(int largest_block, int bytes);

/// malloc_trim(3): memory that is free goes back to the kernel.
void cm_give_back(void);

/// syncfs(2): everything written to the file system of a descriptor is on disk. 0, or -errno.
int cm_sync(int fd);

#endif
